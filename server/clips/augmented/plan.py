"""Decide which clips a synthetic data set holds, and what each of them shows, from a seed alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ...protocol.limits import STRENGTHS
from ..records import ActionUnit, Side

MOST_VARIANTS = 20
MOST_ITEMS = 100_000
NOISE_LEVELS = (0.0, 32.0)
_MIRRORED: dict[Side, Side] = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Source:
    """An annotated source clip.

    `clip` is what a client takes: a path, or `builtin:NAME`. `sha256` is its content's. `fps` is
    frames per second; `onset`, `apex` and `offset` index the frames. `consent` says on what ground
    the clip may be used. `face` says which of several is meant, in the words of
    `protocol.faces`; `rest` is a picture of the same person at rest where the clip shows none, and
    `rest_sha256` its digest.
    """

    name: str
    clip: str
    sha256: str
    fps: Fraction
    frames: int
    onset: int | None
    apex: int | None
    offset: int | None
    units: tuple[ActionUnit, ...]
    emotion: str | None
    subject: str
    data_set: str
    consent: dict[str, Any] = field(compare=False)
    face: str = "largest"
    rest: str | None = None
    rest_sha256: str = ""

    @property
    def digest(self) -> str:
        """The digest of what is taken from it: its content, whose face, measured from what."""
        if self.face == "largest" and self.rest is None:
            return self.sha256
        told = f"{self.sha256}:{self.face}:{self.rest_sha256}"
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Character:
    """A neutral picture (H, W, 3) uint8 RGB; `kind` is `built-in`, `random`, `picture` or
    `blend`."""

    name: str
    kind: str
    neutral: NDArray[np.uint8] = field(compare=False, repr=False)

    @property
    def sha256(self) -> str:
        """The digest of the picture's size and samples."""
        size = ",".join(map(str, self.neutral.shape)).encode()
        return hashlib.sha256(size + self.neutral.tobytes()).hexdigest()


@dataclass(frozen=True)
class Settings:
    """What a run draws from.

    `variants` of each clip on each character; `strength` from these two (drawn evenly on a
    logarithmic scale), `mirror` whether half of them are mirrored, `noise` the sensor's in grey
    levels. `most` keeps so many of all, drawn from the seed; all if None.
    """

    seed: int = 0
    variants: int = 1
    strength: tuple[float, float] = (1.0, 1.0)
    mirror: bool = False
    noise: float = 1.0
    most: int | None = None

    def __post_init__(self) -> None:
        low, high = self.strength
        if not STRENGTHS[0] <= low <= high <= STRENGTHS[1]:
            raise InputError(
                f"A strength from {low:g} to {high:g}.", "Give 0.05 to 4, the lower one first."
            )
        if not 1 <= self.variants <= MOST_VARIANTS:
            raise InputError(f"{self.variants} variants.", f"Give 1 to {MOST_VARIANTS}.")
        if not NOISE_LEVELS[0] <= self.noise <= NOISE_LEVELS[1]:
            raise InputError(f"Noise of {self.noise:g} levels.", "Give 0 to 32 for --noise.")
        if self.most is not None and not 1 <= self.most <= MOST_ITEMS:
            raise InputError(f"At most {self.most} clips.", f"Give 1 to {MOST_ITEMS} for --most.")
        if not 0 <= self.seed < 2**32:
            raise InputError(f"A seed of {self.seed}.", "Give 0 to 4294967295.")


@dataclass(frozen=True)
class Item:
    """One clip to be made: its place (`subject`, `clip`), and what is put on whom, and how.

    `units` are the source's as this clip shows them. `key` is a digest of all that decides its
    pixels but the program itself.
    """

    subject: str
    clip: str
    source: Source
    character: Character
    variant: int
    strength: float
    mirrored: bool
    units: tuple[ActionUnit, ...]
    key: str

    @property
    def name(self) -> str:
        """The folder below the data set's pictures."""
        return f"sub{self.subject}/{self.clip}"


def planned(
    sources: Sequence[Source], characters: Sequence[Character], settings: Settings
) -> tuple[Item, ...]:
    """Return the clips to make, by character and source.

    What is drawn for a clip depends on the seed, the source, the character and the variant, not on
    what else is made. Raises InputError where there are none, or too many.
    """
    count = len(sources) * len(characters) * settings.variants
    if not count:
        raise InputError("There is nothing to make.", "Give clips and characters.")
    if count > MOST_ITEMS and settings.most is None:
        raise InputError(f"That makes {count} clips.", "Keep fewer with --most.")
    wide = max(2, len(str(len(sources))))
    items = [
        _item(f"{number:02d}", f"EP{place:0{wide}d}", source, character, variant, settings)
        for number, character in enumerate(characters, 1)
        for place, source in enumerate(sources, 1)
        for variant in range(settings.variants)
    ]
    if settings.most is not None and settings.most < len(items):
        kept = sorted(items, key=lambda item: item.key)[: settings.most]
        chosen = {item.key for item in kept}
        items = [item for item in items if item.key in chosen]
    return tuple(items)


def with_noise(
    frame: NDArray[np.uint8], item: Item, index: int, levels: float
) -> NDArray[np.uint8]:
    """Return a generated frame (H, W, 3) uint8 as the clip shows it: noisy, and mirrored if so."""
    if levels:
        rng = np.random.default_rng([int(item.key[:8], 16), index])
        noise = rng.standard_normal(frame.shape, np.float32) * np.float32(levels)
        frame = np.asarray(np.clip(frame + noise + np.float32(0.5), 0, 255), dtype=np.uint8)
    return np.ascontiguousarray(frame[:, ::-1] if item.mirrored else frame)


def shown(units: Sequence[ActionUnit], strength: float, mirrored: bool) -> tuple[ActionUnit, ...]:
    """Return a source's units as a clip of that strength shows them.

    Mirrored, left and right change places. A coder's letter of intensity holds for the source
    alone: at another strength there is none.
    """
    return tuple(
        replace(
            unit,
            side=_MIRRORED.get(unit.side, unit.side) if mirrored else unit.side,
            intensity=unit.intensity if strength == 1 else None,
        )
        for unit in units
    )


def plain(name: str) -> str:
    """Return a name for a folder: letters, digits, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60] or "clip"


def _item(
    subject: str, episode: str, source: Source, character: Character, variant: int, given: Settings
) -> Item:
    told = f"{given.seed}:{source.digest}:{source.fps}:{source.name}:{character.sha256}:{variant}"
    drawn = hashlib.sha256(told.encode()).digest()
    rng = np.random.default_rng(list(drawn))
    low, high = np.log(given.strength[0]), np.log(given.strength[1])
    strength = round(float(np.exp(rng.uniform(low, high))), 4)
    mirrored = bool(rng.random() < 0.5) and given.mirror
    settled = f"{told}:{strength}:{mirrored}:{given.noise}"
    return Item(
        subject,
        f"{episode}_{plain(source.name)}" + (f"_v{variant + 1}" if given.variants > 1 else ""),
        source,
        character,
        variant,
        strength,
        mirrored,
        shown(source.units, strength, mirrored),
        hashlib.sha256(settled.encode()).hexdigest(),
    )
