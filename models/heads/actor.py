"""A head in front of a camera, drawn at random: what one side of a training pair is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .environment import lit_around
from .expressions import RECIPES, added, expression_weights
from .families import Floats, RenderHead
from .keypoints import keypoints_from_landmarks
from .makeup import spectacles
from .occluders import hand, strands
from .pulls import Pull, pulled
from .render import SUPERSAMPLING, Drawing, Look, draw, prepare_look
from .scene import Framing, random_background, random_camera, random_light
from .sensor import Sensor, random_sensor, worsened
from .style import STYLES, dressed, style_of

SIZE = 256

#: Where a fifth of the varied heads turn to.
_TURNED = Framing(yaw=24, pitch=16)
#: Shares of varied characters that are stylised, or grey pictures.
_STYLISED, _GREY = 0.25, 0.08
#: Shares of varied sources that hair, or something like a hand, hides in part.
_HAIRY, _HANDY = 0.07, 0.06


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


def random_base(rng: np.random.Generator) -> dict[str, float]:
    """Draw what a face does while it does nothing: gaze, lids, a hint of mood, parted lips."""
    base: dict[str, float] = {}
    if rng.random() < 0.7:
        across, up = np.clip(rng.normal(0, 0.25, 2), -0.7, 0.7)
        base["eyeLookOutLeft" if across > 0 else "eyeLookInLeft"] = abs(float(across))
        base["eyeLookInRight" if across > 0 else "eyeLookOutRight"] = abs(float(across))
        for side in ("Left", "Right"):
            base[("eyeLookUp" if up > 0 else "eyeLookDown") + side] = abs(float(up)) * 0.7
    if rng.random() < 0.5:
        lids = float(rng.uniform(0, 0.25))
        base = added(base, {"eyeBlinkLeft": lids, "eyeBlinkRight": lids})
    if rng.random() < 0.4:
        for unit in rng.choice(list(RECIPES), int(rng.integers(1, 3)), replace=False):
            left = float(rng.uniform(0, 0.35))
            right = left * float(rng.uniform(0.8, 1.25))
            base = added(base, expression_weights(str(unit), left, right))
    if rng.random() < 0.15:
        base = added(base, {"jawOpen": float(rng.uniform(0.02, 0.15))})
    return base


def make_actor(
    rng: np.random.Generator,
    head: RenderHead,
    framing: Framing,
    *,
    clean: bool,
    varied: bool = False,
) -> Actor:
    """Put a head in front of a random camera, light, background and sensor.

    A `clean` one is a rendered character, else a filmed person. A `varied` one also meets fill
    light and surroundings, wide turns, and styles if it is a character; if a person, hair and
    hands in front of the face and poor cameras. All else is drawn alike either way.
    """
    variety = rng.spawn(1)[0]
    if varied and variety.random() < 0.2:
        framing = _TURNED
    base = random_base(rng)
    vertices = head.posed(base)
    camera = random_camera(rng, vertices, head.landmarks, framing)
    light = random_light(rng)
    style = None
    if varied:
        light = lit_around(variety, light)
        if clean and variety.random() < _STYLISED:
            name = str(variety.choice(STYLES))
            head = dressed(variety, head, name)
            style = style_of(variety, name, float((light.colour + light.ambient[0]).mean()))
    look = prepare_look(head, vertices, camera, light, style)
    neutral = draw(head, vertices, look, SIZE)
    sensor = random_sensor(rng, clean=clean)
    # Exposed for the head, as cameras and artists do; the background takes what comes.
    level = float(neutral.light.reshape(-1, 4)[neutral.pixel, :3].mean())
    wanted = float(np.clip(np.exp(rng.normal(np.log(0.2), 0.4)), 0.05, 0.45))
    sensor = replace(sensor, exposure=sensor.exposure * np.float32(wanted / max(level, 1e-3)))
    background = random_background(rng, SIZE) * np.float32(max(level, 1e-3) / wanted)
    actor = Actor(head, base, look, sensor, background, vertices, neutral)
    marks, side = neutral.points[head.landmarks], SIZE * SUPERSAMPLING
    if not clean and rng.random() < 0.1:
        lit = np.array([level, level, level, 0.2], np.float32) / np.float32(0.2)
        return replace(actor, cover=spectacles(rng, marks, side) * lit)
    return _impaired(variety, actor, clean) if varied else actor


def _impaired(rng: np.random.Generator, actor: Actor, clean: bool) -> Actor:
    """Return a varied actor under a worse camera, and partly hidden if not `clean`."""
    if clean:
        grey = rng.random() < _GREY
        return replace(actor, sensor=replace(actor.sensor, saturation=0.0)) if grey else actor
    actor = replace(actor, sensor=worsened(rng, actor.sensor))
    chance = rng.random()
    if chance > _HAIRY + _HANDY:
        return actor
    drawing = actor.neutral
    marks, side = drawing.points[actor.head.landmarks], SIZE * SUPERSAMPLING
    level = np.median(drawing.light.reshape(-1, 4)[drawing.pixel, :3], axis=0)
    if chance < _HAIRY:
        return replace(actor, cover=strands(rng, marks, side, level))
    return replace(actor, cover=hand(rng, marks, side, level), loose=True)


def shaken(rng: np.random.Generator, light: Floats, strength: float = 1.0) -> Floats:
    """Return a supersampled head (S, S, 4) under the small rigid motion that steadying leaves,
    `strength` times as large."""
    side = light.shape[0]
    angle = np.clip(rng.normal(0, 0.2), -0.8, 0.8) * strength
    scale = np.exp(rng.normal(0, 0.0015) * strength)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(angle), float(scale))
    matrix = np.asarray(turn, dtype=np.float64)
    matrix[:, 2] += np.clip(rng.normal(0, 0.4, 2), -1.5, 1.5) * strength * side / SIZE
    moved = cv2.warpAffine(
        light, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, dtype=np.float32)
