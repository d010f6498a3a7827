"""From case command to owner: the whole life of a case on one table, with the admission guard."""
