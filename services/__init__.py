"""Who decides what: one folder for each service, pure but for what its name says; no service imports a sibling."""
