"""The clip library: import, search, consent."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError, RunError
from ..clip import Clip
from ..images import as_png
from ..limits import LONG, Budget
from ..records import ClipRecord
from ..stream import pictures_in
from .consent import Consent, Status, consents_from_json, consents_to_json, status_of
from .entry import Entry, cut_out
from .index import Index
from .profile import Profile, read_profile
from .query import Query
from .store import Store
from .thumbnails import as_webp, strip, strip_indexes

#: Opens a clip (path, frames per second) to see that it can be used.
Decode = Callable[[Path, Fraction | None], AbstractContextManager[Clip]]

_MARK, _CONSENTS = "library.json", "consents.json"
#: A record of a longer recording is cut to its event with this margin.
_MARGIN_SECONDS, _LONGEST_SECONDS = 1.0, 10.0


class ClipLibrary:
    """A library in a folder, which is made where there is none and `create` says so.

    `decode` reads clips; the decode sandbox if None. Use it in a `with` statement. Raises
    InputError where the folder is no library.
    """

    def __init__(self, folder: Path, *, create: bool = False, decode: Decode | None = None) -> None:
        mark = folder / _MARK
        if not mark.exists():
            if not create:
                raise InputError(
                    f"{folder} is no clip library.", "Import a clip: microface clip import."
                )
            _begin(folder)
        self.folder = folder
        #: Files of annotations that are damaged, and stand in no list.
        self.unread: tuple[Path, ...] = ()
        self._store = Store(folder)
        self._decode = decode or _decode_in_sandbox
        try:
            self._index = Index(folder / "index.sqlite")
            self._adopt()
        except RunError:
            if not (folder / "index.sqlite").exists():
                raise
            # A disk that cannot be written may still be read.
            self._index = Index(folder / "index.sqlite", read_only=True)

    def __enter__(self) -> ClipLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self._index.close()

    def import_clip(self, record: ClipRecord, *, own_rate: bool = False) -> tuple[Entry, bool]:
        """Bring a clip in; return its entry, and whether it is new.

        The clip is copied, decoded once to see that it can be read, and moved into place in one
        step. Importing it again adds nothing. With `own_rate` a video's own frame rate and time
        stamps count, not the record's. Raises InputError where it cannot be used.
        """
        record = cut_out(record, _MARGIN_SECONDS, _LONGEST_SECONDS)
        is_video = record.frames is None
        files = [record.path] if record.frames is None else list(record.frames)
        if not files:
            raise InputError(
                f"The pictures of {record.subject} {record.clip} are missing.", "Add them."
            )
        _check_cost(record, files)
        draft, sha256 = self._store.bring(files, is_video=is_video)
        try:
            for there in self._index.starting(sha256):
                if _same(there, record, own_rate):
                    return there, False
            source = draft / "source"
            if is_video:
                source = source / record.path.name
            try:
                entry, picture = self._look(source, record, sha256, own_rate)
            except InputError as error:  # of the copy; it is the original that has to be mended
                where = str(record.path)
                raise InputError(
                    error.what.replace(str(source), where), error.remedy.replace(str(source), where)
                ) from error
            self._store.commit(draft, entry, picture)
            self._index.add([entry])
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return entry, True

    def find(self, query: Query | None = None) -> list[Entry]:
        """Return the entries that fit, all if None."""
        return self._index.find(query or Query())

    def one(self, beginning: str) -> Entry:
        """Return the one entry whose id or content's digest begins so; raises InputError."""
        found = self._index.starting(beginning)
        if len(found) == 1:
            return found[0]
        many = f"{len(found)} clips begin with {beginning}." if found else f"No clip {beginning}."
        raise InputError(many, "See the ids with: microface clip list.")

    def source(self, entry: Entry) -> Path:
        """Return the folder of pictures or the video of an entry."""
        return self._store.source(entry.sha256)

    def strip(self, entry: Entry) -> Path:
        """Return the file of an entry's strip of thumbnails (WebP)."""
        return self._store.strip(entry)

    def profile(self, entry: Entry) -> Profile | None:
        """Return how an entry's face moves, None where it was not measured."""
        return read_profile(self._store.profile(entry))

    def keep_profile(self, entry: Entry, profile: Profile) -> None:
        """Keep how an entry's face moves, instead of an earlier one."""
        self._store.keep(self._store.profile(entry), profile.to_json().encode())

    def neutral(self, entry: Entry) -> Path | None:
        """Return the picture of an entry's person at rest, None where it is in the clip itself."""
        path = self._store.neutral(entry)
        return path if path.exists() else None

    def keep_neutral(self, entry: Entry, picture: NDArray[np.uint8]) -> None:
        """Keep a picture (H, W, 3) of an entry's person at rest, instead of an earlier one.

        What was measured from another neutral is forgotten.
        """
        self._store.keep(self._store.neutral(entry), as_png(picture))
        self._store.profile(entry).unlink(missing_ok=True)

    def damaged(self) -> list[Entry]:
        """Return the entries whose stored files no longer have their digest, or whose annotation
        is not what it was."""
        return [
            e
            for e in self.find()
            if self._store.read(self._store.annotation(e)) != e or not self._store.whole(e.sha256)
        ]

    def set_consent(self, data_set: str, subject: str, consent: Consent) -> None:
        """Keep what a subject of a data set has agreed to, in the index and beside it."""
        self._index.set_consent(data_set, subject, consent)
        self._write_consents()

    def consent(self, entry: Entry, today: datetime.date | None = None) -> Status:
        """Return where the consent of an entry's subject stands."""
        return self.consents(today)(entry)

    def consent_record(self, entry: Entry) -> Consent | None:
        """Return what an entry's subject has agreed to, None where nothing is known."""
        return self._index.consents().get((entry.data_set, entry.subject))

    def consents(self, today: datetime.date | None = None) -> Callable[[Entry], Status]:
        """Return what tells an entry's consent on a day, today if None."""
        day = today or datetime.date.today()
        known = self._index.consents()
        return lambda e: status_of(known.get((e.data_set, e.subject)), e.data_set, day)

    def _look(
        self, source: Path, record: ClipRecord, sha256: str, own_rate: bool
    ) -> tuple[Entry, bytes]:
        """Return the entry of a clip that was copied, and its strip of thumbnails."""
        with self._decode(source, None if own_rate else record.fps) as clip:
            width, height = clip.size
            indexes = strip_indexes(len(clip), record.onset, record.apex, record.offset)
            entry = Entry(
                sha256, record.subject, record.clip, record.data_set, clip.fps, len(clip), width,
                height, round(clip.seconds, 6), record.onset, record.apex, record.offset,
                record.units, record.emotion, record.valence, record.kind,
                (*record.notes, *clip.notes), record.source, record.face,
            )  # fmt: skip
            return entry, as_webp(strip(clip.frames, indexes))

    def _adopt(self) -> None:
        """Bring the index to what is on the disk: a run may have been killed between the two."""
        # The index first: what it holds was on the disk before, so another's import is no loss.
        known = self._index.ids()
        there = dict(self._store.entries())
        if gone := known - set(there):
            self._index.remove(gone)
        fresh = {there[i]: self._store.read(there[i]) for i in sorted(set(there) - known)}
        self.unread = tuple(path for path, entry in fresh.items() if entry is None)
        if found := [entry for entry in fresh.values() if entry is not None]:
            self._index.add(found)
        if not self._index.consents():
            for (data_set, subject), consent in self._kept_consents().items():
                self._index.set_consent(data_set, subject, consent)

    def _write_consents(self) -> None:
        text = consents_to_json(self._index.consents())
        self._store.keep(self.folder / _CONSENTS, text.encode())

    def _kept_consents(self) -> dict[tuple[str, str], Consent]:
        path = self.folder / _CONSENTS
        if not path.exists():
            return {}
        try:
            return consents_from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} is damaged.", "Put a copy back, or delete it and give the consents again."
            ) from error


def clip_record(
    path: Path, fps: Fraction | None, *, subject: str = "", data_set: str = ""
) -> ClipRecord:
    """Return the record of a clip that nobody has annotated: a folder of pictures or a video.

    Raises InputError where there is nothing, or a folder without `fps`.
    """
    if not path.exists():
        raise InputError(f"There is no clip at {path}.", "Give a folder of pictures or a video.")
    frames = tuple(pictures_in(path)) if path.is_dir() else None
    if frames is not None and fps is None:
        raise InputError(
            f"The pictures in {path} do not say how fast they were taken.",
            "Give --fps, for example --fps 200.",
        )
    name = path.name if frames is not None else path.stem
    return ClipRecord(
        subject, name, path, frames, fps or Fraction(25), None, None, None, (), None, None, data_set
    )


def _begin(folder: Path) -> None:
    """Make a folder a library; raises InputError where it cannot be one."""
    try:
        # Another run may be making it one at this moment, mark first.
        if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
            raise InputError(f"{folder} holds something else.", "Give an empty folder.")
        folder.mkdir(parents=True, exist_ok=True)
        told = json.dumps({"microface clip library": 1}) + "\n"
        (folder / _MARK).write_text(told, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made a clip library ({error.strerror}).", "Give another folder."
        ) from error


def _check_cost(record: ClipRecord, files: list[Path]) -> None:
    """Refuse what is too large before it is copied."""
    Budget(str(record.path), record.fps, LONG).expect(len(files))
    for file in files:
        try:
            size = file.stat().st_size
        except OSError as error:
            raise InputError(
                f"{file} cannot be read ({error.strerror}).", "Check the path and its permissions."
            ) from error
        if size > LONG.max_file_bytes:
            raise InputError(
                f"{file} has {size / 1e6:.0f} MB, over the limit of "
                f"{LONG.max_file_bytes / 1e6:.0f} MB.",
                "Cut it to the expression.",
            )


def _same(entry: Entry, record: ClipRecord, own_rate: bool) -> bool:
    """Whether an entry of the same content says what a record says, wherever that was written."""
    return (own_rate or entry.fps == record.fps) and all(
        getattr(entry, name) == getattr(record, name)
        for name in (
            "subject", "clip", "data_set", "onset", "apex", "offset", "units", "emotion", "kind",
            "face",
        )
    )  # fmt: skip


def _decode_in_sandbox(path: Path, fps: Fraction | None) -> AbstractContextManager[Clip]:
    from ...sandbox import SandboxLimits, decoded

    return decoded(path, fps, SandboxLimits(clip=LONG, processor_seconds=600, seconds=600.0))
