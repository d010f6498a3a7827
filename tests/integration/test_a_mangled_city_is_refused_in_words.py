from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder
from tests.keeping import TINY

FILES = sorted(str(path.relative_to(TINY)) for path in TINY.rglob("*") if path.is_file())
BITS = (
    *(b"", b",", b"\n", b'"', b"\x00", b"\xff", b"|", b"@", b"{", b"]", b": ", b"- ", b"-1", b"0", b"9" * 30),
    *(b"NaN", b"1e400", b"null", b"G11", b"S1", b"D", b"2026-02-30", b"grid", b"row8:", b"&a [*a]"),
    *("²".encode(), "急".encode()),
)
cuts = st.lists(
    st.tuples(st.sampled_from(FILES), st.floats(0, 1), st.integers(0, 12), st.sampled_from(BITS)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=80)
@given(cuts)
def test_whatever_is_done_to_its_files_a_city_is_compiled_or_refused(
    cuts: list[tuple[str, float, int, bytes]],
) -> None:
    with TemporaryDirectory() as place:
        city = Path(place) / "city"
        copytree(TINY, city)
        for file, where, length, bits in cuts:
            body = (city / file).read_bytes()
            at = int(where * len(body))
            (city / file).write_bytes(body[:at] + bits + body[at + length :])
        compiled = compile_folder(city)
    if isinstance(compiled, Faults):
        assert len(compiled) > 0
        assert all(fault.expected and fault.do and fault.code for fault in compiled)
    else:
        assert isinstance(compiled, Bundle)
