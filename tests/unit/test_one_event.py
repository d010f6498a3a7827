"""The page that follows one event through the code names only files that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "one-event.md"
NAMED = re.compile(r"`((?:schemas|rules|kernel|services|cli|cities)/[\w/]+\.py)`")


def test_every_file_that_the_page_names_is_there() -> None:
    named = NAMED.findall(PAGE.read_text("utf-8"))
    assert len(set(named)) > 40
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_the_page_passes_through_every_service_of_the_way() -> None:
    text = PAGE.read_text("utf-8")
    for folder in ("intake/reader", "intake/desk", "router", "sla", "notifier"):
        assert f"services/{folder}/" in text
