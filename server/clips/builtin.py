"""Built-in source clips: micro-expressions of the built-in heads, rendered on demand.

Nothing is shipped but the recipe: who plays, which shape keys move how far, and the time course.
The making takes a few seconds and is kept, when the user's cache folder can be written, under a
name that changes with the code that draws. Since every weight is known, such a clip carries the
truth that a retargeted result can be held against.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...head.head import build_head
from ...head.identity import IDENTITIES, Identity
from ...models.heads.curves import Curve
from .clip import Clip

#: Pictures a second, and how many of them.
FPS = Fraction(100)
FRAMES = 50
#: Width and height of the pictures in pixels.
PIXELS = 320
#: Prefix of a built-in clip's name where a path could stand too.
PREFIX = "builtin:"
#: Standard deviation of the sensor noise in grey levels.
_NOISE_LEVELS = 1.0
_TEXTURE_TEXELS = 1024


@dataclass(frozen=True)
class Recipe:
    """What a clip shows: FACS `unit`, `identity` of the player, the weight of each shape key at the
    apex, and the time course (0..1) that all of them share."""

    unit: str
    identity: str
    apex_weights: dict[str, float]
    curve: Curve = field(default=Curve(onset=0.08, apex=0.25, offset=0.43))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return each shape key's weight (T,) over the clip."""
        course = self.curve.at(times())
        return {n: (w * course).astype(np.float32) for n, w in self.apex_weights.items()}


RECIPES: dict[str, Recipe] = {
    "brow-lower": Recipe(
        "AU4",
        "noor",
        {
            "browDownLeft": 0.18,
            "browDownRight": 0.18,
            "browPinchLeft": 0.1,
            "browPinchRight": 0.1,
        },
    ),
    "lip-corner-left": Recipe("AU12", "lars", {"mouthSmileLeft": 0.12}),
    "inner-brow-raise": Recipe("AU1", "mei", {"browInnerUp": 0.22}),
    "lid-tighten": Recipe(
        "AU7",
        "kofi",
        {
            "eyeSquintLeft": 0.25,
            "eyeSquintRight": 0.25,
            "lidTightenLeft": 0.2,
            "lidTightenRight": 0.2,
        },
    ),
    "nose-wrinkle": Recipe("AU9", "rosa", {"noseSneerLeft": 0.24, "noseSneerRight": 0.24}),
    "chin-raise": Recipe("AU17", "noor", {"mouthShrugLower": 0.22, "mouthShrugUpper": 0.08}),
}


def times() -> NDArray[np.float64]:
    """Return the time (T,) of each frame in seconds."""
    return np.arange(FRAMES) / float(FPS)


def is_builtin(name: str) -> bool:
    """Whether a clip argument names a built-in clip, like `builtin:brow-lower`."""
    return name.startswith(PREFIX)


def builtin_clip(name: str, *, cache: Path | None = None) -> Clip:
    """Return a built-in clip by name, with or without the `builtin:` prefix.

    It is taken from `cache` (the user's cache folder if None) or else made, and kept there where
    that is possible. InputError for an unknown name.
    """
    short = name.removeprefix(PREFIX)
    recipe = RECIPES.get(short)
    if recipe is None:
        raise InputError(
            f"There is no built-in clip {short!r}.", f"Choose one of {', '.join(RECIPES)}."
        )
    folder = cache_folder() if cache is None else cache
    path = folder / f"{short}-{fingerprint()}.npz"
    clean = _read(path)
    if clean is None:
        clean = render(recipe)
        _keep(path, clean)
    noisy = _with_noise(clean, seed=list(RECIPES).index(short))
    digest = hashlib.sha256(noisy.tobytes()).hexdigest()
    return Clip(list(noisy), times(), FPS, PREFIX + short, digest, recipe.weights())


def render(recipe: Recipe) -> NDArray[np.uint8]:
    """Draw the frames (T, S, S, 3) uint8 of a clip, without noise."""
    return np.stack(list(drawn(recipe.identity, recipe.weights(), FRAMES, PIXELS)))


def drawn(
    identity: str | Identity,
    weights: Mapping[str, NDArray[np.float32]],
    frames: int,
    pixels: int,
    *,
    canonical: bool = False,
) -> Iterator[NDArray[np.uint8]]:
    """Draw a head, built in by its name or any other, frame by frame, (pixels, pixels, 3) uint8.

    There is no noise in it. `weights` are each shape key's (T,); with `canonical` they are amounts
    of `REFERENCE`, which move every head's skin as far. Raises KeyError for a shape that the head
    lacks.
    """
    from ...models.heads.keypoints import keypoints_from_landmarks
    from ...models.heads.procedural import render_head
    from ...models.heads.render import draw, prepare_look
    from ...models.heads.scene import Camera, Light, composed, crop_of, rotation
    from ...models.heads.sensor import Sensor, expose

    who = IDENTITIES[identity] if isinstance(identity, str) else identity
    head = render_head(build_head(who, _TEXTURE_TEXELS))
    turn = rotation(yaw=-4, pitch=2)
    plain = Camera(turn, 120.0, np.eye(2, 3, dtype=np.float32))
    marks = keypoints_from_landmarks(plain.plane(head.rest[head.landmarks])[:, :2])
    camera = Camera(turn, 120.0, crop_of(marks, side=1.15))
    light = Light(
        direction=np.array([-0.42, 0.45, 0.79], np.float32),
        colour=np.array([0.95, 0.9, 0.85], np.float32),
        ambient=np.array(
            [[0.42, 0.43, 0.46], [0.06, 0.06, 0.07], [0.1, 0.1, 0.11], [0.1, 0.1, 0.1]], np.float32
        ),
        wrap=0.25,
        shadow=0.5,
    )
    look = prepare_look(head, head.rest, camera, light)
    neutral = draw(head, head.rest, look, pixels)
    level = float(neutral.light.reshape(-1, 4)[neutral.pixel, :3].mean())
    sensor = Sensor(np.full(3, 0.22 / level, np.float32))
    grade = np.linspace(0.5, 0.3, pixels, dtype=np.float32)[:, None, None]
    tint = np.array([0.2, 0.21, 0.22], np.float32) / sensor.exposure
    background = np.asarray(grade * tint + np.zeros((1, pixels, 1)), dtype=np.float32)
    unused = np.random.default_rng(0)
    gains = {n: head.gains[head.index[n]] if canonical else np.float32(1) for n in weights}
    still: NDArray[np.uint8] | None = None
    for index in range(frames):
        vertices = head.rest.copy()
        for name, course in weights.items():
            vertices += gains[name] * course[index] * head.deltas[head.index[name]]
        moved = any(course[index] for course in weights.values())
        if not moved and still is not None:
            yield still
            continue
        drawing = draw(head, vertices, look, pixels, neutral)
        frame = expose(sensor, composed(drawing.light, background), unused, first=True)
        if not moved:
            still = frame
        yield frame


def cache_folder() -> Path:
    """Return the folder of this program in the user's cache folder; it need not exist."""
    try:
        home = Path.home()
    except RuntimeError:  # an account without a home
        home = Path(tempfile.gettempdir())
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "") or str(home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(home / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "") or str(home / ".cache")
    return Path(base) / "microface" / "clips"


def fingerprint() -> str:
    """Return a digest of the code that decides how a clip looks."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for folder in ("head", "models/heads", "server/clips"):
        for path in sorted((root / folder).glob("*.py")):
            if folder != "server/clips" or path.name == "builtin.py":
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _with_noise(clean: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng([seed, 100])
    noise = rng.standard_normal(clean.shape, np.float32) * np.float32(_NOISE_LEVELS)
    return np.asarray(np.clip(clean + noise + 0.5, 0, 255), dtype=np.uint8)


def _read(path: Path) -> NDArray[np.uint8] | None:
    """Return kept frames; None where there are none or the file is damaged."""
    try:
        with np.load(path) as stored:
            steps = stored["steps"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if steps.shape != (FRAMES, PIXELS, PIXELS, 3) or steps.dtype != np.uint8:
        return None
    return np.cumsum(steps, axis=0, dtype=np.uint8)


def _keep(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write frames as differences in time, aside and renamed; a folder that refuses is no harm."""
    steps = np.diff(frames, axis=0, prepend=np.zeros_like(frames[:1]))
    aside = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            np.savez_compressed(file, steps=steps)
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
