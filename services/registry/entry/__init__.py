"""registry.entry (事务准入): one stream for each admission entry, from the application to its end."""
