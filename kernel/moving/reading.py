"""Reads an export: checked as a whole before anything of it is believed."""

import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self, TypeVar
from zipfile import BadZipFile, ZipFile

import msgspec

from kernel.errors import ExportBroken, ExportNewer, NoExport
from kernel.moving.lines import FORMAT, MANIFEST, VERSION, Manifest, Part

T = TypeVar("T")

_CHUNK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 1 << 26
_UNREADABLE: Final = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
"""What reading a part of a damaged zip may raise."""


class Export:
    """An open export: its manifest, and its parts by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = ZipFile(path)
        except FileNotFoundError as error:
            raise NoExport(path, "no file") from error
        except (BadZipFile, OSError) as error:
            raise NoExport(path, "a file that was cut or is none of ours") from error
        try:
            self.manifest, self.seal = self._manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def check(self) -> None:
        """Raise unless every part that the manifest names is there, byte for byte, and no other."""
        names = [name for name in self._zip.namelist() if name != MANIFEST]
        known = {part.name for part in self.manifest.parts}
        strange = sorted({name for name in names if name not in known or names.count(name) > 1})
        if strange:
            raise ExportBroken(self.path, strange[0], "no part but those of the manifest", "one more")
        for part in self.manifest.parts:
            self._check(part)

    def body(self, name: str) -> bytes:
        """A part as a whole."""
        with self._reading(name) as file:
            return file.read()

    def names(self, folder: str) -> list[str]:
        """The parts of a folder."""
        return [part.name for part in self.manifest.parts if part.name.startswith(folder + "/")]

    def one(self, name: str, kind: type[T]) -> T:
        """A part that is one struct."""
        try:
            return msgspec.json.decode(self.body(name), type=kind)
        except msgspec.DecodeError as error:
            raise self.unreadable(name, str(error)) from error

    def lines(self, name: str, kind: type[T]) -> Iterator[T]:
        """The lines of a part, as structs."""
        decoder = msgspec.json.Decoder(kind)
        with self._reading(name) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield decoder.decode(line)
                except msgspec.DecodeError as error:
                    raise self.unreadable(name, f"line {number}: {error}") from error

    def unreadable(self, name: str, found: str) -> ExportBroken:
        """The refusal of a part that is whole and says nothing that we understand."""
        return ExportBroken(self.path, name, "what a release of ours writes", found)

    def _manifest(self) -> tuple[Manifest, str]:
        try:
            if self._zip.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
                raise NoExport(self.path, f"a {MANIFEST} that is too large")
            body = self._zip.read(MANIFEST)
            found = msgspec.json.decode(body, type=_Head)
            if found.format != FORMAT:
                raise NoExport(self.path, f"a file of another kind ({found.format})")
            if found.version > VERSION:
                raise ExportNewer(self.path, VERSION, found.version)
            return msgspec.json.decode(body, type=Manifest), sha256(body).hexdigest()
        except KeyError as error:
            raise NoExport(self.path, f"a zip without {MANIFEST}") from error
        except (*_UNREADABLE, msgspec.DecodeError) as error:
            raise ExportBroken(self.path, MANIFEST, "a manifest as it was written", _words(error)) from error

    def _check(self, part: Part) -> None:
        digest, size, lines = sha256(), 0, 0
        with self._reading(part.name) as file:
            while size <= part.bytes and (chunk := file.read(_CHUNK)):
                digest.update(chunk)
                size += len(chunk)
                lines += chunk.count(b"\n")
        if size != part.bytes:
            found = f"{size} bytes" if size < part.bytes else "more"
            raise ExportBroken(self.path, part.name, f"{part.bytes} bytes", found)
        if digest.hexdigest() != part.sha256:
            found = f"SHA-256 {digest.hexdigest()[:16]}…"
            raise ExportBroken(self.path, part.name, f"SHA-256 {part.sha256[:16]}…", found)
        if part.name.endswith(".jsonl") and lines != part.lines:
            raise ExportBroken(self.path, part.name, f"{part.lines} lines", f"{lines} lines")

    @contextmanager
    def _reading(self, name: str) -> Generator[IO[bytes]]:
        try:
            with self._zip.open(name) as file:
                yield file
        except KeyError as error:
            raise ExportBroken(self.path, name, "this part", "none") from error
        except _UNREADABLE as error:
            raise ExportBroken(self.path, name, "bytes as they were written", _words(error)) from error


class _Head(msgspec.Struct, frozen=True):
    """What every manifest has, also one of a release to come."""

    format: str
    version: int


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
