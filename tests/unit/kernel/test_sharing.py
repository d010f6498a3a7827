"""Partition numbers are shared out evenly, all topics alike, the same way by everybody, and few ever move."""

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from hypothesis import given
from hypothesis import strategies as st

from kernel.kafka.sharing import ByNumber, share

workers = st.sets(st.text("abc.123", min_size=1, max_size=6), min_size=1, max_size=9)
numbers = st.sets(st.integers(0, 99), max_size=60)


def owners(shares: dict[str, list[int]]) -> dict[int, str]:
    return {number: worker for worker, held in shares.items() for number in held}


@given(workers, numbers)
def test_each_number_has_one_worker_and_shares_differ_by_one_at_most(
    workers: set[str], numbers: set[int]
) -> None:
    shares = share(workers, numbers)
    assert shares.keys() == workers
    assert sorted(number for held in shares.values() for number in held) == sorted(numbers)
    sizes = [len(held) for held in shares.values()]
    assert max(sizes) - min(sizes) <= 1


@given(workers, numbers)
def test_the_shares_do_not_depend_on_the_order_of_arrival(workers: set[str], numbers: set[int]) -> None:
    assert share(sorted(workers), sorted(numbers)) == share(
        sorted(workers, reverse=True), sorted(numbers, reverse=True)
    )


def test_nobody_gets_nothing() -> None:
    assert share([], range(24)) == {}


def test_a_worker_that_comes_or_goes_moves_few_numbers() -> None:
    """With 24 numbers: at least 24/n have to move; a plain division in ranges moves half of them."""
    moved: list[int] = []
    for count in range(1, 9):
        before = owners(share([f"router.case.{n}" for n in range(count)], range(24)))
        after = owners(share([f"router.case.{n}" for n in range(count + 1)], range(24)))
        moved.append(sum(before[number] != after[number] for number in range(24)))
    assert moved == [12, 9, 7, 5, 6, 8, 6, 5]


class Topics(ClusterMetadata):
    def __init__(self, partitions: dict[str, set[int]]) -> None:
        self.partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return self.partitions.get(topic)


def assigned(partitions: dict[str, set[int]], **topics: list[str]) -> dict[str, dict[str, list[int]]]:
    """What each member is given, by topic. A member's session is another one each time, its name stays."""
    members = {
        f"session-{number}-of-{name}": ByNumber(name).metadata(topics[name])
        for number, name in enumerate(topics)
    }
    given = ByNumber("leader").assign(Topics(partitions), members)
    return {member.partition("-of-")[2]: dict(found.assignment) for member, found in given.items()}


def test_the_same_number_of_every_topic_goes_to_the_same_worker() -> None:
    everywhere = {"commands": set(range(24)), "events": set(range(24))}
    both = ["commands", "events"]
    shares = assigned(everywhere, a=both, b=both, c=both)
    for held in shares.values():
        assert held["commands"] == held["events"]
        assert len(held["commands"]) == 8
    assert assigned(everywhere, c=both, a=both, b=both) == shares


def test_a_worker_of_an_older_release_gets_its_own_topics_only() -> None:
    everywhere = {"commands": set(range(6)), "more": set(range(6))}
    shares = assigned(everywhere, old=["commands"], new=["commands", "more"])
    assert shares["old"].keys() == {"commands"}
    assert shares["new"]["more"] == shares["new"]["commands"]
    assert sorted(shares["old"]["commands"] + shares["new"]["commands"]) == list(range(6))


def test_a_topic_that_is_not_there_is_given_to_nobody() -> None:
    assert assigned({"commands": {0, 1}}, a=["commands", "gone"]) == {"a": {"commands": [0, 1], "gone": []}}


def test_two_workers_of_one_name_are_still_two() -> None:
    topics = ["commands"]
    one = ConsumerProtocolMemberMetadata(0, topics, b"same")
    given = ByNumber("same").assign(Topics({"commands": set(range(4))}), {"x": one, "y": one})
    held = [dict(found.assignment)["commands"] for found in given.values()]
    assert sorted(held[0] + held[1]) == [0, 1, 2, 3]
    assert len(held[0]) == 2
