"""Find a clip's pictures in a copy of a data set, wherever a release has put them."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ....errors import InputError
from ..images import PICTURE_SUFFIXES, natural_key
from ..video import VIDEO_SUFFIXES
from .cells import subject_key

#: A safeguard against being pointed at a whole disk.
MAX_FOLDERS = 500_000


@dataclass(frozen=True)
class Place:
    """A folder of pictures or a video file; `parts` lead to it, without a video's ending."""

    path: Path
    parts: tuple[str, ...]
    is_video: bool

    @cached_property
    def frames(self) -> tuple[Path, ...]:
        """The folder's pictures in natural order; none for a video."""
        if self.is_video:
            return ()
        return tuple(
            sorted(
                (
                    Path(entry.path)
                    for entry in os.scandir(self.path)
                    if entry.name.lower().endswith(PICTURE_SUFFIXES)
                    and not entry.name.startswith(".")
                    and not entry.is_symlink()
                ),
                key=natural_key,
            )
        )

    @cached_property
    def index_of(self) -> dict[int, int]:
        """Index in `frames` by the number that a picture's name ends with."""
        return {
            number: index
            for index, path in reversed(list(enumerate(self.frames)))
            if (number := frame_number(path)) is not None
        }


def frame_number(path: Path) -> int | None:
    """Return the number that a picture's name ends with: 46 of `img46.jpg`, 1 of `a3_001.jpg`."""
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1]) if numbers else None


@dataclass(frozen=True)
class Subject:
    """A folder's name that stands for a subject: `sub01`, `s1`, `001` or `spNO.1`, all alike."""

    name: str


#: The end of a path to a clip: names compared without case (one that ends with `*` by
#: its beginning), or a subject.
Tail = Sequence[str | Subject]


class Folders:
    """Every place below a folder where a clip could be.

    Links are not followed; `links` are those that were met. A part of a path in which the regular
    expression `excluded` finds something is left out. Raises InputError where the folder is not
    one, or holds far too much.
    """

    def __init__(self, root: Path, excluded: str | None = None) -> None:
        if not root.is_dir():
            raise InputError(f"There is no folder {root}.", "Give the folder of your own copy.")
        self.root = root
        self.links: list[Path] = []
        self._places: defaultdict[str, list[Place]] = defaultdict(list)
        for count, (folder, inner, files) in enumerate(os.walk(root)):
            if count > MAX_FOLDERS:
                raise InputError(
                    f"{root} holds more than {MAX_FOLDERS} folders.", "Give the data set's own."
                )
            here = Path(folder)
            self.links += [here / name for name in inner if (here / name).is_symlink()]
            inner[:] = sorted(
                name
                for name in inner
                if not name.startswith((".", "__MACOSX"))
                and not (excluded and re.search(excluded, name, re.I))
            )
            parts = here.relative_to(root).parts
            if parts and any(name.lower().endswith(PICTURE_SUFFIXES) for name in files):
                self._add(Place(here, parts, False))
            for name in files:
                if name.lower().endswith(VIDEO_SUFFIXES) and not name.startswith("."):
                    self._add(Place(here / name, (*parts, Path(name).stem), True))

    def find(self, tail: Tail) -> list[Place]:
        """Return the places whose paths end so: folders before videos, uncropped before cropped."""
        last = tail[-1]
        if isinstance(last, Subject) or "*" in last:
            places = [place for some in self._places.values() for place in some]
        else:
            places = self._places.get(last.lower(), [])
        fitting = [place for place in places if _fits(place.parts, tail)]
        return sorted(fitting, key=_worth)

    def _add(self, place: Place) -> None:
        self._places[place.parts[-1].lower()].append(place)


def check_name(name: str, source: str, field: str) -> None:
    """Refuse a name in a sheet that would lead out of the data set's folder.

    Raises InputError for `..`, absolute paths, drives and control characters.
    """
    parts = re.split(r"[\\/]", name)
    if ".." in parts or name.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", name):
        raise InputError(
            f"{source}: the {field} {name!r} leads out of the folder.", "Mend that row."
        )
    if not name.isprintable():
        raise InputError(f"{source}: the {field} {name!r} is no file's name.", "Mend that row.")


def _fits(parts: Sequence[str], tail: Tail) -> bool:
    if len(parts) < len(tail):
        return False
    for name, sought in zip(parts[len(parts) - len(tail) :], tail, strict=True):
        if isinstance(sought, Subject):
            if subject_key(name) != subject_key(sought.name):
                return False
        elif sought.endswith("*"):
            if not name.lower().startswith(sought[:-1].lower()):
                return False
        elif name.lower() != sought.lower():
            return False
    return True


def _worth(place: Place) -> tuple[bool, bool, int, tuple[str, ...]]:
    cropped = any(re.search("crop|align", part, re.I) for part in place.parts)
    return place.is_video, cropped, len(place.parts), place.parts
