"""Training pairs: the same action-unit curve on a source face and on a character, with the truth.

A *scene* is one source and one character; it gives several pairs that share both neutrals, so that
a neutral is drawn once. All randomness comes from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .actor import Actor, make_actor, shaken
from .chart import chart_map
from .expressions import COMPANIONS, FREQUENCIES, ONE_SIDED, added, expression_weights
from .families import TEST_IDENTITIES_FROM, Floats, HeadModel, RenderHead
from .fixed import MOSTLY, beneath, fixed_share
from .makeup import laid_over
from .occluders import free_share, moved
from .pulls import Pull, random_pulls
from .render import motion
from .scene import Framing, composed
from .sensor import expose

CELLS = 64
Split = Literal["train", "test"]

SOURCE_FRAMING = Framing(yaw=10, pitch=9)
CHARACTER_FRAMING = Framing(yaw=15, pitch=12)
#: How often a family plays the source and the character, beside 1 for the others: sources are real
#: people, whom the stylised built-in head resembles least.
_SHARES = {"procedural": (0.4, 1.0)}
#: Shares of training's expressions that take all units alike, and that are left out.
EVEN, STILL = 0.33, 0.06
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
    source_moving: Floats  # (64, 64) share of a cell on the face and visible in both
    source_points: Floats  # (30, 2)
    source_motion: Floats  # (30, 2)
    source_chart: NDArray[np.float16]  # (64, 64, 4) place in the chart, share on the head
    character_neutral: NDArray[np.uint8]
    character_frame: NDArray[np.uint8]
    character_forward: NDArray[np.float16]  # (256, 256, 2)
    character_backward: NDArray[np.float16]  # (256, 256, 2)
    character_visible: NDArray[np.uint8]  # (256, 256) 1 where the backward flow holds
    character_fixed: NDArray[np.uint8]  # (256, 256) 1 where hair, clothes or a cover show
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


def random_expression(rng: np.random.Generator, even: bool = False) -> dict[str, float]:
    """Draw canonical amounts of one instant of an expression; for 10 % none: nothing moves.

    Units come as often as they are seen on people, or, where `even`, all alike.
    """
    if rng.random() < 0.1:
        return {}
    strength = float(rng.uniform(0.4, 1.0) if rng.random() < 0.2 else rng.uniform(0.05, 0.4))
    units: list[str]
    if rng.random() < 0.35:
        units = list(COMPANIONS[int(rng.integers(len(COMPANIONS)))])
    else:
        seen = np.array(list(FREQUENCIES.values()), np.float64)
        shares = np.ones_like(seen) if even else seen
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


def to_cells(values: Floats) -> Floats:
    """Return the area means (64, 64[, C]) of a picture-sized field (256, 256[, C])."""
    return np.asarray(cv2.resize(values, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32)


def identity_of(rng: np.random.Generator, split: Split) -> int:
    """Draw the number of an identity that only this split has."""
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
    first = source.sample(identity_of(rng, split))
    if rng.random() < 0.25:
        return first, first
    return first, character.sample(identity_of(rng, split))


def sample_scene(
    rng: np.random.Generator, families: Sequence[HeadModel], split: Split, frames: int = 4
) -> list[Pair]:
    """Draw one source and one character and `frames` pairs of them.

    Tests are plain, so that their figures stay comparable: what is hard has measures of its own.
    """
    varied = split == "train"
    heads = choose_heads(rng, families, split)
    source = make_actor(rng, heads[0], SOURCE_FRAMING, clean=False, varied=varied)
    character = make_actor(rng, heads[1], CHARACTER_FRAMING, clean=True, varied=varied)
    return [make_pair(rng, source, character, *random_act(rng, split)) for _ in range(frames)]


def sample_pair(rng: np.random.Generator, families: Sequence[HeadModel], split: Split) -> Pair:
    """Draw a single pair."""
    return sample_scene(rng, families, split, frames=1)[0]


def random_act(rng: np.random.Generator, split: Split) -> tuple[dict[str, float], tuple[Pull, ...]]:
    """Draw an expression and, in training, pulls beside or instead of one in five that move, a
    blink across one in twenty, and now and then none: a still face is where noise shows.

    In training a third take rare units as often as common ones: a face is asked for all of them.
    """
    if split == "test":
        return random_expression(rng), ()
    variety = rng.spawn(1)[0]
    weights = random_expression(rng, even=variety.random() < EVEN)
    if variety.random() < STILL:
        return {}, ()
    blink = expression_weights("AU45", *variety.uniform(0.3, 1.0, 2))
    blinked = added(weights, blink) if variety.random() < 0.05 else weights
    if not weights or rng.random() >= 0.2:
        return blinked, ()
    return (blinked if rng.random() < 0.4 else {}), random_pulls(rng)


def make_pair(
    rng: np.random.Generator,
    source: Actor,
    character: Actor,
    weights: dict[str, float],
    pulls: tuple[Pull, ...] = (),
    shake: float = 1.0,
) -> Pair:
    """Return the pair in which both actors do the same; the source's head shakes `shake` times as
    much as steadying leaves."""
    before = after = source.cover
    if before is not None and source.loose:
        after = moved(before, rng.normal(0, 2, 2).astype(np.float32))
    covered = laid_over(source.neutral.light, before)
    neutral = expose(source.sensor, composed(covered, source.background), rng, first=True)
    moves = bool(weights or pulls)
    acted = source.played(weights, pulls)
    drawn = source.acted(acted) if moves else source.neutral
    frame = expose(
        source.sensor,
        composed(shaken(rng, laid_over(drawn.light, after), shake), source.background),
        rng,
        first=False,
    )
    flow = motion(source.neutral, drawn, source.head.triangles)
    seen = flow.visible * (1 - fixed_share(source.head, source.neutral))
    if before is not None and after is not None:
        seen = seen * free_share(before, after, flow.flow)

    played = character.played(weights, pulls)
    shown = character.acted(played) if moves else character.neutral
    forward = motion(character.neutral, shown, character.head.triangles)
    backward = motion(shown, character.neutral, character.head.triangles)
    cover = character.cover
    if cover is not None:
        forward, backward = beneath(forward, cover), beneath(backward, cover)
    # Off the head nothing moves; there the backward flow holds where no head was either.
    still = (backward.covered == 0) & (forward.covered == 0)
    visible = (backward.visible > 0.75) | still
    pictures = [
        expose(
            character.sensor,
            composed(laid_over(d.light, cover), character.background),
            rng,
            first=True,
        )
        for d in (character.neutral, shown)
    ]
    fixed = fixed_share(character.head, character.neutral, cover) > MOSTLY
    charts = [
        chart_map(actor.head, actor.neutral, CELLS).astype(np.float16)
        for actor in (source, character)
    ]
    return Pair(
        neutral, frame, to_cells(flow.flow * (flow.covered > 0)[..., None]),
        to_cells(seen),
        source.points, source.points_of(acted) - source.points,
        charts[0],
        pictures[0], pictures[1],
        forward.flow.astype(np.float16), backward.flow.astype(np.float16),
        visible.astype(np.uint8), fixed.astype(np.uint8),
        character.points, character.points_of(played) - character.points,
        charts[1], weights, (source.head.family, character.head.family),
        (source.head.identity, character.head.identity),
    )  # fmt: skip
