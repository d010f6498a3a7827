"""What documents point to is there: links, and every file of the code that is named with its folder."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "cities").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
NAMED = re.compile(
    r"\b((?:schemas|rules|kernel|services|cli|cities|tests|tools)/[a-z0-9_/.-]+\.(?:py|md|csv|yaml))\b"
)
ONE_EVENT = ROOT / "docs" / "reference" / "one-event.md"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_points_only_to_what_is_there(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    named = [path for path in NAMED.findall(text) if not (ROOT / path).exists()]
    assert (links, named) == ([], [])


def test_one_event_is_followed_through_every_service_of_its_way() -> None:
    text = ONE_EVENT.read_text("utf-8")
    assert len(set(NAMED.findall(text))) > 40
    for folder in ("intake/reader", "intake/desk", "router", "sla", "notifier"):
        assert f"services/{folder}/" in text
