"""Refuses files that do not belong into a repository of text: pre-commit passes the staged names."""

import sys
from pathlib import Path

LIMIT_BYTES = 1 << 20

sizes = {name: Path(name).stat().st_size for name in sys.argv[1:] if Path(name).is_file()}
too_large = {name: size for name, size in sizes.items() if size > LIMIT_BYTES}
for name, size in too_large.items():
    print(f"{name}: expected at most {LIMIT_BYTES} bytes, found {size}; do: keep it outside")
sys.exit(1 if too_large else 0)
