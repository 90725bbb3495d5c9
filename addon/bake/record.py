"""What a bake keeps of itself in the file, so that it can be edited without the server.

It lies on the bake's action in two custom properties: `microface_bake`, JSON as `BakeRecord`
says, and `microface_samples`, zlib-compressed little-endian float64: T times in seconds, then
T x S weights row by row. Nothing is rounded.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.channels import Channel, Target
from .retime import Moments, Timing
from .time import TimeBase

#: Custom properties of a bake's action.
RECORD = "microface_bake"
SAMPLES = "microface_samples"
VERSION = 1


@dataclass(frozen=True)
class Settings:
    """What can be edited after a bake.

    `start_frame` scene frame of the clip's start; `strength` multiplies the weights (0 to 4);
    `balance` -1 (the character's right alone) to 1 (its left alone); `timing`; `muted`.
    """

    start_frame: float = 1.0
    strength: float = 1.0
    balance: float = 0.0
    timing: Timing = field(default_factory=Timing)
    muted: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 4:
            raise InputError(f"A strength of {self.strength:g} cannot be used.", "Give 0 to 4.")
        if not -1 <= self.balance <= 1:
            raise InputError(
                f"A balance of {self.balance:g} cannot be used.",
                "Give -1 (the character's right alone) to 1 (its left alone).",
            )
        if not abs(self.start_frame) <= 1_000_000:
            raise InputError(
                f"A start at frame {self.start_frame:g} cannot be used.",
                "Blender's timeline ends at frame 1048574.",
            )


@dataclass(frozen=True, eq=False)  # one object is one record: what is worked out is kept by it
class BakeRecord:
    """A bake as it was solved, and its settings.

    `order` counts the file's bakes: later ones lie over earlier ones. `clip` and `object_name` as
    they were called; `layer` "action" or "nla"; `fps` and `stretch` of the scene (see `TimeBase`);
    `tolerance` (weight) and `whole_frames` of the curves; `moments` of the expression; `channels`
    (S) with their `sides`; `times` (T,) seconds and `weights` (T,S) float64 as solved.
    """

    order: int
    clip: str
    object_name: str
    layer: str
    fps: Fraction
    stretch: Fraction
    tolerance: float
    whole_frames: bool
    moments: Moments
    channels: tuple[Channel, ...]
    sides: tuple[str, ...]
    times: NDArray[np.float64]
    weights: NDArray[np.float64]
    settings: Settings = field(default_factory=Settings)

    @property
    def time_base(self) -> TimeBase:
        """Where the clip lies on the timeline."""
        return TimeBase(self.fps, self.settings.start_frame, self.stretch)

    def with_settings(self, settings: Settings) -> BakeRecord:
        """Return the same bake with other settings."""
        return replace(self, settings=settings)


def is_bake(action: Any) -> bool:
    """Return whether an action holds a bake's record."""
    return action is not None and RECORD in action


def write_record(action: Any, record: BakeRecord) -> None:
    """Keep a record on its action."""
    head = {
        "version": VERSION,
        "order": record.order,
        "clip": record.clip,
        "object": record.object_name,
        "layer": record.layer,
        "fps": str(record.fps),
        "stretch": str(record.stretch),
        "tolerance": record.tolerance,
        "whole_frames": record.whole_frames,
        "moments": asdict(record.moments),
        "settings": asdict(record.settings),
        "frames": len(record.times),
        "channels": [
            {**asdict(channel), "side": side}
            for channel, side in zip(record.channels, record.sides, strict=True)
        ],
    }
    action[RECORD] = json.dumps(head)
    if SAMPLES not in action:
        flat = np.concatenate([record.times, record.weights.ravel()]).astype("<f8")
        action[SAMPLES] = zlib.compress(flat.tobytes(), 9)


def read_record(action: Any) -> BakeRecord:
    """Return the record that lies on an action; raises `InputError` for a damaged one."""
    try:
        return _parsed(str(action[RECORD]), bytes(action[SAMPLES]))
    except _OtherVersionError as other:
        raise InputError(
            f"The bake '{action.name}' was made by another version of Microface "
            f"(record {other}, here {VERSION}).",
            "Edit it with that version, or bake again.",
        ) from other
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise InputError(
            f"What the bake '{action.name}' keeps of itself is damaged ({error}).",
            "Delete that action and bake again.",
        ) from error


class _OtherVersionError(Exception):
    """The version of a record that is not ours."""


@lru_cache(maxsize=512)
def _parsed(text: str, samples: bytes) -> BakeRecord:
    """Return a record; the same one again for the same bytes, as panels ask at every redraw."""
    head = json.loads(text)
    if head["version"] != VERSION:
        raise _OtherVersionError(head["version"])
    flat = np.frombuffer(zlib.decompress(samples), "<f8").astype(np.float64)
    flat.flags.writeable = False
    count = int(head["frames"])
    return BakeRecord(
        order=int(head["order"]),
        clip=str(head["clip"]),
        object_name=str(head["object"]),
        layer=str(head["layer"]),
        fps=Fraction(head["fps"]),
        stretch=Fraction(head["stretch"]),
        tolerance=float(head["tolerance"]),
        whole_frames=bool(head["whole_frames"]),
        moments=Moments(**head["moments"]),
        channels=tuple(_channel(one) for one in head["channels"]),
        sides=tuple(one["side"] for one in head["channels"]),
        times=flat[:count],
        weights=flat[count:].reshape(count, len(head["channels"])),
        settings=_settings(head["settings"]),
    )


def _settings(head: dict[str, Any]) -> Settings:
    return Settings(**{**head, "timing": Timing(**head["timing"])})


def _channel(head: dict[str, Any]) -> Channel:
    fields = {name: head[name] for name in ("name", "lower", "upper", "neutral", "kind")}
    return Channel(targets=tuple(Target(**one) for one in head["targets"]), **fields)
