from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import read_folder
from rules.rows import Folder, Row
from rules.source import compile_bundle, read_bundle
from rules.writing import write_workbook
from tests.keeping import TINY

BITS = (
    *(b"", b"<", b">", b"</row>", b"</c>", b"<c/>", b'"', b"\x00", b"\xff", b"&", b"&amp;", b"-1", b"9" * 30),
    *(b'<c t="b"><v>1</v></c>', b'<c t="e"><v>#N/A</v></c>', b"<c><v>1e999</v></c>", b"<c><f>A1</f></c>"),
    *(b'<row r="1048576"/>', b'<row r="0"/>', b'r="A1"', b't="d"', b"<v>2026-01-01</v>", b"]]>", b"<!--"),
)
cuts = st.lists(
    st.tuples(st.integers(0, 40), st.floats(0, 1), st.integers(0, 12), st.sampled_from(BITS)),
    min_size=1,
    max_size=4,
)
texts = (
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="|{}\ufffe\uffff"
        ),
        min_size=1,
        max_size=40,
    )
    .map(str.strip)
    .filter(bool)
)


@cache
def tiny() -> dict[str, bytes]:
    """The parts of the tiny city's workbook."""
    with TemporaryDirectory() as place:
        write_workbook(read_folder(TINY), Path(place) / "city.xlsx")
        with ZipFile(Path(place) / "city.xlsx") as file:
            return {name: file.read(name) for name in sorted(file.namelist())}


def packed(parts: dict[str, bytes]) -> bytes:
    body = BytesIO()
    with ZipFile(body, "w", ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return body.getvalue()


@settings(max_examples=50, deadline=None)
@given(cuts)
def test_whatever_is_done_to_its_parts_a_workbook_is_compiled_or_refused(
    cuts: list[tuple[int, float, int, bytes]],
) -> None:
    parts = dict(tiny())
    for which, where, length, bits in cuts:
        name = list(parts)[which % len(parts)]
        at = int(where * len(parts[name]))
        parts[name] = parts[name][:at] + bits + parts[name][at + length :]
    with TemporaryDirectory() as place:
        path = Path(place) / "city.xlsx"
        path.write_bytes(packed(parts))
        compiled = compile_bundle(path)
    if isinstance(compiled, Faults):
        assert len(compiled) > 0
        assert all(fault.expected and fault.do and fault.code for fault in compiled)
    else:
        assert isinstance(compiled, Bundle)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.binary(max_size=20))
def test_a_file_with_any_bytes_changed_is_compiled_or_refused(where: float, bits: bytes) -> None:
    body = packed(tiny())
    at = int(where * len(body))
    with TemporaryDirectory() as place:
        path = Path(place) / "city.xlsx"
        path.write_bytes(body[:at] + bits + body[at + len(bits) :])
        assert isinstance(compile_bundle(path), Bundle | Faults)


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(texts, texts, min_size=1, max_size=6))
def test_any_text_comes_back_from_a_workbook_as_it_was(words: dict[str, str]) -> None:
    rows = [
        Row("keywords.csv", n, {"matter": key, "word": word})
        for n, (key, word) in enumerate(words.items(), 2)
    ]
    with TemporaryDirectory() as place:
        path = Path(place) / "city.xlsx"
        write_workbook(Folder({"keywords.csv": rows}), path)
        again = read_bundle(path).table("keywords.csv")
    assert [row.cells for row in again] == [row.cells for row in rows]
