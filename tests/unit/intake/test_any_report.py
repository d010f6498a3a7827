"""Whatever stands in a report, it is accepted or dead: no exception parks the stream of a stranger."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.processor import DeadLetter, Sender
from rules.inforce import Rules
from schemas.intake import ReportAccepted, ReportDead
from schemas.report import GridReport, Position
from schemas.topics import Send
from services.intake.reader.processor import READER
from tests.builders_city import SIDE, SOUTH, WEST, tiny_city
from tests.stories import START, Story

DEGREES = st.integers(-1_800_000_000, 1_800_000_000)
ANYWHERE = st.builds(Position, lon_e7=DEGREES, lat_e7=DEGREES)
INSIDE = st.builds(
    Position,
    lon_e7=st.integers(WEST - SIDE // 9, WEST + 2 * SIDE),
    lat_e7=st.integers(SOUTH, SOUTH + 2 * SIDE + SIDE // 9),
)
WORDS = st.sampled_from(
    ("井盖缺失", "楼道", "吵架", "柳树社区", "杏花社区第一网格", "河东街道", "小城区", "，", "!", "ß", "ﬁ")
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=8).map("".join))
CODES = st.sampled_from(("", "C1", "G22", "S1", "D", "X9"))
REPORTS = st.builds(
    GridReport,
    channel=st.just("app"),
    kind=st.sampled_from(("problem", "urgent")),
    text=TEXTS,
    position=st.one_of(st.none(), ANYWHERE, INSIDE),
    place=TEXTS,
    area=CODES,
    matter=st.sampled_from(("", "P-01-01", "Q-01-01", "?")),
    occurred=st.one_of(st.none(), st.just(START)),
)


@settings(max_examples=300, deadline=None)
@given(REPORTS)
def test_any_report_is_accepted_or_dead(report: GridReport) -> None:
    story = Story(READER, Rules(1, tiny_city()), "app/1", Sender("source", "app")).when(report)
    [event] = story.events
    [effect] = story.effects
    if isinstance(event, ReportDead):
        assert isinstance(effect, DeadLetter)
        return
    assert isinstance(event, ReportAccepted)
    assert isinstance(effect, Send)
    said = event.report
    assert effect.key == said.desk in {"C1", "C2", "D"}
    assert 0 <= said.confidence <= 1000
    assert 0 <= said.located <= 1000
    assert bool(said.areas) == bool(said.located)
    assert not said.matter or tiny_city().matters[said.matter].condition(said.condition)
