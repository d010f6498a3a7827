"""The admission register's workflow (事务准入): what is asked of one entry, and what became of it."""
