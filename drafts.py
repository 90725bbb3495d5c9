"""Drafts: folders beside an output to write into before it is moved into place in one step.

A draft's name holds its maker's process number, so that the next run can remove what a killed one
had to leave. Where an output is of several parts, the moves are written down in the draft before
the first of them is made: whoever finds such a draft of a killed run finishes them. A single file's
draft is a file beside it.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import InputError

#: File in a draft that lists the moves to make.
MOVES = "moves.json"


def make_draft(out: Path) -> Path:
    """Return a new folder beside `out`; drafts of `out` whose makers are gone are removed.

    Raises OSError where the folder that `out` lies in cannot be made or written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.draft-"
    left = [
        one
        for one in sorted(out.parent.glob(f"{glob.escape(prefix)}*"))
        if _is_left(one.name.removeprefix(prefix))
    ]
    for one in left:
        if (one / MOVES).exists():
            with contextlib.suppress(ValueError):  # cut off: none of its moves was made
                _make_moves(one)
    for one in left:
        _remove(one)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=out.parent))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises InputError where it cannot be written."""
    aside = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}).", "Give another place."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # a disk that cannot be written: there is none
            aside.unlink(missing_ok=True)


def move_all(draft: Path, moves: Mapping[str, str]) -> None:
    """Move parts of a draft into place, all of them or none, also when the process is killed.

    `moves` are from places relative to the draft to names beside it, made in that order; what is
    there already is replaced. After a kill in the middle the next `make_draft` makes the rest.
    Raises OSError where a move cannot be made; those before it are taken back.
    """
    aside = draft / f"{MOVES}.part"
    with aside.open("w", encoding="utf-8") as file:
        json.dump(dict(moves), file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(draft / MOVES)
    try:
        _make_moves(draft)
    finally:
        (draft / MOVES).unlink()


def _make_moves(draft: Path) -> None:
    moves: dict[str, str] = json.loads((draft / MOVES).read_text(encoding="utf-8"))
    made: list[tuple[Path, Path]] = []
    try:
        for source, name in moves.items():
            part, place = draft / source, draft.parent / name
            if not part.exists():
                continue  # made already, by the run that was killed
            if place.exists():
                kept = Path(tempfile.mkdtemp(prefix="replaced-", dir=draft)) / place.name
                if place.is_dir():
                    place.rename(kept)
                else:  # what stands there must never be missing
                    shutil.copy2(place, kept)
                made.append((place, kept))
            part.replace(place)
            made.append((part, place))
    except OSError:
        for old, new in reversed(made):
            new.replace(old)
        raise


def _is_left(name: str) -> bool:
    maker = name.partition("-")[0]
    return maker.isdecimal() and not _is_alive(int(maker))


def _remove(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)


def _is_alive(process_id: int) -> bool:
    """Whether a process runs; when in doubt, yes."""
    if os.name != "posix":
        return True
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
