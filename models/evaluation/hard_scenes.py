"""Scenes that ask one hard question each, of held-out heads: who is filmed, who plays, and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..heads.actor import Actor
from ..heads.expressions import added, expression_weights
from ..heads.families import TEST_IDENTITIES_FROM, Floats, HeadModel, RenderHead
from ..heads.keypoints import keypoints_from_landmarks
from ..heads.pairs import Pair, make_pair
from ..heads.render import draw, prepare_look
from ..heads.scene import Camera, Light, crop_of, random_background, random_light, rotation
from ..heads.sensor import Sensor
from ..heads.setting import SIZE
from ..heads.style import STYLES, dressed, style_of

#: Amounts of one expression for the gain curve; every other question is asked at `USUAL`.
STRENGTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
USUAL = 0.35
#: How far a turned face is turned, degrees.
TURN = 15.0
#: Expressions of the gain curve and of all questions that name none, one a scene.
EXPRESSIONS = (
    ("AU4",), ("AU12",), ("AU1", "AU2"), ("AU9",), ("AU15",), ("AU6", "AU12"), ("AU17",), ("AU7",),
)  # fmt: skip
#: Units that are asked for on one side alone.
ONE_SIDED = ("AU12", "AU2", "AU15", "AU10", "AU14")
#: Units of the upper and the lower face that are asked for at once.
TOGETHER = (("AU4", "AU12"), ("AU1", "AU15"), ("AU2", "AU17"), ("AU4", "AU14"))
#: Families of source and character, by their places among the families.
PAIRINGS = ((0, 1), (1, 2), (2, 0), (1, 1), (2, 1), (0, 2), (0, 0), (1, 0), (2, 2))
#: Sizes of a face that no training head has, beside its usual one, along x, y, z.
ODD_FORM = np.array([0.84, 1.14, 1.05], np.float32)

_FILM = Sensor(np.ones(3, np.float32), blur=0.4, noise=0.008, quality=92)
_POOR = replace(_FILM, noise=0.02, flicker=0.03, quality=80)
_RENDER = Sensor(np.ones(3, np.float32))


@dataclass(frozen=True)
class Question:
    """`name` of the question, and the pair that asks it."""

    name: str
    pair: Pair


@dataclass(frozen=True)
class Cast:
    """Who acts in a scene, and the lights on them."""

    source: RenderHead
    character: RenderHead
    lights: tuple[Light, Light]
    backgrounds: tuple[Floats, Floats]


def cast(families: Sequence[HeadModel], number: int) -> Cast:
    """Draw the held-out heads and lights of scene `number`."""
    rng = np.random.default_rng([0, number])
    pairing = PAIRINGS[number % len(PAIRINGS)]
    heads = [
        families[place % len(families)].sample(TEST_IDENTITIES_FROM + int(rng.integers(2**20)))
        for place in pairing
    ]
    lights = (random_light(rng), random_light(rng))
    return Cast(
        heads[0], heads[1], lights, (random_background(rng, SIZE), random_background(rng, SIZE))
    )


def filmed(
    head: RenderHead,
    light: Light,
    background: Floats,
    sensor: Sensor,
    yaw: float = 0.0,
    style: str = "",
) -> Actor:
    """Put a head at rest before a camera, framed by the crop convention; `style` one of `STYLES`
    or none."""
    drawn = None
    if style:
        rng = np.random.default_rng(STYLES.index(style))
        head = dressed(rng, head, style)
        drawn = style_of(rng, style, float((light.colour + light.ambient[0]).mean()))
    camera = Camera(rotation(yaw, 0), 120.0, np.eye(2, 3, dtype=np.float32))
    marks = keypoints_from_landmarks(camera.plane(head.rest[head.landmarks])[:, :2])
    camera = replace(camera, crop=crop_of(marks))
    look = prepare_look(head, head.rest, camera, light, drawn)
    neutral = draw(head, head.rest, look, SIZE)
    level = max(float(neutral.light.reshape(-1, 4)[neutral.pixel, :3].mean()), 1e-3)
    sensor = replace(sensor, exposure=sensor.exposure * np.float32(0.2 / level))
    return Actor(head, {}, look, sensor, background * np.float32(level / 0.2), head.rest, neutral)


def doing(
    units: Sequence[str], strength: float, left: float = 1, right: float = 1
) -> dict[str, float]:
    """Return canonical amounts of units at a strength, times the share of each side."""
    weights: dict[str, float] = {}
    for unit in units:
        weights = added(weights, expression_weights(unit, strength * left, strength * right))
    return weights


def questions(families: Sequence[HeadModel], number: int) -> Iterator[Question]:
    """Yield all questions of one scene."""
    who = cast(families, number)
    rng = np.random.default_rng([0, number, 1])

    def source(sensor: Sensor = _FILM, yaw: float = 0.0, head: RenderHead | None = None) -> Actor:
        return filmed(head or who.source, who.lights[0], who.backgrounds[0], sensor, yaw)

    def character(sensor: Sensor = _RENDER, yaw: float = 0.0, style: str = "") -> Actor:
        return filmed(who.character, who.lights[1], who.backgrounds[1], sensor, yaw, style)

    person, player = source(), character()
    units = EXPRESSIONS[number % len(EXPRESSIONS)]
    for strength in STRENGTHS:
        acted = doing(units, strength)
        yield Question(f"gain {strength:g}", make_pair(rng, person, player, acted))
    sides = (1.0, 0.0) if number % 2 else (0.0, 1.0)
    alone = doing(ONE_SIDED[number % len(ONE_SIDED) :][:1], USUAL, *sides)
    yield Question("one side", make_pair(rng, person, player, alone))
    both = doing(TOGETHER[number % len(TOGETHER)], USUAL)
    yield Question("two units", make_pair(rng, person, player, both))
    poor = source(_POOR)
    yield Question("still", make_pair(rng, poor, player, {}, shake=0))
    yield Question("head shake", make_pair(rng, person, player, {}, shake=3))
    odd = replace(who.source, rest=who.source.rest * ODD_FORM)
    yield Question("odd form at rest", make_pair(rng, source(head=odd), player, {}))
    acted = doing(units, USUAL)
    yield Question("odd form", make_pair(rng, source(head=odd), player, acted))
    turn = TURN if number % 2 else -TURN
    turned, faced = source(yaw=turn), character(yaw=-turn)
    yield Question("source turned", make_pair(rng, turned, player, acted))
    yield Question("character turned", make_pair(rng, person, faced, acted))
    yield Question("both turned", make_pair(rng, turned, faced, acted))
    grey = replace(_RENDER, saturation=0.0)
    yield Question("grey character", make_pair(rng, person, character(grey), acted))
    filmed_grey = source(replace(_FILM, saturation=0.0))
    yield Question("grey source", make_pair(rng, filmed_grey, player, acted))
    for style in STYLES:
        drawn = character(style=style)
        yield Question(f"{style} character", make_pair(rng, person, drawn, acted))
