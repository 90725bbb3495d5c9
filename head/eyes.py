"""Eyeballs that turn about their centres."""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .atlas import place
from .measures import Measures
from .part import Part, sheet

RINGS, SECTORS = 18, 32
#: Polar angle of the iris's edge as seen from the eyeball's centre.
IRIS_RADIANS = 0.56
#: The texture reaches this far round the ball, pole to edge.
ATLAS_RADIANS = np.pi * 0.62
LOOK_RADIANS = {"Up": 0.38, "Down": 0.42, "In": 0.48, "Out": 0.48}


def eyeballs(m: Measures) -> list[Part]:
    """Return the left and the right eyeball."""
    return [_eyeball(m, 1.0, "Left"), _eyeball(m, -1.0, "Right")]


def _eyeball(m: Measures, sign: float, side: str) -> Part:
    polar = np.linspace(0.0, ATLAS_RADIANS, RINGS + 1)[1:]
    turn = np.linspace(0.0, 2 * np.pi, SECTORS, endpoint=False)
    directions = [np.array([[0.0, 0.0, 1.0]])]
    flat = [np.array([[0.5, 0.5]])]
    for angle in polar:
        ring = np.stack(
            [
                np.sin(angle) * np.cos(turn),
                np.sin(angle) * np.sin(turn),
                np.full(SECTORS, np.cos(angle)),
            ],
            axis=1,
        )
        directions.append(ring)
        flat.append(0.5 + 0.5 * angle / ATLAS_RADIANS * np.stack([np.cos(turn), np.sin(turn)], 1))
    way = np.concatenate(directions)
    centre = m.eye * np.array([sign, 1.0, 1.0])
    points = centre + m.eye_radius * way
    fan = [(0, 1 + c, 1 + (c + 1) % SECTORS, -1) for c in range(SECTORS)]
    body = sheet(RINGS, SECTORS, around=True)[:, [0, 3, 2, 1]] + 1
    faces = np.concatenate([np.array(fan), body])
    uv = place(f"eye_{side.lower()}", np.concatenate(flat))
    offset = points - centre
    moves: dict[str, Floats] = {}
    for look, radians in LOOK_RADIANS.items():
        if look in ("Up", "Down"):
            angle = radians if look == "Up" else -radians
            c, s = np.cos(angle), np.sin(angle)
            turned = offset.copy()
            turned[:, 1] = c * offset[:, 1] + s * offset[:, 2]
            turned[:, 2] = c * offset[:, 2] - s * offset[:, 1]
        else:
            angle = radians * (sign if look == "Out" else -sign)
            c, s = np.cos(angle), np.sin(angle)
            turned = offset.copy()
            turned[:, 0] = c * offset[:, 0] + s * offset[:, 2]
            turned[:, 2] = c * offset[:, 2] - s * offset[:, 0]
        moves[f"eyeLook{look}{side}"] = turned - offset
    return Part("eye", points, faces, uv, faces.copy(), moves=moves)
