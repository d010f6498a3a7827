"""Who decides what: a folder for each service, pure but for what its name says; none imports a sibling."""
