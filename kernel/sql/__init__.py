"""Both ports in SQL, on SQLite and PostgreSQL, and what a city keeps beside its journals.

One code path: synchronous SQLAlchemy Core functions that take a `Connection`. A `Store` runs them, for SQLite
on the event loop, for PostgreSQL through asyncpg.
"""
