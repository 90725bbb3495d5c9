"""Where the library keeps a clip: a folder named by the digest of its content.

    clips/ab/<sha256>/source/      the pictures, or the one video
    clips/ab/<sha256>/entries/     an annotation each, <id>.json
    clips/ab/<sha256>/strips/      a strip of thumbnails each, <id>.webp
    clips/ab/<sha256>/profiles/    a motion profile each that was measured, <id>.json
    clips/ab/<sha256>/neutrals/    the person at rest, where another clip shows it, <id>.png

A new folder is written in `incoming/` and moved into place in one step, with its first annotation
in it: that step is the import. Whatever a killed run leaves in `incoming/` is removed by the next.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ....drafts import make_draft
from ....errors import InputError
from .entry import Entry, entry_from_json


class Store:
    """The clips below a library's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, sha256: str) -> Path:
        """Return the folder of a content; it need not exist."""
        return self.folder / "clips" / sha256[:2] / sha256

    def source(self, sha256: str) -> Path:
        """Return what reading the clip takes: its folder of pictures, or its video."""
        inside = self.place(sha256) / "source"
        if (inside / "video.json").exists():
            return next(path for path in inside.iterdir() if path.name != "video.json")
        return inside

    def annotation(self, entry: Entry) -> Path:
        """Return the file that an entry is kept in."""
        return self.place(entry.sha256) / "entries" / f"{entry.id}.json"

    def strip(self, entry: Entry) -> Path:
        """Return the file of an entry's thumbnail strip."""
        return self.place(entry.sha256) / "strips" / f"{entry.id}.webp"

    def profile(self, entry: Entry) -> Path:
        """Return the file of an entry's motion profile; it is there once it was measured."""
        return self.place(entry.sha256) / "profiles" / f"{entry.id}.json"

    def neutral(self, entry: Entry) -> Path:
        """Return the file of an entry's neutral; it is there if it came from another clip."""
        return self.place(entry.sha256) / "neutrals" / f"{entry.id}.png"

    def keep(self, path: Path, data: bytes) -> None:
        """Write a file of the library, whole or not at all."""
        self._put(path, data)

    def bring(self, files: Sequence[Path], *, is_video: bool) -> tuple[Path, str]:
        """Copy a clip's files into a draft; return the draft and the content's SHA-256.

        Pictures are hashed in the order given, each after its length (8 bytes, little-endian), a
        video as it is: as reading a clip does. Raises InputError where a file cannot be read.
        """
        draft = make_draft(self.folder / "incoming" / "clip")
        try:
            sha256 = _copied(files, draft / "source", each_with_length=not is_video)
            if is_video:
                (draft / "source" / "video.json").write_text("{}\n", encoding="utf-8")
        except BaseException as error:  # Ctrl-C too leaves nothing
            shutil.rmtree(draft, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            raise InputError(
                f"{error.filename or files[0]} cannot be copied ({error.strerror}).",
                "Check the clip and the library's disk.",
            ) from error
        return draft, sha256

    def commit(self, draft: Path, entry: Entry, strip: bytes) -> None:
        """Move a draft into place with its entry; where the content is there, add the entry."""
        place = self.place(entry.sha256)
        if not place.exists():
            for name, data in ((f"entries/{entry.id}.json", entry.to_json().encode()),
                               (f"strips/{entry.id}.webp", strip)):  # fmt: skip
                (draft / name).parent.mkdir()
                _write(draft / name, data)
            draft.chmod(0o755)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.rename(place)
            except OSError:  # another import of the same clip was quicker
                if not place.exists():
                    raise
            else:
                _keep_name(place.parent)
                return
        self.annotate(entry, strip)
        shutil.rmtree(draft, ignore_errors=True)

    def annotate(self, entry: Entry, strip: bytes) -> None:
        """Add an entry to a content that is there."""
        self._put(self.strip(entry), strip)
        self._put(self.annotation(entry), entry.to_json().encode())

    def entries(self) -> Iterator[tuple[str, Path]]:
        """Give the id and the file of every entry on the disk."""
        for path in sorted((self.folder / "clips").glob("*/*/entries/*.json")):
            yield path.stem, path

    def read(self, path: Path) -> Entry | None:
        """Return the entry in a file, or None where it is damaged or not what its name says."""
        try:
            entry = entry_from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return entry if entry.id == path.stem else None

    def whole(self, sha256: str) -> bool:
        """Whether the stored files still have the digest that they are stored by."""
        from ..stream import pictures_in, pictures_sha256

        source = self.source(sha256)
        if source.is_file():
            return hashlib.sha256(source.read_bytes()).hexdigest() == sha256
        return pictures_sha256(pictures_in(source)) == sha256

    def _put(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        _write(aside, data)
        aside.replace(path)


def _copied(files: Sequence[Path], into: Path, *, each_with_length: bool) -> str:
    """Copy files into a new folder, down to the disk; return their digest."""
    into.mkdir()
    digest = hashlib.sha256()
    for file in files:
        if each_with_length:
            digest.update(file.stat().st_size.to_bytes(8, "little"))
        _copy(file, into / file.name, digest)
    # All at once in the end: a disk is far quicker with a thousand files than one by one.
    for file in into.iterdir():
        _keep(file)
    return digest.hexdigest()


def _copy(source: Path, target: Path, digest: hashlib._Hash) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        while piece := read.read(1 << 20):
            digest.update(piece)
            written.write(piece)


def _keep(path: Path) -> None:
    """Have a file's content reach the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _keep_name(folder: Path) -> None:
    """Have a folder's new names reach the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
