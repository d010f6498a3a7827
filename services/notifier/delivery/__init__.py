"""Ways out of the house: each channel takes an attempt and gives its outcome as a value."""
