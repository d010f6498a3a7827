"""Two processes under one name: the newcomer gives way, and nobody does whom the group forgot by right."""

import pytest

from kernel.errors import SlotTaken
from kernel.kafka.cluster import Cluster
from kernel.kafka.group import (
    PUT_OUT_MOST,
    SESSION_SECONDS,
    SETTLED_MOST,
    WITHIN_SECONDS,
    Membership,
    Rivals,
)
from kernel.kafka.sharing import ByNumber

TICK = 0.5


class Watched:
    """A member that is looked at every half second, and by what the group knows it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.client = object()
        self.number = 0
        membership = Membership(Cluster("b:1"), "router.case", "router.case-a", ByNumber("w"), TICK)
        self.rivals = Rivals(membership, lambda: self.now)
        self.go_on(1)

    def go_on(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK)):
            self.now += TICK
            self.rivals.see(self.client, f"router.case-a-{self.number}")

    def put_out(self) -> None:
        """The group forgets it; for a moment it is no member, then it is one by another id."""
        self.rivals.see(self.client, "")
        self.number += 1
        self.go_on(1)


def test_a_newcomer_gives_way_to_whoever_takes_its_place_again_and_again() -> None:
    member = Watched()
    for _ in range(PUT_OUT_MOST - 1):
        member.put_out()
    with pytest.raises(SlotTaken, match=r"Another process of router\.case uses the slot a") as told:
        member.put_out()
    assert told.value.exit_code == 4


def test_one_that_is_settled_gives_way_only_if_that_goes_on_and_on() -> None:
    member = Watched()
    member.go_on(WITHIN_SECONDS)
    member.put_out()  # it had been a member for long
    for _ in range(SETTLED_MOST - 1):
        member.put_out()
    with pytest.raises(SlotTaken):
        member.put_out()


def test_what_was_long_ago_counts_no_more() -> None:
    member = Watched()
    member.go_on(WITHIN_SECONDS)
    for _ in range(3 * SETTLED_MOST):
        member.put_out()
        member.go_on(WITHIN_SECONDS / 4)


@pytest.mark.parametrize("silent", [SESSION_SECONDS, 9])
def test_who_was_silent_for_a_session_was_put_out_by_right(silent: float) -> None:
    member = Watched()
    for _ in range(3 * PUT_OUT_MOST):
        member.now += silent
        member.put_out()


def test_a_client_of_our_own_takes_the_place_of_the_last_one() -> None:
    member = Watched()
    for _ in range(3 * PUT_OUT_MOST):
        member.client = object()
        member.put_out()


@pytest.mark.parametrize("older_by", [4, 12])
def test_of_two_that_are_both_young_only_the_younger_gives_way(older_by: int) -> None:
    older, younger = Watched(), Watched()
    older.go_on(older_by)
    for _ in range(PUT_OUT_MOST - 1):
        older.put_out()
        younger.put_out()
    older.put_out()
    with pytest.raises(SlotTaken):
        younger.put_out()
    older.put_out()  # once more, for the younger had come back before it looked
