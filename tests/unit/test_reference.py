"""What is generated is committed, and is what would be generated now."""

from tools.docs import pages


def test_the_pages_of_the_reference_are_up_to_date() -> None:
    stale = [
        path.name for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text
    ]
    assert not stale, f"expected docs/reference as generated, found {stale} old; do: make docs"
