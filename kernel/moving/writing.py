"""Writes an export: part after part into a zip, the manifest last, its name once all of it is there."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from kernel.moving.lines import FORMAT, MANIFEST, README, VERSION, Manifest, Part

_LEVEL: Final = 1
_MODE: Final = 0o600
"""The file has the keys of sealed personal data in it, as the database has."""

_FLUSH_BYTES: Final = 1 << 20

WORDS: Final = """\
This file is a whole city of gridcase, taken out of its database while it stood still.

manifest.json     format, city, when, and of each part its lines, bytes and SHA-256 (of the unpacked part).
                  The SHA-256 of the manifest is the seal that `gridcase export` printed.
city.json         what was fixed when the city was founded
cursors.jsonl     each journal partition: its last row, the last numbers seen of and sent to each other
journals/*.jsonl  the events of each processor, by partition and number. "event" is the CloudEvent exactly as
                  it was published, "cause" the input that it answers: via, id, received, sender, topic,
                  offset (of the host of that time), origin, number, event that set the timer
timers.jsonl      timers that wait
held.jsonl        parked messages and dead letters
secrets.jsonl     keys and what they seal: whoever has this part can read the personal data
accesses.jsonl    who asked for personal data, what for, and the answer
editions/*.json   editions of the rules: section names and their SHA-256
sections/*.json   the sections, each under its SHA-256

Every .jsonl has one JSON object in a line. Where "encoding" is base64, bytes that were no JSON stand as text.
"""


class ExportWriter:
    """A zip in the making beside `path`; `finish` gives it that name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fresh = path.with_name(path.name + ".part")
        self._zip: ZipFile | None = None
        self._parts: list[Part] = []

    def __enter__(self) -> Self:
        descriptor = os.open(self._fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, _MODE)
        self._zip = ZipFile(os.fdopen(descriptor, "w+b"), "w", ZIP_DEFLATED, compresslevel=_LEVEL)
        self.body(README, WORDS.encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was not finished leaves no file."""
        if self._zip is not None:
            with suppress(OSError, ValueError):
                self._close(self._zip)
            self._fresh.unlink(missing_ok=True)

    def body(self, name: str, body: bytes) -> None:
        """A part of given bytes."""
        self._write(name, [body])

    def lines(self, name: str, lines: Iterable[Any]) -> int:
        """A part with a line for each of the structs; gives how many."""
        return self._write(name, (msgspec.json.encode(line) + b"\n" for line in lines))

    def seal(self, release: str, code: str, name: str, exported: datetime) -> str:
        """Write the manifest and force all of it to the disk; gives the seal."""
        made = Manifest(FORMAT, VERSION, release, code, name, exported, tuple(self._parts))
        body = msgspec.json.format(msgspec.json.encode(made), indent=1)
        self.body(MANIFEST, body)
        whole = self._open()
        file = whole.fp
        self._zip = None
        whole.close()
        assert file is not None
        file.flush()
        os.fsync(file.fileno())
        file.close()
        return sha256(body).hexdigest()

    def finish(self) -> None:
        """Give the sealed file its name; from now on it is the export."""
        self._fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open(self) -> ZipFile:
        assert self._zip is not None, "an export is written once, inside its `with`"
        return self._zip

    def _write(self, name: str, chunks: Iterable[bytes]) -> int:
        digest, size, lines = sha256(), 0, 0
        with self._open().open(_entry(name), "w", force_zip64=True) as out:
            waiting = bytearray()
            for chunk in chunks:
                waiting += chunk
                lines += 1
                if len(waiting) >= _FLUSH_BYTES:
                    digest.update(waiting)
                    size += out.write(waiting)
                    waiting.clear()
            digest.update(waiting)
            size += out.write(waiting)
        self._parts.append(Part(name, lines, size, digest.hexdigest()))
        return lines

    def _close(self, whole: ZipFile) -> None:
        file = whole.fp
        whole.close()
        if file is not None:
            file.close()


def _entry(name: str) -> ZipInfo:
    """The same city gives the same parts, whenever it is written."""
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = _MODE << 16
    return entry
