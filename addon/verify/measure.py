"""Play an event of the open file and take its measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.proof.evidence import Event, Evidence
from ...report.proof.measures import Played, measure
from ..bake.time import scene_fps
from ..character.framing import Framing
from ..character.stage import home_scene
from .replay import event_off, replay

#: A face that stands further from where its neutral was taken than this (pixels of the proof's
#: pictures) is posed otherwise by other animation: its pictures cannot be compared.
POSED_PIXELS = 0.5


@dataclass(frozen=True)
class Shown:
    """What was rendered of an event.

    `pictures` (M,size,size,3) as played and `unmoved` (size,size,3) without the event; `posed`
    says that other animation holds the face elsewhere than in its neutral.
    """

    pictures: NDArray[np.uint8]
    unmoved: NDArray[np.uint8]
    posed: bool


@dataclass(frozen=True)
class Measured:
    """The figures of one event by name, how it was played, and its pictures."""

    figures: dict[str, float]
    played: Played
    shown: Shown


def framing_of(evidence: Evidence) -> Framing:
    """Return the framing camera that the evidence remembers."""
    return Framing(
        evidence.camera,
        evidence.size,
        evidence.lens_millimetres,
        evidence.width,
        evidence.distance,
    )


def measure_event(obj: Any, evidence: Evidence, event: Event, *, render: bool = True) -> Measured:
    """Play one event as the file has it, with and without, and compare with what was generated.

    Other animation (a head that turns, lip sync) is taken out by playing the same moment without
    the event, moved rigidly to where the neutral was taken. Nothing of the user's scene changes.
    """
    framing = framing_of(evidence)
    frames = event.frames[event.instants].tolist()
    with replay(obj) as on:
        values = on.values(event)
        points = on.points(event.vertices, frames)
        pictures = [
            on.picture(framing, float(frame)) for frame in event.frames[event.shown] if render
        ]
        with event_off(event):
            values = values - on.values(event)
            rest = on.points(event.vertices, frames)
            posed = _is_posed(framing, event, rest)
            unmoved = on.picture(framing, event.start_frame) if render else evidence.neutral.copy()
    motion = seen_motion(framing, event.rest, points, rest)
    shown = Shown(_stack(pictures, evidence.size), unmoved, posed)
    compared = np.zeros((0, *evidence.neutral.shape), np.uint8)
    if render and not posed:
        compared = _against_neutral(shown, evidence.neutral)
    fps = float(scene_fps(home_scene(obj)))
    played = Played(values, motion, compared, unmoved, fps)
    found = measure(event, evidence.neutral, played)
    return Measured(found, played, shown)


def seen_motion(
    framing: Framing,
    reference: NDArray[np.floating[Any]],
    points: NDArray[np.floating[Any]],
    rest: NDArray[np.floating[Any]],
) -> NDArray[np.float64]:
    """Return how points (K,N,3) are moved in the image against `rest` (K,N,3), (K,N,2) pixels.

    Each moment is first moved rigidly so that its rest lies best on the `reference` (N,3).
    """
    motion = np.zeros((*points.shape[:2], 2))
    for row, now, still in zip(motion, points, rest, strict=True):
        if not (np.isfinite(now).all() and np.isfinite(still).all()) or len(still) < 3:
            row[:] = np.nan
            continue
        rotation, shift = rigid(still, np.asarray(reference, np.float64))
        row[:] = (
            framing.project(now @ rotation.T + shift)[0]
            - framing.project(still @ rotation.T + shift)[0]
        )
    return motion


def rigid(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rotation (3,3) and shift (3,) that best take points to others (Kabsch 1976)."""
    middle, aim = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((source - middle).T @ (target - aim))
    flip = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(vt.T @ u.T))) or 1.0])
    rotation = vt.T @ flip @ u.T
    return rotation, aim - middle @ rotation.T


def _is_posed(framing: Framing, event: Event, rest: NDArray[np.float64]) -> bool:
    if not len(event.vertices):
        return False
    wanted = framing.project(event.rest.astype(np.float64))[0]
    return any(
        not np.isfinite(row).all()
        or float(np.abs(framing.project(row)[0] - wanted).max()) > POSED_PIXELS
        for row in rest
    )


def _against_neutral(shown: Shown, neutral: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pictures as if the unmoved face had been rendered exactly like the neutral.

    Two renders of the same face differ a little by their size and their machine; what is compared
    is the change.
    """
    change = shown.pictures.astype(np.int16) - shown.unmoved.astype(np.int16)
    return np.asarray(np.clip(neutral.astype(np.int16) + change, 0, 255), np.uint8)


def _stack(pictures: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    return np.stack(pictures) if pictures else np.zeros((0, size, size, 3), np.uint8)
