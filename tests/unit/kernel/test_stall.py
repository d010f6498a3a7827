"""Given what was seen before, when the next look comes, then who stands still and whether it must end."""

from collections.abc import Mapping, Sequence

from kernel.stall import Patience, Place, Sight, Stand, Still, follow, hopeless, still

PATIENCE = Patience(warn_seconds=60, end_seconds=120)
ROUTER = "router.case"


class Story:
    """Looks at one worker, one after the other."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stands: Mapping[Place, Stand] = {}
        self.found: Sequence[Still] = ()

    def given(self, *sights: Sight, seconds: float = 5, excuse: str = "") -> "Story":
        """After so many seconds this is seen."""
        self.now += seconds
        excuses = {ROUTER: excuse}
        self.stands = follow(self.stands, sights, excuses, self.now)
        self.found = still(self.stands, sights, excuses, self.now, PATIENCE)
        return self

    def then(self, *expected: tuple[int, float, str], ends: bool = False) -> None:
        """Exactly these partitions stand still, so long and for these reasons."""
        assert [(one.sight.partition, one.seconds, one.excuse) for one in self.found] == list(expected)
        assert (hopeless(self.found, PATIENCE) is not None) == ends


def seen(cursor: int | None, end: int, partition: int = 0) -> Sight:
    return Sight(ROUTER, "case.commands", partition, cursor, cursor, end)


def test_who_has_read_all_stands_still_for_ever() -> None:
    Story().given(seen(7, 7)).given(seen(7, 7), seconds=3600).then()


def test_who_moves_a_little_is_only_slow() -> None:
    story = Story().given(seen(1, 1000))
    for cursor in range(2, 9):
        story.given(seen(cursor, 1000), seconds=59).then()


def test_who_leaves_messages_unread_says_so_and_then_ends() -> None:
    story = Story().given(seen(7, 9))
    story.given(seen(7, 12), seconds=59).then()
    story.given(seen(7, 12), seconds=1).then((0, 60, ""))
    story.given(seen(7, 12), seconds=59).then((0, 119, ""))
    story.given(seen(7, 12), seconds=1).then((0, 120, ""), ends=True)


def test_who_goes_on_after_a_word_does_not_end() -> None:
    story = Story().given(seen(7, 9)).given(seen(7, 9), seconds=100)
    story.given(seen(8, 9), seconds=30).then()
    story.given(seen(8, 9), seconds=61).then((0, 61, ""))


def test_one_partition_stands_while_others_move() -> None:
    story = Story().given(seen(7, 9), seen(1, 50, 3))
    story.given(seen(7, 9), seen(20, 50, 3), seconds=60).then((0, 60, ""))


def test_a_partition_that_is_never_claimed_is_a_stall_if_something_lies_in_it() -> None:
    story = Story().given(seen(None, 0), seen(None, 4, 1))
    story.given(seen(None, 0), seen(None, 4, 1), seconds=60).then((1, 60, ""))


def test_a_partition_that_is_owned_no_more_is_forgotten() -> None:
    story = Story().given(seen(7, 9)).given(seconds=50)
    story.given(seen(7, 9), seconds=50).then()
    story.given(seen(7, 9), seconds=60).then((0, 60, ""))


def test_a_port_that_is_away_is_no_stall_but_worth_a_word() -> None:
    away = "no answer from the database (TimeoutError)"
    story = Story().given(seen(7, 9), excuse=away)
    story.given(seen(7, 9), seconds=60, excuse=away).then((0, 60, away))
    story.given(seen(7, 9), seconds=600, excuse=away).then((0, 660, away))


def test_when_the_port_is_back_the_time_begins_anew() -> None:
    story = Story().given(seen(7, 9)).given(seen(7, 9), seconds=119)
    story.given(seen(7, 9), seconds=1, excuse="no answer").then((0, 120, "no answer"))
    story.given(seen(7, 9), seconds=59).then()
    story.given(seen(7, 9), seconds=1).then((0, 60, ""))
    story.given(seen(7, 9), seconds=60).then((0, 120, ""), ends=True)
