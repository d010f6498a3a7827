"""registry.rules (规则发布): editions and mode switches share one rising number for the city."""
