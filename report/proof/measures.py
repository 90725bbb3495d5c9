"""How far a bake, as its file plays it, is from what was generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..figures import psnr
from .evidence import Event

#: Slack of every curve: Blender keeps keys in single precision.
CURVE_SLACK = 2e-4
#: Motion may be this much less explained than the solve foretold: share of its energy.
MOTION_SLACK = 0.03
#: A render of another machine may be this much further off than the one when baking.
PSNR_SLACK_DECIBELS = 1.0
#: Slack of the apex beside half a frame of the clip.
TIME_SLACK_SECONDS = 1e-4
#: PSNR is capped here: a part with no difference at all.
MOST_DECIBELS = 99.0


@dataclass(frozen=True)
class Played:
    """One event as Blender plays the file.

    `values` (T,P) changes of the event's P targets from neutral at its frames; `motion` (K,N,2)
    pixels, seen from the framing camera; `pictures` (M,size,size,3) uint8 rendered at the shown
    instants, the render's own bias against the neutral taken out; `unmoved` (size,size,3) as
    rendered without the event; both empty where nothing was rendered; `fps` of the scene.
    """

    values: NDArray[np.float64]
    motion: NDArray[np.float64]
    pictures: NDArray[np.uint8]
    unmoved: NDArray[np.uint8]
    fps: float


def curve_error(weights: NDArray[np.floating[Any]], expected: NDArray[np.floating[Any]]) -> float:
    """Return the largest difference of two sets of curves (T,S)."""
    return float(np.abs(weights - expected).max(initial=0.0))


def expected_values(event: Event) -> NDArray[np.float64]:
    """Return what the event's targets were to change by, (T,P)."""
    columns = [
        event.weights[:, list(target.channels)].astype(np.float64).sum(axis=1)
        for target in event.targets
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(event.times), 0))


def amplitude(weights: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return how strong an expression is at each time, (T,), from curves (T,S)."""
    return np.asarray(np.sqrt((np.asarray(weights, np.float64) ** 2).sum(axis=1)))


def unexplained_share(seen: NDArray[np.floating[Any]], wanted: NDArray[np.floating[Any]]) -> float:
    """Return the share of the energy of a motion (K,N,2) that another leaves unexplained.

    0 where both are equal, 1 where the other stands still; 0 where nothing was to move.
    """
    energy = float((np.asarray(wanted, np.float64) ** 2).sum())
    left = float(((np.asarray(seen, np.float64) - np.asarray(wanted, np.float64)) ** 2).sum())
    return left / energy if energy > 0 else float(left > 0)


def residual_by_vertex(
    seen: NDArray[np.floating[Any]], wanted: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return the root mean square pixels (N,) left over of a motion (K,N,2)."""
    left = ((np.asarray(seen, np.float64) - np.asarray(wanted, np.float64)) ** 2).sum(axis=2)
    return np.asarray(np.sqrt(left.mean(axis=0))) if len(left) else np.zeros(left.shape[1])


def generated_pictures(event: Event, neutral: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the generated pictures (M,size,size,3): the neutral with what was cut out."""
    top, left = event.corner
    height, width = event.pictures.shape[1:3]
    whole = np.repeat(neutral[None], len(event.shown), axis=0)
    whole[:, top : top + height, left : left + width] = event.pictures
    return whole


def moving_region(event: Event, size: int) -> NDArray[np.bool_]:
    """Return where the face moves at the shown instants, (M,size,size)."""
    top, left = event.corner
    height, width = event.moving.shape[1:3]
    whole = np.zeros((len(event.shown), size, size), bool)
    whole[:, top : top + height, left : left + width] = event.moving
    return whole


def region_psnr(
    pictures: NDArray[np.uint8], wanted: NDArray[np.uint8], where: NDArray[np.bool_]
) -> float:
    """Return the PSNR in dB where a region (M,H,W) is; the cap for equal or empty parts."""
    found = psnr(pictures, wanted, where)
    return MOST_DECIBELS if np.isnan(found) else min(found, MOST_DECIBELS)


def measure(event: Event, neutral: NDArray[np.uint8], played: Played) -> dict[str, float]:
    """Return the figures of one event.

    `curve_error` (weight), `apex_seconds` (when the played apex comes after the clip's start),
    `motion_unexplained` (share), `moving_psnr`, `static_psnr` (of the unmoved neutral there),
    `still_psnr` and `neutral_psnr` (of the face without the event against the neutral picture),
    all in dB.
    """
    wanted = generated_pictures(event, neutral)
    moving = moving_region(event, neutral.shape[0])
    unmoved = np.repeat(neutral[None], len(wanted), axis=0)
    units = np.array([target.unit for target in event.targets])
    apex = event.apex
    if event.targets:
        apex = int(amplitude(played.values / units).argmax())
    found = {
        "curve_error": curve_error(played.values / units, expected_values(event) / units),
        "apex_seconds": float((event.frames[apex] - event.start_frame) / played.fps),
        "motion_unexplained": unexplained_share(played.motion, event.motion),
    }
    if len(played.pictures):
        found["moving_psnr"] = region_psnr(played.pictures, wanted, moving)
        found["static_psnr"] = region_psnr(unmoved, wanted, moving)
        found["still_psnr"] = region_psnr(played.pictures, wanted, ~moving)
        everywhere = np.ones(neutral.shape[:2], bool)
        found["neutral_psnr"] = region_psnr(played.unmoved, neutral, everywhere)
    return found


def limits(
    event: Event, found: dict[str, float], curve_tolerance: float, foretold_unexplained: float
) -> dict[str, float]:
    """Return the tolerances to check a bake by, from its settings and what was found when baking.

    `curve_tolerance` to which the curves were thinned or sampled; `foretold_unexplained` the share
    of the motion that the solved weights leave over by the solve's own account.
    """
    fps = 1.0 / float(np.diff(event.times).min()) if len(event.times) > 1 else 1.0
    stated = {
        "curve_error": curve_tolerance + CURVE_SLACK,
        "apex_error_seconds": 0.5 / fps + TIME_SLACK_SECONDS,
        "motion_unexplained": foretold_unexplained + MOTION_SLACK,
    }
    return stated | picture_limits(found)


#: More PSNR (dB) than this is not asked for: another build of Blender renders other noise.
MOST_PSNR_DECIBELS = {"moving_psnr": 45.0, "still_psnr": 60.0, "neutral_psnr": 41.0}


def picture_limits(found: dict[str, float]) -> dict[str, float]:
    """Return the least PSNR (dB) of the renders that figures `found` when baking ask for."""
    return {
        name: min(found[name], most) - PSNR_SLACK_DECIBELS
        for name, most in MOST_PSNR_DECIBELS.items()
        if name in found
    }
