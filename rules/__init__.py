"""The city as data: areas, units, matters, admission lists, limits and words, compiled and hashed.

Everything here is immutable and pure except `rules.folder`, `rules.workbook`, `rules.writing` and
`rules.source`, which read and write files. A decision holds a `Rules`
(`rules.inforce`), cites the bundle's hash and never changes it.
"""
