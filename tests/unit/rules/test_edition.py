import pytest
from msgspec import json
from msgspec.structs import replace

from rules.bounds import Bounds
from rules.edition import NEEDED, SECTIONS, BrokenEditionError, Edition
from rules.pairings import Pairing
from tests.builders_city import tiny_city, tiny_parts


def test_an_edition_survives_its_bytes() -> None:
    edition = Edition.of(tiny_parts())
    again = Edition.unpack(edition.pack())
    assert again == edition
    assert again.load() == tiny_city()
    assert Edition.of(again.load().parts) == edition


def test_the_same_city_has_the_same_hash_and_bytes() -> None:
    assert Edition.of(tiny_parts()).pack() == Edition.of(tiny_parts()).pack()


def test_a_change_changes_the_hash_and_only_its_own_section() -> None:
    before = Edition.of(tiny_parts())
    after = Edition.of(replace(tiny_parts(), bounds=Bounds(objections=1)))
    changed = {name for name in SECTIONS if before.manifest.get(name) != after.manifest.get(name)}
    assert changed == {"bounds"}
    assert before.hash != after.hash


def test_a_city_that_does_not_use_a_later_section_has_the_edition_that_it_had_before() -> None:
    assert Edition.of(tiny_parts()).manifest.keys() == NEEDED
    paired = replace(tiny_parts(), pairings=(Pairing(unit="SZ", area="G11"),))
    edition = Edition.of(paired)
    assert edition.manifest.keys() == NEEDED | {"pairings"}
    assert Edition.unpack(edition.pack()).load().parts.pairings == paired.pairings


def test_sections_hold_whole_numbers_only() -> None:
    def numbers(value: object) -> bool:
        if isinstance(value, dict):
            return all(numbers(child) for child in value.values())
        if isinstance(value, list):
            return all(numbers(child) for child in value)
        return not isinstance(value, float)

    assert all(numbers(json.decode(body)) for body in Edition.of(tiny_parts()).sections.values())


@pytest.mark.parametrize(
    "change", [("小城区", "大城区"), ('"format":1', '"format":2'), ('"bounds":', '"bound":')]
)
def test_bytes_that_do_not_fit_their_hash_are_refused(change: tuple[str, str]) -> None:
    body = Edition.of(tiny_parts()).pack().decode()
    with pytest.raises(BrokenEditionError):
        Edition.unpack(body.replace(*change).encode())


def test_half_an_edition_is_refused() -> None:
    with pytest.raises(BrokenEditionError):
        Edition.unpack(Edition.of(tiny_parts()).pack()[:1000])
