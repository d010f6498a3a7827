"""Cities to try things on, written by this project: their rule bundles, a day's reports, and their people.

Nothing that the system needs lives here; it is data, the scripts that draw it, and seeded actors who
reach the city only through the edge.
"""
