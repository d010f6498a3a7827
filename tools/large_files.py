"""Refuses files that do not belong into a repository of text: pre-commit passes the staged names."""

import sys
from pathlib import Path

LIMIT_BYTES = 1 << 20

too_large = [name for name in sys.argv[1:] if Path(name).is_file() and Path(name).stat().st_size > LIMIT_BYTES]
for name in too_large:
    print(f"{name}: expected at most {LIMIT_BYTES} bytes, found {Path(name).stat().st_size}; do: keep it outside")
sys.exit(1 if too_large else 0)
