"""The faces that source clips are put on: built-in heads, heads drawn from a seed, pictures."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ....head.identity import IDENTITIES, Identity, random_identity
from ..builtin import cache_folder, drawn, fingerprint
from ..images import as_png, read_picture
from .plan import Character

#: Prefix of heads that are drawn from the seed: `random:20` is twenty of them.
RANDOM = "random:"
MOST_RANDOM = 1000
#: Width and height of a head's picture in pixels.
SIZES = (128, 1024)


def head_names(given: str) -> tuple[str, ...] | None:
    """Return the heads that `all`, a built-in head's name or `random:N` stands for.

    None where it is none of these. Raises InputError for a number that is none.
    """
    if given == "all":
        return tuple(IDENTITIES)
    if given in IDENTITIES:
        return (given,)
    if not given.startswith(RANDOM):
        return None
    count = given.removeprefix(RANDOM)
    if not count.isdecimal() or not 1 <= int(count) <= MOST_RANDOM:
        raise InputError(f"The characters {given!r}.", f"Give {RANDOM}1 to {RANDOM}{MOST_RANDOM}.")
    return tuple(f"random-{number:03d}" for number in range(1, int(count) + 1))


def head_character(name: str, seed: int, pixels: int, *, cache: Path | None = None) -> Character:
    """Return a head's neutral picture (pixels, pixels, 3); `random-007` is the seventh of a seed.

    It is taken from `cache` (the user's cache folder if None) or else drawn, and kept there where
    that is possible. Raises InputError for another size than 128 to 1024.
    """
    if not SIZES[0] <= pixels <= SIZES[1]:
        raise InputError(f"A size of {pixels} pixels.", "Give 128 to 1024 for --size.")
    identity: Identity | str = name
    kind, told = "built-in", name
    if name not in IDENTITIES:
        number = int(name.removeprefix("random-"))
        identity = random_identity(np.random.default_rng([seed, number, 200]))
        kind, told = "random", f"{name}-{seed}"
    folder = cache_folder() if cache is None else cache
    path = folder / f"head-{told}-{pixels}-{fingerprint()}.png"
    picture = _kept(path, pixels)
    if picture is None:
        picture = next(drawn(identity, {}, 1, pixels))
        _keep(path, picture)
    return Character(name, kind, picture)


def _kept(path: Path, pixels: int) -> NDArray[np.uint8] | None:
    """Return a kept picture; None where there is none or the file is damaged."""
    try:
        picture = read_picture(path)
    except InputError:
        return None
    return picture if picture.shape == (pixels, pixels, 3) else None


def _keep(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture, aside and renamed; a folder that refuses is no harm."""
    aside = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(as_png(picture))
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def picture_character(path: Path) -> Character:
    """Return a picture of a character at rest; raises InputError where it cannot be used."""
    if not path.is_file():
        raise InputError(
            f"There is no character {str(path)!r}.",
            f"Give a picture, a .blend, a built-in head ({', '.join(IDENTITIES)}), all, or "
            f"{RANDOM}N.",
        )
    return Character(path.stem, "picture", read_picture(path))
