"""Brows and lashes: tapered tufts that are rooted in the skin and follow it."""

from __future__ import annotations

import numpy as np

from .arrays import Floats, Ints
from .atlas import place
from .measures import Measures
from .part import Part
from .skin import Skin

BROW_TUFTS, LASHES, LOWER_LASHES = 130, 26, 16


def _around(points: Floats, skin: Skin) -> Ints:
    """Outer skin vertices on the front within a centimetre of the box round `points` (N, 2 | 3)."""
    outer = skin.grid.outer
    p = skin.points[outer]
    low, high = points[:, :2].min(axis=0) - 1.0, points[:, :2].max(axis=0) + 1.0
    inside = np.all((p[:, :2] > low) & (p[:, :2] < high), axis=1) & (p[:, 2] > -4.5)
    return np.asarray(outer[inside])


def nearest_anchors(points: Floats, skin: Skin, count: int = 4) -> tuple[Ints, Floats]:
    """Return the nearest `count` outer skin vertices of each point and their weights, (N, k)."""
    outer = _around(points, skin)
    away = np.linalg.norm(points[:, None] - skin.points[outer][None], axis=2)
    near = np.argpartition(away, count, axis=1)[:, :count]
    distance = np.take_along_axis(away, near, axis=1)
    weight = 1.0 / (distance + 0.02) ** 2
    return outer[near], weight / weight.sum(axis=1, keepdims=True)


def brow_curve(m: Measures, t: Floats) -> Floats:
    """Front-view middle line (N, 2) of the left brow, from its head (t = 0) to its tail (1)."""
    who = m.identity
    inner = m.canthus_inner - 0.35
    outer = m.canthus_outer + 0.55
    x = inner + (outer - inner) * t
    arch = 0.42 * (1.0 + 0.5 * who.brow_arch)
    y = m.brow_y - 0.27 + arch * np.sin(np.pi * np.clip(t, 0, 1) ** 1.2 * 0.84) - 0.02 * t**3
    return np.stack([x, y], axis=1)


def brow_taper(t: Floats) -> Floats:
    """Half width of a brow along its length, 1 at its fullest."""
    head = np.clip((t + 0.08) / 0.25, 0.0, 1.0) ** 0.8
    tail = np.clip((1.04 - t) / 0.75, 0.0, 1.0) ** 0.75
    return np.asarray(head * tail)


def on_skin(xy: Floats, skin: Skin, lift: float) -> Floats:
    """Lift front-view points (N, 2) to the skin's front, `lift` cm out."""
    front = _around(xy, skin)
    base = skin.points[front]
    away = np.linalg.norm(xy[:, None] - base[None, :, :2], axis=2)
    near = np.argpartition(away, 4, axis=1)[:, :4]
    distance = np.take_along_axis(away, near, axis=1)
    weight = 1.0 / (distance + 0.01) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    z = np.sum(weight * base[near][..., 2], axis=1)
    return np.stack([xy[:, 0], xy[:, 1], z + lift], axis=1)


def brows(m: Measures, skin: Skin, rng: np.random.Generator) -> list[Part]:
    """Return the left and the right brow."""
    t = np.linspace(0.0, 1.0, BROW_TUFTS) ** 0.95
    t = np.clip(t + rng.normal(0, 0.004, BROW_TUFTS), 0, 1)
    middle = brow_curve(m, t)
    ahead = brow_curve(m, t + 0.02) - brow_curve(m, t - 0.02)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    up = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    thick = 0.23 * (1 + 0.45 * m.identity.brow_thickness)
    width = thick * brow_taper(t)
    across = rng.uniform(-1, 1, BROW_TUFTS) * width
    root = middle + up * across[:, None] - ahead * 0.12
    lean = np.radians(50) * (1 - t) ** 1.8 - np.radians(16) * t
    lean = lean - 0.5 * across / thick * (t > 0.3) + rng.normal(0, 0.10, BROW_TUFTS)
    way = np.cos(lean)[:, None] * ahead + np.sin(lean)[:, None] * up
    long = (0.52 + rng.uniform(-0.08, 0.12, BROW_TUFTS)) * (1.0 - 0.35 * t)
    long *= 0.55 + 0.45 * np.clip(t / 0.22, 0.0, 1.0)
    half = 0.045 + 0.018 * m.identity.brow_thickness
    across_way = np.stack([-way[:, 1], way[:, 0]], axis=1)
    corners = [
        on_skin(root - half * across_way, skin, 0.015),
        on_skin(root + half * across_way, skin, 0.015),
        on_skin(root + way * long[:, None] * 0.5 + half * 0.8 * across_way, skin, 0.075),
        on_skin(root + way * long[:, None] * 0.5 - half * 0.8 * across_way, skin, 0.075),
        on_skin(root + way * long[:, None], skin, 0.045),
    ]
    left = np.stack(corners, axis=1).reshape(-1, 3)
    faces = []
    for k in range(0, 5 * BROW_TUFTS, 5):
        faces += [(k, k + 3, k + 2, k + 1), (k + 3, k + 4, k + 2, -1)]
    count = BROW_TUFTS
    u = (np.arange(count) + np.array([[0.1], [0.9], [0.85], [0.15], [0.5]])) / count
    v = np.repeat(np.array([[0.02], [0.02], [0.5], [0.5], [0.98]]), count, axis=1)
    own = np.stack([u.T.ravel(), v.T.ravel()], axis=1)
    parts = []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        points = left * np.array([sign, 1.0, 1.0])
        mine = np.array(faces)
        if sign < 0:
            mine = np.where(mine[:, 3:] < 0, mine[:, [0, 2, 1, 3]], mine[:, [0, 3, 2, 1]])
        roots = np.repeat(points.reshape(-1, 5, 3)[:, :1], 5, axis=1).reshape(-1, 3)
        anchors, weights = nearest_anchors(roots, skin)
        parts.append(
            Part(
                "brow",
                points,
                mine,
                place(f"brow_{side}", own),
                mine.copy(),
                anchors=anchors,
                weights=weights,
            )
        )
    return parts


def lashes(m: Measures, skin: Skin) -> list[Part]:
    """Return all lashes: long ones on the upper rims, short ones on the lower."""
    parts = []
    groups = [
        (name, sign, part)
        for name, sign in (("eye_left", 1.0), ("eye_right", -1.0))
        for part in ("upper", "lower")
    ]
    for number, (name, sign, which) in enumerate(groups):
        slit = skin.grid.slits[name]
        rows = slit.upper if which == "upper" else slit.lower
        rim = rows[0]
        order = np.argsort(sign * skin.points[rim, 0])
        rim = rim[order]
        count = LASHES if which == "upper" else LOWER_LASHES
        t = np.linspace(0.12, 0.985, count) if which == "upper" else np.linspace(0.4, 0.95, count)
        spot = t * (len(rim) - 1)
        first = np.clip(np.floor(spot).astype(int), 0, len(rim) - 2)
        share = spot - first
        pair = np.stack([rim[first], rim[first + 1]], axis=1)
        weight = np.stack([1 - share, share], axis=1)
        root = np.sum(skin.points[pair] * weight[..., None], axis=1)
        centre = m.eye * np.array([sign, 1.0, 1.0])
        outward = root - centre
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        fan = np.zeros_like(root)
        fan[:, 0] = sign * (t - 0.42) * 1.1
        fan[:, 1] = 0.25 if which == "upper" else -0.55
        fan[:, 2] = 0.55
        way = outward * 0.5 + fan
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        lift = np.array([0.0, 1.0 if which == "upper" else -1.0, 0.0])
        long = (0.34 + 0.30 * t**1.5) if which == "upper" else 0.20 + 0 * t
        side = np.cross(way, lift)
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        half = 0.045 if which == "upper" else 0.022
        mid = root + way * (0.55 * long)[:, None] + lift * 0.02
        tip = root + way * long[:, None] + lift * (0.45 * long)[:, None]
        base = root - way * 0.03
        corners = [
            base - side * half,
            base + side * half,
            mid + side * half * 0.7,
            mid - side * half * 0.7,
            tip,
        ]
        points = np.stack(corners, axis=1).reshape(-1, 3)
        faces = []
        for k in range(0, 5 * count, 5):
            faces += [(k, k + 1, k + 2, k + 3), (k + 3, k + 2, k + 4, -1)]
        mine = np.array(faces)
        u = (np.arange(count) + np.array([[0.1], [0.9], [0.85], [0.15], [0.5]])) / count
        v = np.repeat(np.array([[0.02], [0.02], [0.5], [0.5], [0.98]]), count, axis=1)
        own = np.stack([u.T.ravel(), v.T.ravel()], axis=1)
        own[:, 1] = (number + 0.04 + 0.92 * own[:, 1]) / len(groups)
        parts.append(
            Part(
                "lash",
                points,
                mine,
                place("lash", own),
                mine.copy(),
                anchors=np.repeat(pair, 5, axis=0),
                weights=np.repeat(weight, 5, axis=0),
            )
        )
    return parts
