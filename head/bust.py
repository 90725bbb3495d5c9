"""What she wears: a soft collar and the beginning of the shoulders."""

from __future__ import annotations

import numpy as np

from .atlas import place
from .measures import Measures
from .part import Part, sheet, sheet_uv

COLUMNS = 64
#: Height, half width, half depth, middle in z, from inside the collar down to the shoulders.
PROFILE = (
    (-15.0, 4.3, 4.4, -7.9),
    (-13.2, 4.7, 4.8, -7.8),
    (-12.7, 5.0, 5.1, -7.8),
    (-12.9, 5.4, 5.4, -7.8),
    (-13.8, 5.6, 5.6, -7.9),
    (-14.9, 5.6, 5.7, -8.0),
    (-15.6, 6.0, 5.9, -8.1),
    (-16.3, 8.0, 6.4, -8.3),
    (-17.4, 12.0, 7.2, -8.6),
    (-18.8, 15.8, 8.2, -8.9),
    (-20.8, 18.2, 9.0, -9.0),
    (-24.0, 19.2, 9.8, -9.0),
    (-30.0, 19.0, 10.4, -9.0),
)


def bust(m: Measures) -> Part:
    """Return the collar and shoulders."""
    wide = 1.0 + 0.12 * m.identity.neck_width
    turn = np.linspace(0.0, 2 * np.pi, COLUMNS, endpoint=False)
    rows = []
    for number, (y, half, depth, z) in enumerate(PROFILE):
        rib = 0.035 * np.sin(32 * turn) if number < 7 else 0.0 * turn
        scale = wide if number < 8 else 1.0
        x = (half * scale + rib) * np.sin(turn)
        forward = (depth * scale + rib) * np.cos(turn)
        sag = -0.9 * np.clip(np.cos(turn), 0, 1) ** 2 * (number >= 7)
        rows.append(np.stack([x, np.full(COLUMNS, y) + sag, z + forward], axis=1))
    faces = sheet(len(PROFILE), COLUMNS, around=True)[:, [0, 3, 2, 1]]
    uv, uv_faces = sheet_uv(len(PROFILE), COLUMNS)
    return Part("cloth", np.concatenate(rows), faces, place("cloth", uv), uv_faces[:, [0, 3, 2, 1]])
