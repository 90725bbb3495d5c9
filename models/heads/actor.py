"""A head in front of a camera with its neutral drawn: one side of a training pair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .expressions import added
from .families import Floats, RenderHead
from .keypoints import keypoints_from_landmarks
from .pulls import Pull, pulled
from .render import Drawing, Look, draw, prepare_look
from .scene import Framing
from .sensor import Sensor
from .setting import SIZE, Setting, random_setting


@dataclass(frozen=True)
class Actor:
    """A head in front of a camera, with its neutral drawn.

    `cover` (2S, 2S, 4) lies over the picture; a `loose` one moves on its own, as hands do.
    """

    head: RenderHead
    base: dict[str, float]
    look: Look
    sensor: Sensor
    background: Floats
    vertices: Floats
    neutral: Drawing
    cover: Floats | None = None
    loose: bool = False

    @property
    def points(self) -> Floats:
        """Keypoints (30, 2) of the neutral in pixels of the picture."""
        return self.points_of(self.vertices)

    def played(self, weights: dict[str, float], pulls: tuple[Pull, ...]) -> Floats:
        """Return the vertices (V, 3) under an expression on top of the neutral, and pulls."""
        vertices = self.head.posed(added(self.base, weights))
        if pulls:
            vertices += pulled(self.vertices, self.head.soft, self.head.landmarks, pulls)
        return vertices

    def acted(self, vertices: Floats) -> Drawing:
        """Draw the head with other vertices (V, 3)."""
        return draw(self.head, vertices, self.look, SIZE, self.neutral)

    def points_of(self, vertices: Floats) -> Floats:
        """Keypoints (30, 2) of the head with these vertices."""
        marks = vertices[self.head.landmarks]
        return keypoints_from_landmarks(self.look.camera.project(marks, SIZE)[:, :2])


def make_actor(
    rng: np.random.Generator,
    head: RenderHead,
    framing: Framing,
    *,
    clean: bool,
    varied: bool = False,
) -> Actor:
    """Draw a head in a random setting; arguments as of `random_setting`."""
    return actor_in(random_setting(rng, head, framing, clean=clean, varied=varied))


def actor_in(s: Setting) -> Actor:
    """Draw the head of a setting, its light exposed as the setting wants it."""
    look = prepare_look(s.head, s.vertices, s.camera, s.light, s.style)
    neutral = draw(s.head, s.vertices, look, SIZE)
    mean, median = light_on(neutral)
    level = max(mean, 1e-3)
    sensor = replace(s.sensor, exposure=s.sensor.exposure * np.float32(s.wanted / level))
    background = s.background * np.float32(level / s.wanted)
    cover, loose = None, False
    if s.cover is not None:
        cover = s.cover.picture * s.cover.factor(mean, median)
        loose = s.cover.loose
    return Actor(s.head, s.base, look, sensor, background, s.vertices, neutral, cover, loose)


def light_on(drawing: Drawing) -> tuple[float, Floats]:
    """Return the mean brightness and the median colour (3,) of a head that was drawn."""
    shown = drawing.light.reshape(-1, 4)[drawing.pixel, :3]
    return float(shown.mean()), np.median(shown, axis=0)


def shake_of(rng: np.random.Generator, side: int, strength: float = 1.0) -> NDArray[np.float64]:
    """Draw the small rigid motion that steadying leaves, `strength` times as large: the affine map
    (2, 3) that takes old places in a picture of `side` samples, by index, to new ones."""
    angle = np.clip(rng.normal(0, 0.2), -0.8, 0.8) * strength
    scale = np.exp(rng.normal(0, 0.0015) * strength)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(angle), float(scale))
    matrix = np.asarray(turn, dtype=np.float64)
    matrix[:, 2] += np.clip(rng.normal(0, 0.4, 2), -1.5, 1.5) * strength * side / SIZE
    return matrix


def shaken(rng: np.random.Generator, light: Floats, strength: float = 1.0) -> Floats:
    """Return a supersampled head (S, S, 4) under a `shake_of` that strength."""
    side = light.shape[0]
    matrix = shake_of(rng, side, strength)
    moved = cv2.warpAffine(
        light, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, dtype=np.float32)
