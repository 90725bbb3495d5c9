"""A built-in head before a camera."""

from __future__ import annotations

from functools import cache

import numpy as np
from microface.head.head import build_head
from microface.head.identity import IDENTITIES
from microface.models.evaluation.hard_scenes import filmed
from microface.models.heads.actor import Actor
from microface.models.heads.procedural import render_head
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


def pictured(weights: dict[str, float], light: float = 1.0) -> np.ndarray:
    """Return a picture (256, 256, 3) of the head with these weights, in more or less light."""
    who = actor(0.01)
    drawn = who.acted(who.played(weights, ()))
    shown = light * composed(drawn.light, who.background).astype(np.float32)
    return expose(who.sensor, shown, np.random.default_rng(5), first=True)
