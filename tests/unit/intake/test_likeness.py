import pytest

from services.intake.likeness import letters, likeness


@pytest.mark.parametrize(
    ("one", "other", "per_mille"),
    [
        ("井盖缺失", "井盖缺失", 1000),
        ("井盖缺失", "路灯不亮", 0),
        ("井盖缺失", "井盖没了", 333),
        ("", "", 0),
        ("井", "井", 1000),
    ],
)
def test_likeness_is_the_share_of_common_pairs(one: str, other: str, per_mille: int) -> None:
    assert likeness(one, other) == likeness(other, one) == per_mille


def test_only_letters_and_digits_are_compared_in_one_form() -> None:
    assert letters(" ３号楼，Ａ座！ ") == "3号楼a座"
