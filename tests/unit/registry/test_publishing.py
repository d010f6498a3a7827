import pytest

from kernel.processor import Sender
from rules.inforce import Rules
from schemas.kernel import ActivateRules, AreaMode
from schemas.refusal import Refusal
from schemas.registry import EditionPublished, PublicationRefused, PublishEdition
from schemas.topics import RULES_EDITIONS
from services.registry.rules.processor import REGISTRY_RULES
from tests.builders_city import tiny_city
from tests.stories import START, Story

ONE, TWO = "1" * 64, "2" * 64
EMERGENCY = (AreaMode(area="C1", mode="emergency"), AreaMode(area="S1", mode="normal"))


@pytest.fixture
def registry() -> Story:
    return Story(REGISTRY_RULES, Rules(0, tiny_city()), "tiny", Sender("post", "OPS-lead_officer"))


def published(
    number: int, edition: str, modes: tuple[AreaMode, ...] = (), partitions: int = 3
) -> EditionPublished:
    return EditionPublished(
        number=number, edition=edition, modes=modes, effective=START, partitions=partitions
    )


def test_the_first_edition_is_number_one_and_every_partition_hears_of_it(registry: Story) -> None:
    registry.when(PublishEdition(edition=ONE, partitions=3)).then(published(1, ONE))
    told = ActivateRules(number=1, edition=ONE, effective=START)
    registry.sends(*(RULES_EDITIONS.to_partition(number, told) for number in range(3)))


def test_editions_and_modes_share_one_rising_number(registry: Story) -> None:
    registry.given(published(1, ONE), published(2, TWO))
    registry.when(PublishEdition(edition=TWO, modes=EMERGENCY[::-1], partitions=1))
    registry.then(published(3, TWO, EMERGENCY, 1))
    registry.when(PublishEdition(edition=ONE, partitions=1)).then(published(4, ONE, (), 1))


def test_what_is_in_force_already_is_refused(registry: Story) -> None:
    registry.given(published(1, ONE, EMERGENCY))
    registry.when(PublishEdition(edition=ONE, modes=EMERGENCY[::-1], partitions=3))
    registry.then(PublicationRefused(refusal=Refusal(
        code="already_in_force", expected="another edition or other modes", found=ONE,
    ))).sends()  # fmt: skip


@pytest.mark.parametrize("partitions", [0, -1, 4097])
def test_a_city_has_at_least_one_partition(registry: Story, partitions: int) -> None:
    registry.when(PublishEdition(edition=ONE, partitions=partitions))
    registry.then(
        PublicationRefused(refusal=Refusal(code="partitions", expected="1 to 4096", found=str(partitions)))
    )


def test_an_area_has_one_mode(registry: Story) -> None:
    twice = (AreaMode(area="C1", mode="normal"), AreaMode(area="C1", mode="emergency"))
    registry.when(PublishEdition(edition=ONE, modes=twice, partitions=1))
    registry.then(
        PublicationRefused(refusal=Refusal(code="modes_twice", expected="each area once", found="C1"))
    )
