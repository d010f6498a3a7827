"""Wire forms of the channels (渠道) to the one form that intake reads."""
