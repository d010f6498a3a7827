"""Where processors run: embedded in one process, replayed in memory, simulated under faults."""
