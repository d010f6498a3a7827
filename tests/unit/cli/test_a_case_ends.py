"""From the report to the docket through every processor: closed is not the end of a case, written off is."""

import asyncio

from kernel.processor import Sender
from schemas.case.handling import SignCase
from schemas.case.opening import AcceptCase
from schemas.case.states import State
from schemas.report import GridReport, Position
from services.router.state import Case
from services.sla.state import Clocks
from tests.builders_city import MIDDLE, STREET_TRADING
from tests.unit.cli.memory_city import MemoryCity
from tests.unit.router.telling import centre, handler, inspection, resolution

NUMBER = "20261123-C1-0001"


def case_of(city: MemoryCity) -> Case:
    return asyncio.run(city.view().case(NUMBER))[0]


def clocks_of(city: MemoryCity) -> Clocks:
    return asyncio.run(city.view().clocks(NUMBER))[0]


def test_a_closed_case_whose_window_warned_is_written_off() -> None:
    city = MemoryCity()
    lon, lat = MIDDLE["G11"]
    report = GridReport(channel="app", text="路边有流动摊贩", position=Position(lon_e7=lon, lat_e7=lat))
    city.send(Sender("source", "app"), "", report)
    city.send(centre("clerk"), NUMBER, AcceptCase(matter=STREET_TRADING))
    city.send(handler("CG"), NUMBER, SignCase())
    city.send(handler("CG"), NUMBER, resolution(case_of(city)))
    city.send(centre("inspector"), NUMBER, inspection(case_of(city)))
    city.later(days=5)
    assert case_of(city).state is State.CLOSED
    assert [one.clock for one in case_of(city).supervisions] == ["after_close"]
    city.later(days=35)
    assert case_of(city).state is State.WRITTEN_OFF
    assert not case_of(city).supervisions
    assert not clocks_of(city).clocks
