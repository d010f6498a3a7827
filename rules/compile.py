from rules.bundle import Bundle, Parts
from rules.check import check
from rules.edition import Edition
from rules.faults import UNREAD, Fault, Faults
from rules.reading.areas import read_areas, read_shapes
from rules.reading.calendars import read_calendars
from rules.reading.city import read_bounds, read_city, read_kinds
from rules.reading.codes import gather
from rules.reading.entries import read_enforcement, read_entries
from rules.reading.matters import read_matters
from rules.reading.units import read_pairings, read_posts, read_staffing, read_units
from rules.reading.words import read_policies, read_routes, read_templates
from rules.rows import Folder


def compile_rows(folder: Folder) -> Bundle | Faults:
    """The bundle of a city's rows, or everything that is wrong with them; between rows only if all were read.

    The order of rows in a file does not change the hash.
    """
    faults = list(folder.faults)
    parts = _parts(folder, faults)
    if not any(fault.code in UNREAD for fault in folder.faults):
        faults += check(parts, folder)
    if faults:
        return Faults.of(faults)
    return Edition.of(parts).load()


def _parts(folder: Folder, faults: list[Fault]) -> Parts:
    kinds = read_kinds(folder, faults)
    levels = {kind.code: kind.level for kind in kinds}
    codes = gather(folder, levels, frozenset(kind.code for kind in kinds if kind.guarded))
    city = read_city(folder, kinds, codes, faults)
    areas = read_areas(folder, codes, faults)
    return Parts(
        city=city,
        bounds=read_bounds(folder, faults),
        areas=areas,
        shapes=read_shapes(folder, areas, faults),
        units=read_units(folder, codes, faults),
        posts=read_posts(folder, codes, faults),
        pairings=read_pairings(folder, codes, faults),
        staffing=read_staffing(folder, codes, faults),
        matters=read_matters(folder, codes, city.limit_words, faults),
        entries=read_entries(folder, codes, faults),
        enforcement=read_enforcement(folder, codes, faults),
        calendars=read_calendars(folder, codes, city.zone, faults),
        policies=read_policies(folder, codes, city.limit_words, faults),
        routes=read_routes(folder, codes, faults),
        templates=read_templates(folder, city.languages, faults),
    )
