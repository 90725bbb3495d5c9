"""Cameras, lights and backgrounds, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .keypoints import face_unit, keypoints_from_landmarks

Floats = NDArray[np.float32]

#: Side of the crop square in face units (RMS keypoint distances).
CROP_UNITS = 4.2


@dataclass(frozen=True)
class Camera:
    """A pinhole camera on +z that looks at the origin, with a square crop of its picture.

    `rotation` (3, 3) turns the head; `distance` in cm from the origin; `crop` (2, 3) is the affine
    map from the plane at the origin (cm, y down) to normalised crop coordinates in 0..1.
    """

    rotation: Floats
    distance: float
    crop: Floats

    def plane(self, vertices: Floats) -> Floats:
        """Return (V, 3): x right and y down on the plane at the origin in cm, and depth in cm."""
        turned = vertices @ self.rotation.T
        depth = np.float32(self.distance) - turned[:, 2]
        scale = np.float32(self.distance) / depth
        return np.stack([turned[:, 0] * scale, -turned[:, 1] * scale, depth], axis=1)

    def project(self, vertices: Floats, size: int) -> Floats:
        """Return (V, 3): x, y in pixels of a crop of `size` pixels a side (pixel edges at whole
        numbers), and depth in cm."""
        points = self.plane(vertices)
        points[:, :2] = (points[:, :2] @ self.crop[:, :2].T + self.crop[:, 2]) * np.float32(size)
        return points


@dataclass(frozen=True)
class Framing:
    """How far a camera may stray: degrees, and shares of the crop's side."""

    yaw: float
    pitch: float
    roll: float = 8.0
    shift: float = 0.06
    smallest: float = 0.85
    largest: float = 1.25


def rotation(yaw: float, pitch: float, roll: float = 0.0) -> Floats:
    """Return the matrix (3, 3) that turns a head by degrees: yaw to its left, pitch up, roll."""
    y, p, r = np.deg2rad([yaw, pitch, roll])
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]]
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    return np.asarray(np.array(about_z) @ about_x @ about_y, dtype=np.float32)


def crop_of(points: NDArray[np.floating[Any]], side: float = 1.0, roll: float = 0.0) -> Floats:
    """Return the affine map (2, 3) of the crop convention from keypoints (30, 2) in any plane.

    The square has its centre at the keypoints' mean and a side of `CROP_UNITS` face units times
    `side`; it maps to 0..1, turned by `roll` degrees.
    """
    mean = points.mean(0)
    scale = 1 / (CROP_UNITS * face_unit(points) * side)
    angle = np.deg2rad(roll)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, 0.5 - turn @ mean]).astype(np.float32)


def random_camera(
    rng: np.random.Generator, neutral: Floats, landmarks: NDArray[np.int32], framing: Framing
) -> Camera:
    """Draw a camera that frames a neutral head (V, 3) by the crop convention, jittered."""
    turn = rotation(
        float(np.clip(rng.normal(0, 0.5), -1, 1) * framing.yaw),
        float(np.clip(rng.normal(0, 0.5), -1, 1) * framing.pitch),
    )
    distance = float(np.exp(rng.uniform(np.log(45), np.log(250))))
    camera = Camera(turn, distance, np.eye(2, 3, dtype=np.float32))
    points = keypoints_from_landmarks(camera.plane(neutral[landmarks])[:, :2])
    crop = crop_of(
        points,
        float(rng.uniform(framing.smallest, framing.largest)),
        float(rng.uniform(-framing.roll, framing.roll)),
    )
    crop[:, 2] += rng.uniform(-framing.shift, framing.shift, 2).astype(np.float32)
    return Camera(turn, distance, crop)


@dataclass(frozen=True)
class Light:
    """A key light at infinity over a smooth surrounding.

    `direction` (3,) to the light; `colour` (3,) of it; `ambient` (4 or 9, 3): factors of the
    spherical harmonics up to order 1 or 2, see `environment.py`; `wrap` 0..1 how far the key
    light reaches round; `shadow` 0..1 how dark its cast shadow is.
    """

    direction: Floats
    colour: Floats
    ambient: Floats
    wrap: float
    shadow: float


def random_light(rng: np.random.Generator) -> Light:
    """Draw a light: mostly from the front and above, of varied softness and tint."""
    azimuth = float(np.clip(rng.normal(0, 40), -85, 85))
    height = float(np.clip(rng.normal(28, 22), -25, 75))
    a, h = np.deg2rad([azimuth, height])
    direction = np.array([np.sin(a) * np.cos(h), np.sin(h), np.cos(a) * np.cos(h)])
    warmth = rng.normal(0, 0.12)
    tint = np.array([np.exp(warmth), 1.0, np.exp(-warmth)])
    balance = float(rng.uniform(0.1, 0.75))
    other = np.array([np.exp(-warmth * 0.5), 1.0, np.exp(warmth * 0.5)])
    ambient = np.zeros((4, 3))
    ambient[0] = balance * other
    ambient[1:] = balance * rng.normal(0, 0.18, (3, 1)) * other
    ambient[2] += balance * rng.uniform(0, 0.35)
    ambient[3] += balance * rng.uniform(0, 0.3)
    return Light(
        direction.astype(np.float32),
        ((1 - balance) * 1.5 * tint).astype(np.float32),
        ambient.astype(np.float32),
        float(rng.uniform(0.05, 0.5)),
        float(rng.uniform(0.2, 0.9)),
    )


def random_background(rng: np.random.Generator, size: int) -> Floats:
    """Draw a background (size, size, 3) in linear light: plain, graded, or out-of-focus things."""
    base = rng.uniform(0.0, 0.6) * np.exp(rng.normal(0, 0.15, 3))
    picture = np.broadcast_to(base.astype(np.float32), (size, size, 3)).copy()
    kind = rng.random()
    if kind < 0.25:
        return picture
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    slope = rng.normal(0, 0.35, 2).astype(np.float32)
    grade = np.exp(slope[0] * ramp[:, None] + slope[1] * ramp[None, :])
    picture *= grade.astype(np.float32)[..., None]
    if kind < 0.45:
        return picture
    shape = (int(rng.integers(3, 24)), int(rng.integers(3, 24)), 3)
    # Things are mostly of dull colours.
    coarse = rng.uniform(0, 1, shape[:2])[..., None] + rng.uniform(0, 0.5) * rng.normal(0, 1, shape)
    pattern = cv2.resize(coarse.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    picture *= np.clip(0.3 + rng.uniform(0.3, 2.0) * pattern, 0.05, 4).astype(np.float32)
    for _ in range(int(rng.integers(0, 7))):
        corner = rng.integers(0, size, 2)
        extent = rng.integers(8, size // 2, 2)
        colour = tuple(float(c) for c in rng.uniform(0, 0.8, 3))
        low = (int(corner[0]), int(corner[1]))
        cv2.rectangle(picture, low, (low[0] + int(extent[0]), low[1] + int(extent[1])), colour, -1)
    blur = float(rng.uniform(0.5, 9))
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (0, 0), blur), 0, 1), dtype=np.float32)


def composed(light: Floats, background: Floats) -> Floats:
    """Return linear light (S, S, 3): a supersampled head (2S, 2S, 4) over a background."""
    small = cv2.resize(
        light, (background.shape[1], background.shape[0]), interpolation=cv2.INTER_AREA
    )
    return np.asarray(small[..., :3] + (1 - small[..., 3:]) * background, dtype=np.float32)
