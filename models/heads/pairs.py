"""Training pairs: the same action-unit curve on a source face and on a character, with the truth.

A *scene* is one source and one character; it gives several pairs that share both neutrals, so that
a neutral is drawn once. All randomness comes from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .chart import chart_map
from .expressions import (
    COMPANIONS,
    FREQUENCIES,
    ONE_SIDED,
    RECIPES,
    added,
    expression_weights,
)
from .families import TEST_IDENTITIES_FROM, Floats, HeadModel, RenderHead
from .keypoints import keypoints_from_landmarks
from .makeup import laid_over, share_free, spectacles
from .pulls import Pull, pulled, random_pulls
from .render import SUPERSAMPLING, Drawing, Look, draw, motion, prepare_look
from .scene import Framing, composed, random_background, random_camera, random_light
from .sensor import Sensor, expose, random_sensor

SIZE = 256
CELLS = 64
Split = Literal["train", "test"]

_SOURCE_FRAMING = Framing(yaw=10, pitch=9)
_CHARACTER_FRAMING = Framing(yaw=15, pitch=12)
#: How often a family plays the source and the character, beside 1 for the others: sources are real
#: people, whom the stylised built-in head resembles least.
_SHARES = {"procedural": (0.4, 1.0)}
#: Source family -> character family that training never sees, so that tests can.
HELD_OUT_DIRECTION = ("makehuman", "ict")


@dataclass(frozen=True)
class Pair:
    """One training example at 256 pixels; lengths in its pixels.

    The source's frame carries head shake and noise of its own, its flow, points and motion do
    not: they are the expression's alone. The character's frame is the truth for a generator.
    """

    source_neutral: NDArray[np.uint8]  # (256, 256, 3)
    source_frame: NDArray[np.uint8]
    source_flow: Floats  # (64, 64, 2) forward, 0 off the head
    source_moving: Floats  # (64, 64) share of a cell on the head and visible in both
    source_points: Floats  # (30, 2)
    source_motion: Floats  # (30, 2)
    source_chart: NDArray[np.float16]  # (64, 64, 4) place in the chart, share on the head
    character_neutral: NDArray[np.uint8]
    character_frame: NDArray[np.uint8]
    character_forward: NDArray[np.float16]  # (256, 256, 2)
    character_backward: NDArray[np.float16]  # (256, 256, 2)
    character_visible: NDArray[np.uint8]  # (256, 256) 1 where the backward flow holds
    character_points: Floats
    character_motion: Floats
    character_chart: NDArray[np.float16]  # (64, 64, 4)
    weights: dict[str, float]
    families: tuple[str, str]
    identities: tuple[int, int]

    @staticmethod
    def arrays() -> tuple[str, ...]:
        """Names of the array fields."""
        return tuple(
            f.name for f in fields(Pair) if f.name.split("_")[0] in ("source", "character")
        )


@dataclass(frozen=True)
class Actor:
    """A head in front of a camera, with its neutral drawn."""

    head: RenderHead
    base: dict[str, float]
    look: Look
    sensor: Sensor
    background: Floats
    vertices: Floats
    neutral: Drawing
    cover: Floats | None = None

    def light(self, drawing: Drawing) -> Floats:
        """Return a drawing's light (2S, 2S, 4) with what the head wears over it."""
        return laid_over(drawing.light, self.cover)

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


def random_expression(rng: np.random.Generator) -> dict[str, float]:
    """Draw canonical amounts of one instant of an expression; for 10 % none: nothing moves."""
    if rng.random() < 0.1:
        return {}
    strength = float(rng.uniform(0.4, 1.0) if rng.random() < 0.2 else rng.uniform(0.05, 0.4))
    units: list[str]
    if rng.random() < 0.35:
        units = list(COMPANIONS[int(rng.integers(len(COMPANIONS)))])
    else:
        shares = np.array(list(FREQUENCIES.values()), np.float64)
        count = int(rng.choice([1, 2, 3], p=[0.65, 0.25, 0.1]))
        names = rng.choice(list(FREQUENCIES), count, replace=False, p=shares / shares.sum())
        units = [str(n) for n in names]
    total: dict[str, float] = {}
    for unit in units:
        amount = strength * float(rng.uniform(0.6, 1.0))
        left = right = amount
        gain = float(rng.uniform(0.85, 1.15))
        left, right = left * gain, right / gain
        if unit in ONE_SIDED and rng.random() < 0.2:
            left, right = (left, 0.0) if rng.random() < 0.5 else (0.0, right)
        total = added(total, expression_weights(unit, left, right))
    return {name: float(min(amount, 1.0)) for name, amount in total.items() if amount > 0}


def make_actor(
    rng: np.random.Generator, head: RenderHead, framing: Framing, *, clean: bool
) -> Actor:
    """Put a head in front of a random camera, light, background and sensor."""
    base = random_base(rng)
    vertices = head.posed(base)
    camera = random_camera(rng, vertices, head.landmarks, framing)
    look = prepare_look(head, vertices, camera, random_light(rng))
    neutral = draw(head, vertices, look, SIZE)
    sensor = random_sensor(rng, clean=clean)
    # Exposed for the head, as cameras and artists do; the background takes what comes.
    level = float(neutral.light.reshape(-1, 4)[neutral.pixel, :3].mean())
    wanted = float(np.clip(np.exp(rng.normal(np.log(0.2), 0.4)), 0.05, 0.45))
    sensor = replace(sensor, exposure=sensor.exposure * np.float32(wanted / max(level, 1e-3)))
    background = random_background(rng, SIZE) * np.float32(max(level, 1e-3) / wanted)
    cover = None
    if not clean and rng.random() < 0.1:
        cover = spectacles(rng, neutral.points[head.landmarks], SIZE * SUPERSAMPLING)
    return Actor(head, base, look, sensor, background, vertices, neutral, cover)


def shaken(rng: np.random.Generator, light: Floats) -> Floats:
    """Return a supersampled head (S, S, 4) under the small rigid motion that steadying leaves."""
    side = light.shape[0]
    angle = float(rng.normal(0, 0.2))
    scale = float(np.exp(rng.normal(0, 0.0015)))
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(np.clip(angle, -0.8, 0.8)), scale)
    matrix = np.asarray(turn, dtype=np.float64)
    matrix[:, 2] += np.clip(rng.normal(0, 0.4, 2), -1.5, 1.5) * side / SIZE
    moved = cv2.warpAffine(
        light, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, dtype=np.float32)


def to_cells(values: Floats) -> Floats:
    """Return the area means (64, 64[, C]) of a picture-sized field (256, 256[, C])."""
    return np.asarray(cv2.resize(values, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32)


def _identity(rng: np.random.Generator, split: Split) -> int:
    number = int(rng.integers(TEST_IDENTITIES_FROM))
    return number + TEST_IDENTITIES_FROM if split == "test" else number


def _family(rng: np.random.Generator, families: Sequence[HeadModel], role: int) -> HeadModel:
    shares = np.array([_SHARES.get(f.name, (1.0, 1.0))[role] for f in families])
    return families[int(rng.choice(len(families), p=shares / shares.sum()))]


def choose_heads(
    rng: np.random.Generator, families: Sequence[HeadModel], split: Split
) -> tuple[RenderHead, RenderHead]:
    """Draw source and character: a quarter the same head, else any two families but, for training,
    the held-out direction."""
    while True:
        source = _family(rng, families, 0)
        character = _family(rng, families, 1)
        if split == "test" or (source.name, character.name) != HELD_OUT_DIRECTION:
            break
    first = source.sample(_identity(rng, split))
    if rng.random() < 0.25:
        return first, first
    return first, character.sample(_identity(rng, split))


def sample_scene(
    rng: np.random.Generator, families: Sequence[HeadModel], split: Split, frames: int = 4
) -> list[Pair]:
    """Draw one source and one character and `frames` pairs of them."""
    heads = choose_heads(rng, families, split)
    source = make_actor(rng, heads[0], _SOURCE_FRAMING, clean=False)
    character = make_actor(rng, heads[1], _CHARACTER_FRAMING, clean=True)
    return [_pair(rng, source, character, *_act(rng, split)) for _ in range(frames)]


def sample_pair(rng: np.random.Generator, families: Sequence[HeadModel], split: Split) -> Pair:
    """Draw a single pair."""
    return sample_scene(rng, families, split, frames=1)[0]


def _act(rng: np.random.Generator, split: Split) -> tuple[dict[str, float], tuple[Pull, ...]]:
    """Draw an expression and, in training, pulls beside or instead of one in five that move."""
    weights = random_expression(rng)
    if split == "test" or not weights or rng.random() >= 0.2:
        return weights, ()
    return (weights if rng.random() < 0.4 else {}), random_pulls(rng)


def _pair(
    rng: np.random.Generator,
    source: Actor,
    character: Actor,
    weights: dict[str, float],
    pulls: tuple[Pull, ...],
) -> Pair:
    neutral = expose(
        source.sensor, composed(source.light(source.neutral), source.background), rng, first=True
    )
    moves = bool(weights or pulls)
    acted = source.played(weights, pulls)
    drawn = source.acted(acted) if moves else source.neutral
    frame = expose(
        source.sensor,
        composed(shaken(rng, source.light(drawn)), source.background),
        rng,
        first=False,
    )
    flow = motion(source.neutral, drawn, source.head.triangles)

    played = character.played(weights, pulls)
    shown = character.acted(played) if moves else character.neutral
    forward = motion(character.neutral, shown, character.head.triangles)
    backward = motion(shown, character.neutral, character.head.triangles)
    # Off the head nothing moves; there the backward flow holds where no head was either.
    still = (backward.covered == 0) & (forward.covered == 0)
    visible = (backward.visible > 0.75) | still
    pictures = [
        expose(character.sensor, composed(d.light, character.background), rng, first=True)
        for d in (character.neutral, shown)
    ]
    charts = [
        chart_map(actor.head, actor.neutral, CELLS).astype(np.float16)
        for actor in (source, character)
    ]
    return Pair(
        neutral, frame, to_cells(flow.flow * (flow.covered > 0)[..., None]),
        to_cells(flow.visible * share_free(source.cover, SIZE)),
        source.points, source.points_of(acted) - source.points,
        charts[0],
        pictures[0], pictures[1],
        forward.flow.astype(np.float16), backward.flow.astype(np.float16),
        visible.astype(np.uint8),
        character.points, character.points_of(played) - character.points,
        charts[1], weights, (source.head.family, character.head.family),
        (source.head.identity, character.head.identity),
    )  # fmt: skip
