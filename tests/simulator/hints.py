"""Seeds that found a switched-off rule before: tried first, so that the matrix is quick. Written by hand."""

HINTS: dict[str, tuple[int, ...]] = {}
