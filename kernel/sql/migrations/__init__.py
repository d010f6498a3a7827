"""Alembic's folder: one file for each revision, up and down, for SQLite and PostgreSQL."""
