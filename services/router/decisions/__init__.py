"""What each command leads to. State, sender and guards are columns of the table; here is the happy path."""
