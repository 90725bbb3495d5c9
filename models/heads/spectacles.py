"""Spectacles before a face. They are rigid with the head, which an expression does not move.

All are drawn as premultiplied linear colour and coverage (side, side, 4), as on a face that is lit
as brightly as 0.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .families import Floats
from .makeup import laid_over

_FULL = (255.0,)
#: Points of a lens's outline, and of a bridge's.
_AROUND, _ACROSS = 96, 16
#: What rims are made of, and how often.
_STUFFS = {"dark": 0.4, "tortoise": 0.12, "metal": 0.28, "coloured": 0.12, "clear": 0.08}
#: Fractional bits of drawn coordinates.
_SHIFT = 4


@dataclass(frozen=True)
class Shape:
    """A pair of spectacles, lengths in distances between the eyes' centres.

    `wide` and `high` are half of a lens; `square` is the exponent of its outline, 2 an ellipse and
    more a rectangle; `taper` is how much narrower it is below, `lift` how far outer corners are
    raised; `drop` is how far its centre lies under the eye's. `upper` and `lower` are the rim's
    thickness there, 0 for none; `bridges` lie over the nose, raised by `arch`; `temple` is the
    arms' thickness.
    """

    wide: float
    high: float
    square: float
    taper: float
    lift: float
    drop: float
    upper: float
    lower: float
    bridges: int
    arch: float
    temple: float


def oval(rng: np.random.Generator, landmarks: Floats, side: int) -> Floats:
    """Draw dark spectacles with oval lenses (side, side, 4).

    `landmarks` (68, 2 or more) in the same pixels.
    """
    right, left = landmarks[36:42, :2].mean(0), landmarks[42:48, :2].mean(0)
    apart = float(np.linalg.norm(left - right))
    tilt = float(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])))
    width = apart * float(rng.uniform(0.33, 0.42))
    height = width * float(rng.uniform(0.6, 1.0))
    thick = max(1, round(apart * float(rng.uniform(0.012, 0.06))))
    drop = np.array([0.0, height * float(rng.uniform(0.0, 0.25))])
    rim = np.zeros((side, side), np.uint8)
    lens = np.zeros((side, side), np.uint8)
    for eye in (right, left):
        centre = _pixel(eye + drop)
        axes = (round(width), round(height))
        cv2.ellipse(lens, centre, axes, tilt, 0, 360, _FULL, -1, cv2.LINE_AA)
        cv2.ellipse(rim, centre, axes, tilt, 0, 360, _FULL, thick, cv2.LINE_AA)
    along = (left - right) / apart
    for start, end in (
        (right + drop + along * width, left + drop - along * width),
        (right + drop - along * width, landmarks[0, :2] + drop),
        (left + drop + along * width, landmarks[16, :2] + drop),
    ):
        cv2.line(rim, _pixel(start), _pixel(end), _FULL, thick, cv2.LINE_AA)
    frame = rim.astype(np.float32)[..., None] / 255
    glass = lens.astype(np.float32)[..., None] / 255 * np.float32(rng.uniform(0, 0.15))
    colour = np.float32(rng.uniform(0.005, 0.2)) * rng.uniform(0.6, 1, 3).astype(np.float32)
    glare = np.float32(rng.uniform(0.0, 0.6))
    opaque = frame + (1 - frame) * glass
    light = frame * colour + (1 - frame) * glass * glare
    return np.asarray(np.concatenate([light, opaque], axis=2), dtype=np.float32)


def random_shape(rng: np.random.Generator) -> Shape:
    """Draw a shape: from thin wire to thick plastic, round to square, with and without lower rims,
    worn high and low on the nose."""
    wide = float(rng.uniform(0.3, 0.48))
    thick = float(np.exp(rng.uniform(np.log(0.008), np.log(0.1))))
    kind = rng.random()
    lower = thick * float(rng.uniform(0.5, 1.0))
    if kind < 0.12:
        lower = 0.0
    return Shape(
        wide=wide,
        high=wide * float(rng.uniform(0.5, 1.05)),
        square=float(rng.choice([2.0, rng.uniform(2.2, 7.0)], p=[0.3, 0.7])),
        taper=float(rng.choice([0.0, rng.uniform(-0.1, 0.35)])),
        lift=float(rng.choice([0.0, rng.uniform(0.0, 0.4)], p=[0.7, 0.3])),
        drop=float(rng.choice([rng.uniform(-0.04, 0.12), rng.uniform(0.1, 0.35)], p=[0.85, 0.15])),
        upper=0.0 if 0.12 <= kind < 0.15 else thick,
        lower=lower,
        bridges=int(rng.choice([1, 2], p=[0.88, 0.12])),
        arch=float(rng.uniform(-0.02, 0.12)),
        temple=max(0.012, thick * float(rng.uniform(0.5, 1.2))),
    )


def outline(shape: Shape) -> Floats:
    """Return the outline (96, 2) of a lens about its centre: x outwards, y up."""
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    x, y = (np.sign(f) * np.abs(f) ** (2 / shape.square) for f in (np.cos(angle), np.sin(angle)))
    narrowed = 1 - shape.taper * (1 - y) / 2
    raised = y + shape.lift * np.maximum(x, 0) * np.maximum(y, 0)
    places = np.stack([shape.wide * x * narrowed, shape.high * raised], axis=1)
    return np.asarray(places, dtype=np.float32)


def of_any_kind(rng: np.random.Generator, landmarks: Floats, side: int) -> tuple[Floats, Floats]:
    """Draw spectacles of many shapes, stuffs and tints with the shadow they cast.

    Returns the cover (side, side, 4) and the share (side, side) of each pixel that their rims hide.
    `landmarks` (68, 2 or more) in the same pixels.
    """
    shape = random_shape(rng)
    right, left = landmarks[36:42, :2].mean(0), landmarks[42:48, :2].mean(0)
    apart = float(np.linalg.norm(left - right))
    across = (left - right) / apart
    up = np.array([across[1], -across[0]])
    middle = landmarks[27, :2]
    lines: list[tuple[Floats, Floats]] = []
    lens = np.zeros((side, side), np.uint8)
    inner, outer = [], []
    for eye, way, ear in ((right, -across, 0), (left, across, 16)):
        # The farther eye of a turned head is seen from the side.
        seen = float(np.clip(2 * abs((eye - middle) @ across) / apart, 0.6, 1.3))
        drawn = outline(shape) * apart
        places = eye - up * shape.drop * apart + drawn[:, :1] * way * seen + drawn[:, 1:] * up
        height = np.clip(drawn[:, 1] / (shape.high * apart), -1, 1)
        thick = np.interp(height, [-0.5, 0.3], [shape.lower, shape.upper]) * apart
        lines.append((np.concatenate([places, places[:1]]), np.append(thick, thick[0])))
        cv2.fillPoly(lens, [_subpixel(places)], _FULL, cv2.LINE_AA, _SHIFT)
        inner.append(places[_AROUND // 2 - _AROUND // 12])
        outer.append(places[_AROUND // 16])
        end = landmarks[ear, :2] + up * apart * float(rng.uniform(0.0, 0.35))
        end = outer[-1] + (end - outer[-1]) * float(rng.uniform(0.6, 1.1))
        lines.append((np.stack([outer[-1], end]), np.full(2, shape.temple * apart)))
    for number in range(shape.bridges):
        steps = np.linspace(0, 1, _ACROSS)[:, None]
        rise = shape.arch * 4 * steps * (1 - steps) + number * 0.3 * shape.high
        places = inner[0] + (inner[1] - inner[0]) * steps + up * apart * rise
        heavy = max(shape.upper, shape.lower, 0.012) * float(rng.uniform(0.7, 1.5)) * apart
        lines.append((places, np.full(_ACROSS, heavy)))
    return _coloured(rng, lines, lens.astype(np.float32) / 255, apart)


def _coloured(
    rng: np.random.Generator, lines: list[tuple[Floats, Floats]], lens: Floats, apart: float
) -> tuple[Floats, Floats]:
    """Return cover and hidden share, as `of_any_kind`, of rims along `lines`, each places (n, 2)
    and thicknesses (n,), about a `lens` (S, S)."""
    side = len(lens)
    colour, solid, sheen = _stuff(rng)
    frame = np.zeros((side, side, 4), np.float32)
    for places, thick in lines:
        waves = rng.normal(0, 1, 3) @ np.sin(
            np.arange(1, 4)[:, None] * np.linspace(0, 2 * np.pi, len(places)) + rng.uniform(0, 6)
        )
        for i, shade in enumerate(np.exp(sheen * waves[:-1])):
            wide = float(thick[i] + thick[i + 1]) / 2
            if not wide:
                continue
            # A line is a pixel thick at least; a thinner wire covers part of it.
            cover = min(1.0, wide)
            value = (*(float(c) for c in np.minimum(colour * shade, 2) * cover), cover)
            start, end = _subpixel(places[i : i + 2])
            cv2.line(frame, start, end, value, max(1, round(wide)), cv2.LINE_8, _SHIFT)
    frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.6), np.float32)
    hidden = frame[..., 3].copy()
    frame *= np.float32(solid)
    tint = float(rng.choice([0.0, rng.uniform(0, 0.25), rng.uniform(0.3, 0.95)], p=[0.5, 0.4, 0.1]))
    glass = np.empty((side, side, 4), np.float32)
    glass[..., :3] = rng.uniform(0.0, 0.12, 3) * tint
    glass[..., 3] = tint
    glass *= lens[..., None]
    if rng.random() < 0.3:
        glass = laid_over(glass, _glare(rng, lens, apart))
    reach = rng.uniform(0.01, 0.06) * apart
    shift = np.array([[1, 0, rng.normal(0, 0.5) * reach], [0, 1, reach]])
    dark = cv2.warpAffine(cv2.GaussianBlur(hidden, (0, 0), 0.5 + reach / 2), shift, (side, side))
    shadow = np.zeros((side, side, 4), np.float32)
    shadow[..., 3] = dark * float(rng.uniform(0, 0.5))
    return laid_over(laid_over(shadow, glass), frame), np.clip(hidden, 0, 1)


def _stuff(rng: np.random.Generator) -> tuple[Floats, float, float]:
    """Draw what rims are of: linear colour (3,), opacity, and how much their light varies."""
    name = str(rng.choice(list(_STUFFS), p=list(_STUFFS.values())))
    if name == "dark":
        colour = rng.uniform(0.002, 0.05) * rng.uniform(0.7, 1, 3)
        return colour.astype(np.float32), 1.0, float(rng.uniform(0.1, 0.9))
    if name == "tortoise":
        colour = np.array([0.14, 0.055, 0.02]) * rng.uniform(0.3, 1.6)
        return colour.astype(np.float32), 1.0, float(rng.uniform(0.4, 0.9))
    if name == "metal":
        metals = ([0.4, 0.4, 0.42], [0.5, 0.32, 0.12], [0.35, 0.2, 0.15], [0.08, 0.08, 0.09])
        colour = np.array(metals[int(rng.integers(len(metals)))]) * rng.uniform(0.3, 1.3)
        return colour.astype(np.float32), 1.0, float(rng.uniform(0.3, 1.0))
    if name == "coloured":
        colour = np.exp(rng.normal(-2.2, 0.9, 3))
        return colour.astype(np.float32), 1.0, float(rng.uniform(0.1, 0.5))
    colour = rng.uniform(0.15, 0.5) * rng.uniform(0.8, 1, 3)
    return colour.astype(np.float32), float(rng.uniform(0.55, 0.9)), float(rng.uniform(0.2, 0.7))


def _glare(rng: np.random.Generator, lens: Floats, apart: float) -> Floats:
    """Draw a window's or a lamp's reflection on the lenses, a cover (S, S, 4)."""
    side = len(lens)
    shape = np.zeros((side, side), np.float32)
    rows, columns = np.nonzero(lens > 0.5)
    for _ in range(int(rng.integers(1, 3))):
        if not len(rows):
            break
        at = int(rng.integers(len(rows)))
        size = apart * rng.uniform(0.03, 0.2, 2)
        turn = float(rng.uniform(-40, 40))
        centre = (float(columns[at]), float(rows[at]))
        corners = cv2.boxPoints((centre, (float(size[0]), float(size[1])), turn))
        cv2.fillPoly(shape, [np.asarray(corners, np.int32)], (1.0,))
    shape = cv2.GaussianBlur(shape, (0, 0), 1.5) * lens * np.float32(rng.uniform(0.1, 0.6))
    return np.asarray(np.stack([shape, shape, shape, shape], axis=2), dtype=np.float32)


def _subpixel(places: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
    return np.asarray(np.round(places * (1 << _SHIFT)), dtype=np.int32)


def _pixel(place: NDArray[np.floating[Any]]) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
