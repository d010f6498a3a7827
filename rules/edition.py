from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, get_type_hints

from msgspec import NODEFAULT, DecodeError, Raw, Struct, json
from msgspec.structs import fields, replace

from rules.admission import Entry
from rules.bundle import Bundle, Parts

FORMAT = 1
SECTIONS: Mapping[str, Any] = get_type_hints(Parts)
NEEDED = frozenset(field.name for field in fields(Parts) if field.default is NODEFAULT)
"""The sections that every edition has; the others are left out while they have no rows."""
_DECODERS = {name: json.Decoder(type_) for name, type_ in SECTIONS.items()}
_ENCODER = json.Encoder(order="sorted")


class BrokenEditionError(Exception):
    """The bytes of an edition are not what their hash says; fetch the edition again by its hash."""


class _Packed(Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    manifest: dict[str, str]
    sections: dict[str, Raw]


@dataclass(frozen=True, slots=True)
class Edition:
    """A published bundle (版本): a manifest of content-addressed sections. Equal sections are stored once."""

    hash: str
    manifest: Mapping[str, str]
    sections: Mapping[str, bytes]

    @classmethod
    def of(cls, parts: Parts) -> "Edition":
        """Rows to canonical bytes: rows and keys sorted, integers, every default written out."""
        ordered = canonical(parts)
        there = [name for name in SECTIONS if name in NEEDED or getattr(ordered, name)]
        encoded = {name: _ENCODER.encode(getattr(ordered, name)) for name in there}
        manifest = {name: sha256(body).hexdigest() for name, body in encoded.items()}
        return cls(_hash(manifest), manifest, {manifest[name]: body for name, body in encoded.items()})

    def with_entries(self, entries: tuple[Entry, ...]) -> "Edition":
        """The same edition with another admission register: every other section stays as it is stored."""
        body = _ENCODER.encode(tuple(sorted(entries, key=_entry_order)))
        digest = sha256(body).hexdigest()
        manifest = {**self.manifest, "entries": digest}
        kept = {name: self.sections[name] for name in manifest.values() if name != digest}
        return Edition(_hash(manifest), manifest, {**kept, digest: body})

    @classmethod
    def unpack(cls, body: bytes) -> "Edition":
        """The edition from its bytes; every hash is recomputed, what differs is a `BrokenEditionError`."""
        try:
            packed = json.decode(body, type=_Packed)
        except DecodeError as error:
            raise BrokenEditionError(str(error)) from error
        sections = {digest: bytes(raw) for digest, raw in packed.sections.items()}
        wrong = [digest for digest, raw in sections.items() if sha256(raw).hexdigest() != digest]
        missing = set(packed.manifest.values()) - set(sections)
        named = NEEDED <= packed.manifest.keys() <= SECTIONS.keys()
        if packed.format != FORMAT or wrong or missing or not named:
            raise BrokenEditionError(f"format {packed.format}, wrong {wrong}, missing {sorted(missing)}")
        return cls(_hash(packed.manifest), packed.manifest, sections)

    def pack(self) -> bytes:
        """One JSON document with manifest and sections: what is stored and loaded by hash."""
        sections = {digest: Raw(body) for digest, body in self.sections.items()}
        return _ENCODER.encode(_Packed(FORMAT, dict(self.manifest), sections))

    def load(self, known: Iterable[tuple[Mapping[str, str], Bundle]] = ()) -> Bundle:
        """The compiled bundle. One of `known`, by its manifest, lends all but its entries where it can."""
        for manifest, bundle in known:
            if {**manifest, "entries": ""} == {**self.manifest, "entries": ""}:
                rows = _DECODERS["entries"].decode(self.sections[self.manifest["entries"]])
                return bundle.with_entries(rows, self.hash)
        rows = {name: _DECODERS[name].decode(self.sections[digest]) for name, digest in self.manifest.items()}
        return Bundle(Parts(**rows), self.hash)


def canonical(parts: Parts) -> Parts:
    """The parts in the one order that is hashed; only the order of routes and calendars means something."""
    return replace(
        parts,
        areas=tuple(sorted(parts.areas, key=lambda area: (area.code, area.valid_from))),
        shapes=tuple(sorted(parts.shapes, key=lambda shape: (shape.area, shape.valid_from))),
        units=tuple(sorted(parts.units, key=lambda unit: (unit.code, unit.valid_from))),
        posts=tuple(sorted(parts.posts, key=lambda post: (post.code, post.valid_from))),
        pairings=tuple(sorted(parts.pairings, key=lambda row: (row.code, row.valid_from))),
        staffing=tuple(sorted(parts.staffing, key=lambda row: (row.kind, row.role))),
        matters=tuple(sorted(parts.matters, key=lambda matter: matter.code)),
        entries=tuple(sorted(parts.entries, key=_entry_order)),
        enforcement=tuple(sorted(parts.enforcement, key=lambda row: (row.level, row.step, row.valid_from))),
        policies=tuple(sorted(parts.policies, key=lambda policy: (policy.name, policy.mode))),
        templates=tuple(sorted(parts.templates, key=lambda template: (template.code, template.language))),
    )


def _entry_order(entry: Entry) -> tuple[str, int]:
    return entry.entry_id, entry.version


def _hash(manifest: Mapping[str, str]) -> str:
    return sha256(_ENCODER.encode({"format": FORMAT, "sections": manifest})).hexdigest()
