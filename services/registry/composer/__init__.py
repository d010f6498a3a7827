"""registry.composer (规则合成): carries out what the rules ask of the store of editions."""
