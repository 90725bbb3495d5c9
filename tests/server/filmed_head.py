"""A built-in head before a camera."""

from __future__ import annotations

from functools import cache

import numpy as np
from microface.head.head import build_head
from microface.head.identity import IDENTITIES
from microface.models.evaluation.hard_scenes import filmed
from microface.models.heads.actor import Actor
from microface.models.heads.procedural import render_head
from microface.models.heads.scene import random_background, random_light
from microface.models.heads.sensor import Sensor
from microface.server.clips.crop import NETWORK_PIXELS as SIZE


@cache
def actor(noise: float) -> Actor:
    """Return a head in the middle of the crop, filmed with a sensor of so much noise."""
    rng = np.random.default_rng(4)
    head = render_head(build_head(IDENTITIES["lars"], 512))
    sensor = Sensor(np.ones(3, np.float32), blur=0.4, noise=noise)
    return filmed(head, random_light(rng), random_background(rng, SIZE), sensor)
