"""What varies on a face beside form and skin: beards, lip and cheek colour, shade, teeth."""

from __future__ import annotations

import numpy as np

from .families import Floats
from .keypoints import face_unit, keypoints_from_landmarks


def _near(places: Floats, centres: Floats, reach: float) -> Floats:
    """Return (V,) 0..1: soft union of balls of radius `reach` about `centres` (n, 3)."""
    free = np.ones(len(places), np.float32)
    for centre in centres:
        away = places - centre
        squared = np.einsum("vk,vk->v", away, away) / np.float32(2 * reach * reach)
        free *= 1 - np.exp(-squared)
    return np.asarray(1 - free, dtype=np.float32)


def face_tint(rng: np.random.Generator, places: Floats, marks: Floats) -> Floats:
    """Draw a factor (V, 3) on the colour of skin vertices `places` (V, 3).

    `marks` (68, 3) are the landmarks of the same head. A quarter of the faces get a beard, from a
    shadow to a full one; half get other lips; some get blush or dark rings under the eyes.
    """
    unit = face_unit(keypoints_from_landmarks(marks)[:, :2])
    tint = np.ones((len(places), 3), np.float32)
    lips = _near(places, marks[48:60], 0.06 * unit)
    if rng.random() < 0.25:
        moustache = (marks[[32, 33, 34]] + marks[[50, 51, 52]]) / 2
        chin = np.concatenate([marks[4:13], (marks[[6, 8, 10]] + marks[[58, 57, 56]]) / 2])
        hair = _near(places, moustache, 0.1 * unit) + _near(places, chin, 0.2 * unit)
        hair = np.clip(hair, 0, 1) * (1 - lips) * (places[:, 2] > marks[[2, 14], 2].mean() - unit)
        hair *= rng.uniform(0.6, 1.3, len(places)).astype(np.float32)
        density = np.float32(rng.uniform(0.2, 1.6))
        tint *= np.exp(-density * hair[:, None] * np.array([0.9, 1.0, 1.05], np.float32))
    if rng.random() < 0.5:
        colour = rng.uniform((0.75, 0.45, 0.5), (1.1, 1.0, 1.0)).astype(np.float32)
        tint *= 1 + lips[:, None] * (colour - 1)
    if rng.random() < 0.3:
        cheeks = np.stack([marks[[41, 48, 3]].mean(0), marks[[46, 54, 13]].mean(0)])
        blush = _near(places, cheeks, 0.25 * unit) * np.float32(rng.uniform(0.1, 0.4))
        tint *= 1 - blush[:, None] * np.array([0.0, 1.0, 0.8], np.float32)
    if rng.random() < 0.3:
        rings = np.stack([marks[[40, 41]].mean(0), marks[[46, 47]].mean(0)])
        shade = _near(places, rings, 0.12 * unit) * np.float32(rng.uniform(0.1, 0.45))
        tint *= 1 - shade[:, None]
    return tint


def teeth_tint(rng: np.random.Generator) -> Floats:
    """Draw a factor (3,) on the colour of teeth: whiter to yellower, brighter to darker."""
    yellow = np.array([0.0, 0.12, 0.4]) * rng.uniform(-0.2, 1.0)
    return np.asarray(np.exp(rng.uniform(-0.4, 0.1) - yellow), dtype=np.float32)


def laid_over(light: Floats, cover: Floats | None) -> Floats:
    """Return light (S, S, 4) with a cover (S, S, 4) over it, both premultiplied."""
    if cover is None:
        return light
    return np.asarray(cover + light * (1 - cover[..., 3:]), dtype=np.float32)
