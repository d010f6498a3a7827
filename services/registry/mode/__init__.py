"""registry.mode (平急转换): one stream for each area that goes to 急 and back."""
