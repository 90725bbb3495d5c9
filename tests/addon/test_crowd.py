"""Channels of a face are told from those of a body that is of one mesh with it."""

from __future__ import annotations

import numpy as np
from microface.addon.character.crowd import facial
from numpy.typing import NDArray

NAMED = (
    "browDownLeft", "browDownRight", "browInnerUp", "eyeBlinkLeft", "eyeBlinkRight", "jawOpen",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthPucker",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip


def places(count: int, centre: tuple[float, float, float], spread: float) -> NDArray[np.float64]:
    """Places (count, 3) evenly within `spread` of a centre."""
    return np.random.default_rng(2).uniform(-spread, spread, (count, 3)) + centre


def test_keys_of_a_body_are_not_the_faces() -> None:
    face, body = places(13, (0, -0.1, 1.65), 0.05), places(60, (0, 0, 0.7), 0.7)
    unnamed = places(4, (0, -0.1, 1.65), 0.03)
    body = body[np.linalg.norm(body - (0, -0.1, 1.65), axis=1) > 0.2]
    names = [*NAMED, *(f"wrinkle{k}" for k in range(4)), *(f"morph{k}" for k in range(len(body)))]
    found = facial(names, np.concatenate([face, unnamed, body]))
    assert found[:13].mean() > 0.9 and found[13:17].all() and not found[17:].any()


def test_without_names_only_what_is_far_off_is_left_out() -> None:
    middles = np.concatenate([places(40, (0, 0, 1.6), 0.08), [[0, 0, 0.2]], [[np.nan] * 3]])
    found = facial([f"key_{k}" for k in range(42)], middles)
    assert found[:40].all() and not found[40:].any()


def test_channels_that_move_nothing_are_nobodys() -> None:
    assert not facial(["a", "b"], np.full((2, 3), np.nan)).any()
