"""One module for each family of verbs of the case (案件): its commands and its events together."""
