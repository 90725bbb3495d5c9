"""What a bake leaves in its .blend so that it can be checked later from the file alone.

The format is described in docs/proof.md. Everything here is plain data; `addon.verify` collects it
in Blender and measures the file against it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .arrays import pack, unpack

FORMAT = "microface-proof"
VERSION = 1
#: Characters of a line of the stored text.
LINE = 160


@dataclass(frozen=True)
class TargetRecord:
    """One number that is keyed: see `addon.character.channels.Target`.

    It stands at `neutral` plus the weights of its `channels` (indices); `unit` is what a weight of
    1 would be on a slider from 0 to 1.
    """

    id_type: str
    id_name: str
    data_path: str
    index: int
    neutral: float
    unit: float
    channels: tuple[int, ...]


@dataclass(frozen=True)
class TextureRecord:
    """One baked texture: the image in the file and the pictures beside it.

    `kind` says what it is (`colour`, `wrinkle`, ...); `image` the Blender image's name; `original`
    the one that it stands in for, empty where there was none; `files` relative to the .blend with
    `hashes` (SHA-256); `moving` (H,W) bool the texels that may differ from the original.
    """

    kind: str
    image: str
    original: str
    files: tuple[str, ...]
    hashes: tuple[str, ...]
    moving: NDArray[np.bool_]


@dataclass(frozen=True)
class Event:
    """One micro-expression that was baked.

    `clip` its name, `clip_fps` a ratio; `times` (T,) float64 seconds from the clip's start,
    `frames` (T,) float64 where these lie in the scene; `onset`, `apex`, `offset` indices into
    them; `channels` (S) names of those that move, `weights` (T,S) float32 as solved, changes from
    neutral;
    `residual` (T,) float32 what no channel expresses, root mean square pixels; `targets` what is
    keyed; `action` the name of the bake's action.

    Seen from the framing camera: `vertices` (N,) int32 of the evaluated mesh, `rest` (N,3) float32
    where they lay in the world at the neutral, `motion` (K,N,2) float16 pixels of the proof's
    pictures that each was to move at the `instants` (K,) int32 (indices into `times`).

    `shown` (M,) int32 the instants that are rendered again; `pictures` (M,h,w,3) uint8 as
    generated, cut out at `corner` (top, left); `moving` (M,h,w) bool where the face moves then.

    `limits` and `found` hold the figures' tolerances, and what they were when the bake was made.
    """

    clip: str
    clip_fps: str
    start_frame: float
    times: NDArray[np.float64]
    frames: NDArray[np.float64]
    onset: int
    apex: int
    offset: int
    channels: tuple[str, ...]
    weights: NDArray[np.float32]
    residual: NDArray[np.float32]
    targets: tuple[TargetRecord, ...]
    action: str
    vertices: NDArray[np.int32]
    rest: NDArray[np.float32]
    motion: NDArray[np.float16]
    instants: NDArray[np.int32]
    shown: NDArray[np.int32]
    pictures: NDArray[np.uint8]
    corner: tuple[int, int]
    moving: NDArray[np.bool_]
    textures: tuple[TextureRecord, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)
    found: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """All evidence about one character in one file.

    `object_name`, `scene_name` and `fps` (a ratio) of the scene; `mesh` the fingerprint of the
    mesh; `camera` (4,4) float64, `lens_millimetres`, `width`, `distance` and `size` (pixels a
    side) of the framing camera as `addon.character.framing.Framing` has them; `scene_frame` at
    which the `neutral` (size,size,3) uint8 was taken.
    """

    object_name: str
    scene_name: str
    fps: str
    mesh: str
    camera: NDArray[np.float64]
    lens_millimetres: float
    width: float
    distance: float
    size: int
    scene_frame: float
    neutral: NDArray[np.uint8]
    events: tuple[Event, ...]


def write_evidence(evidence: Evidence) -> str:
    """Return the evidence as text: a JSON head with the body's SHA-256, and the body's JSON."""
    body = json.dumps(_plain(evidence), sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(body.encode()).hexdigest()
    head = json.dumps({"format": FORMAT, "version": VERSION, "sha256": digest})
    lines = [body[start : start + LINE] for start in range(0, len(body), LINE)]
    return "\n".join([head, *lines]) + "\n"


def read_evidence(text: str) -> Evidence:
    """Return what `write_evidence` wrote.

    Raises `InputError` for other text, another version, or evidence that was edited.
    """
    first, _, rest = text.partition("\n")
    try:
        head = json.loads(first)
        kind, version, digest = head["format"], head["version"], head["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("The evidence has no head.", "Bake again to renew it.") from error
    if (kind, version) != (FORMAT, VERSION):
        raise InputError(
            f"The evidence is of format {kind} {version}; this Microface reads {FORMAT} {VERSION}.",
            "Use the Microface that made the bake, or bake again.",
        )
    body = rest.replace("\n", "")
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        raise InputError(
            "The evidence does not fit its own hash: it was edited or cut off.",
            "Take the file as it was baked, or bake again.",
        )
    try:
        return cast(Evidence, _rebuilt(Evidence, json.loads(body)))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "The evidence lacks parts that its version has.", "Bake again to renew it."
        ) from error


#: Fields that hold dataclasses.
_MEMBERS = {"events": Event, "targets": TargetRecord, "textures": TextureRecord}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return pack(value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value


def _rebuilt(kind: Any, stored: Any) -> Any:
    """Return a dataclass of `kind` from its plain form; unknown fields are an error."""
    known = {one.name for one in fields(kind)}
    if set(stored) != known:
        raise KeyError(sorted(set(stored) ^ known))
    values: dict[str, Any] = {}
    for name, value in stored.items():
        if name in _MEMBERS:
            values[name] = tuple(_rebuilt(_MEMBERS[name], one) for one in value)
        elif isinstance(value, dict) and set(value) == {"type", "shape", "zlib"}:
            values[name] = unpack(value)
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)
