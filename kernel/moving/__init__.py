"""A whole city in one file (迁出, 迁入): to go on on another host, and to be read years later by an auditor.

The file is a zip of lines of JSON and of original bytes, with a manifest that has the hash of each part.
"""
