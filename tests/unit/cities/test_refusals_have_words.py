"""Each code with which a case or a report is refused has words in the demonstration, in each language."""

import ast
from collections.abc import Iterator
from pathlib import Path

from rules.bundle import Bundle
from rules.folder import compile_folder

ROOT = Path(__file__).resolve().parents[3]
WHERE = ("services/router", "services/intake/reader", "services/intake/desk")
REFUSING = {"Refusal", "refuse", "listed", "_not_confirmed"}


def codes_in(file: Path) -> Iterator[str]:
    """The literal codes of a file: `Refusal(code="…")`, `refuse("…", …)` and what is built on them."""
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in REFUSING:
            named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            for value in (*named, *call.args[:2]):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value
                    break


def test_every_code_has_words_in_every_language() -> None:
    city = compile_folder(ROOT / "cities" / "demo")
    assert isinstance(city, Bundle)
    codes = {code for folder in WHERE for file in (ROOT / folder).rglob("*.py") for code in codes_in(file)}
    assert len(codes) > 50
    silent = {
        (code, language)
        for code in codes
        for language in city.city.languages
        if not city.templates.has(f"refusal.{code}", language)
    }
    assert not silent
