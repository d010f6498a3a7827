"""`gridcase locate`: the areas of points, codes and words, for other systems; no state is touched."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from cli.batch import Answer, Batch, CityOf, Encoded, Encoding, answer_all, read_rows, rules_of_city
from cli.options import AsJson
from rules.bundle import Bundle
from rules.codes import CodeBook
from schemas.refusal import Refusal
from services.intake.reader.locate import Location
from services.intake.reader.lookup import Refused, Sought, look_up

_NEEDED: Final = (("lon", "lat"), ("code",), ("text",))


def locate(
    city: CityOf,
    batch: Batch,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day whose map counts; else today in the city."),
    ] = None,
    encoding: Encoded = Encoding.UTF_8,
    as_json: AsJson = False,
) -> None:
    """Find the areas of each row (定位).

    Columns: lon and lat, or code, or text; crs, scheme, layer, id if there.
    """
    rules = rules_of_city(city)
    day = on.date() if on else datetime.now(ZoneInfo(rules.bundle.city.zone)).date()
    locator = Locator(rules.bundle, day)
    answer_all(read_rows(batch, encoding, _NEEDED), locator.answer, words, as_json=as_json)


class Locator:
    """A city's map on a day, asked row by row."""

    def __init__(self, bundle: Bundle, day: date) -> None:
        self._bundle = bundle
        self._day = day
        self._book = CodeBook(bundle.areas)
        self._layers = frozenset(area.layer for area in bundle.areas.rows)

    def answer(self, cells: Mapping[str, str]) -> Answer | Refused:
        """Where the row lies, in all layers or in the one that it names."""
        layer = cells.get("layer", "")
        placed = look_up(sought(cells), self._bundle, self._book, self._day)
        if layer and layer not in self._layers:
            known = ", ".join(sorted(self._layers))
            wrong = Refusal(code="unknown_layer", expected=known, found=layer[:400])
            return (wrong, *placed) if isinstance(placed, tuple) else (wrong,)
        if isinstance(placed, tuple):
            return placed
        found = placed.location
        pairs = [pair for pair in found.areas if layer in ("", pair[0])]
        if layer and found.areas and not pairs:
            there = ", ".join(f"{code} in {name}" for name, code in found.areas)
            return (Refusal(code="not_in_layer", expected=f"an area of the layer {layer}", found=there),)
        answer = described(found, self._bundle)
        answer["areas"] = [self._area(name, code) for name, code in pairs]
        if placed.crs:
            answer["converted_from"] = placed.crs
        return answer

    def _area(self, layer: str, code: str) -> Answer:
        chain = self._bundle.areas.chain(code, self._day)
        ways = [{"code": area.code, "name": area.name, "kind": area.kind} for area in chain]
        return {"layer": layer, "code": code, "chain": ways}


def sought(cells: Mapping[str, str]) -> Sought:
    """What the row says about its place."""
    return Sought(**{name: cells[name] for name in Sought._fields if name in cells})


def described(found: Location, bundle: Bundle) -> Answer:
    """How sure the place is, by what it was found, what comes into question beside it, and its desk."""
    return {
        "confidence": found.confidence,
        "found_by": found.found_by,
        "nearby": [{"code": code, "metres": metres} for code, metres in found.nearby],
        "doubts": list(found.doubts),
        "desk": found.desk,
        "city_desk": found.desk == bundle.city.desk_area,
    }


def words(answer: Answer) -> str:
    """The answer for people, in one line."""
    ways = [
        f"{one['layer']} " + " < ".join(f"{area['name']} {area['code']}" for area in one["chain"])
        for one in answer["areas"]
    ]
    near = [f"near {one['code']} {one['metres']} m" for one in answer["nearby"][1:]]
    sure = f"{answer['confidence']} ‰ by {answer['found_by']}"
    return "; ".join([*(ways or [f"city desk {answer['desk']}"]), sure, *near, *answer["doubts"]])
