"""A built-in head before a camera."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from microface.head.head import build_head
from microface.head.identity import IDENTITIES
from microface.models.evaluation.hard_scenes import doing, filmed
from microface.models.heads.actor import Actor
from microface.models.heads.pairs import to_cells
from microface.models.heads.procedural import render_head
from microface.models.heads.render import motion
from microface.models.heads.scene import composed, random_background, random_light
from microface.models.heads.sensor import Sensor, expose
from microface.server.clips.crop import NETWORK_PIXELS as SIZE


@cache
def actor(noise: float) -> Actor:
    """Return a head in the middle of the crop, filmed with a sensor of so much noise."""
    rng = np.random.default_rng(4)
    head = render_head(build_head(IDENTITIES["lars"], 512))
    sensor = Sensor(np.ones(3, np.float32), blur=0.4, noise=noise)
    return filmed(head, random_light(rng), random_background(rng, SIZE), sensor)


class Played(NamedTuple):
    """The head's `neutral` and a `frame`, both (256, 256, 3) uint8, and the true motion between
    them, `flow` (64, 64, 2) in pixels, with the share (64, 64) of each cell that is `seen`."""

    neutral: np.ndarray
    frame: np.ndarray
    flow: np.ndarray
    seen: np.ndarray


def played(noise: float, units: tuple[str, ...], strength: float) -> Played:
    """Return what a sensor of so much noise films of the head as it does action units."""
    rng = np.random.default_rng(5)
    who = actor(noise)
    drawn = who.acted(who.played(doing(units, strength), ()))
    neutral, frame = (
        expose(who.sensor, composed(one.light, who.background), rng, first=True)
        for one in (who.neutral, drawn)
    )
    moved = motion(who.neutral, drawn, who.head.triangles)
    return Played(neutral, frame, to_cells(moved.flow), to_cells(moved.visible))


def pictured(weights: dict[str, float], light: float = 1.0) -> np.ndarray:
    """Return a picture (256, 256, 3) of the head with these weights, in more or less light."""
    who = actor(0.01)
    drawn = who.acted(who.played(weights, ()))
    shown = light * composed(drawn.light, who.background).astype(np.float32)
    return expose(who.sensor, shown, np.random.default_rng(5), first=True)
