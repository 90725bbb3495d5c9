"""What only depth tells apart is solved from two views, through a server, and not from one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import heads
import numpy as np
import pytest
import synthetic
from microface.addon import api
from microface.addon.character.stage import stage
from microface.addon.character.view import view_face
from microface.addon.generated import Generated
from microface.addon.retarget.prepare import VIEWS
from scipy import ndimage

#: Pairs that look alike from the front: name, centre (x left, z up), direction (-y to the viewer).
ALIKE = {
    "mouthDimpleLeft": ((0.03, -0.04), (0.006, 0.008, 0.001)),
    "mouthStretchLeft": ((0.03, -0.04), (0.006, -0.008, 0.001)),
    "mouthDimpleRight": ((-0.03, -0.04), (-0.006, 0.008, 0.001)),
    "mouthStretchRight": ((-0.03, -0.04), (-0.006, -0.008, 0.001)),
    "noseSneerLeft": ((0.012, 0.01), (0.0, -0.007, 0.004)),
    "nosePressLeft": ((0.012, 0.01), (0.0, 0.007, 0.004)),
    "noseSneerRight": ((-0.012, 0.01), (0.0, -0.007, 0.004)),
    "nosePressRight": ((-0.012, 0.01), (0.0, 0.007, 0.004)),
}
COUNT, APEX = 30, 11
#: How far a network's direction of motion is off.
OFF_DEGREES = 10.0


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A mask whose lip corners and nose have keys that differ in depth alone."""
    monkeypatch.setattr(heads, "MASK_KEYS", ALIKE)
    return heads.mask()


def seen(face: Any, weights: np.ndarray, views: tuple[str, ...]) -> Generated:
    """Return what a network would send of weights (T,S): soft, and a few degrees off its way."""
    columns = np.arange(192)
    angle = np.radians(OFF_DEGREES) * np.sign(columns - columns.mean())
    plain = np.full((192, 192, 3), 128, np.uint8)
    made = []
    with stage(face) as on:
        for name in views:
            view = view_face(on, 192, turn_degrees=VIEWS[name])
            one = synthetic.imagine(view, plain, weights, face.name)
            soft = ndimage.gaussian_filter(one.motion.astype(np.float32), (0, 3, 3, 0))
            x, y = soft[..., 0], soft[..., 1]
            turned = (np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y)
            made.append(replace(one, view=name, motion=np.stack(turned, -1).astype(np.float16)))
    return replace(made[0], others=tuple(made[1:]))


@pytest.mark.slow
def test_depth_takes_two_views(alike: Any, lifting_server: str) -> None:
    names = list(ALIKE)
    worst = {}
    for views in (("front",), ("front", "three-quarter-left")):
        wrong = []
        for true in (("mouthDimple", "noseSneer"), ("mouthStretch", "nosePress")):
            active = np.array([name.startswith(true) for name in names])
            weights = 0.5 * synthetic.bump(COUNT, APEX, 7)[:, None] * active
            found = api.bake_shape_keys(alike, seen(alike, weights, views), server=lifting_server)
            wrong.append(np.abs(found.weights - weights).max(axis=0))
            if len(views) == 2:
                assert not found.weights[:, ~active].any()
        worst[len(views)] = np.max(wrong, axis=0)
    assert worst[2].max() < 0.08
    # One view says the same of both, at the mouth as at the nose: it is wrong of one of them.
    assert (worst[1] > 0.3).all()
