"""What travels: every message, event and topic of gridcase. Imports nothing else of ours."""
