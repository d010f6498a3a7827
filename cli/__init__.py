"""The command `gridcase`, and the one composition root."""
