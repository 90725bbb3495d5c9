"""Which action units a rig's keys make, by what they move.

The recogniser reads a key's motion as it reads a face's; a key in which it sees no unit is laid
beside what each unit does to an average face in its crop (`clips.basis`).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..clips.basis import CELLS, basis
from ..clips.crop import Crop
from ..clips.recognise import columns, recognised
from ..clips.sampling import Reals, sample
from .solve_units import Moves

Floats = NDArray[np.float64]

#: A key's motion is read at these sizes, in pixels of the crop where it moves most; a unit is seen
#: in it from this chance on, on average.
READ_AT, SEEN = (1.5, 3.0), 0.3
#: Keys that are read at once.
AT_ONCE = 64
#: What raises or lowers a lip parts the lips (AU25), which the recogniser has no name for.
PARTING, PARTED = frozenset((10, 16)), frozenset((25,))
#: A key in which no unit is seen makes the unit whose field on the face has the highest cosine with
#: its own motion, so much at least, and those that are nearly as high.
LIKE, AS_LIKE = 0.6, 0.06


def by_motion(jacobian: Reals, positions: Reals, crop: Crop) -> list[Moves]:
    """Return what keys move in by their motion (V, 2, S) at `positions` (V, 2), pixels of a view
    with the face in `crop`."""
    affine = crop.affine(CELLS)
    back = np.linalg.inv(affine[:, :2])
    cells = np.asarray((positions - affine[:, 2]) @ back.T, np.float64)
    own = np.einsum("ij,vjs->svi", back, np.asarray(jacobian, np.float64))
    found = zip(_seen(own, cells), _likest(own, cells), strict=True)
    return [Moves(seen or likest) for seen, likest in found]


def _seen(motions: Floats, cells: Floats) -> list[frozenset[int]]:
    """Return the units that the recogniser sees in motions (S, V, 2) at `cells` (V, 2), columns and
    rows of the grid; none where the places span no face."""
    from scipy.spatial import Delaunay, QhullError

    names = (name.split()[0] for name in columns())
    units = np.array([int(n.removeprefix("AU")) if n.startswith("AU") else 0 for n in names])
    try:
        mesh = Delaunay(cells)
    except (QhullError, ValueError):
        return [frozenset()] * len(motions)
    found: list[frozenset[int]] = []
    for first in range(0, len(motions), AT_ONCE):
        fields = _laid(motions[first : first + AT_ONCE], mesh)
        size = np.hypot(*np.moveaxis(fields, -1, 0)).max((1, 2))
        even = fields / np.maximum(size, 1e-9)[:, None, None, None]
        chance = np.mean([recognised(even * pixels) for pixels in READ_AT], 0)
        seen = (chance >= SEEN) & (units > 0) & (size > 0)[:, None]
        found += [frozenset(units[row].tolist()) for row in seen]
    return [one | PARTED if one & PARTING else one for one in found]


def _laid(motions: Floats, mesh: Any) -> Floats:
    """Return motions (S, V, 2) at the corners of a mesh as fields (S, 64, 64, 2), 0 outside."""
    from scipy.interpolate import LinearNDInterpolator

    places = np.stack(np.meshgrid(np.arange(CELLS), np.arange(CELLS)), -1)
    values = motions.transpose(1, 0, 2).reshape(motions.shape[1], -1)
    laid = LinearNDInterpolator(mesh, values, fill_value=0.0)(places)
    return np.asarray(laid.reshape(CELLS, CELLS, len(motions), 2).transpose(2, 0, 1, 3))


def _likest(motions: Floats, cells: Floats) -> list[frozenset[int]]:
    """Return the units whose fields are most like motions (S, V, 2) at `cells` (V, 2)."""
    inside = ((cells >= 0) & (cells <= CELLS - 1)).all(1).astype(np.float64)[:, None]
    known = basis()
    places = cells[None].astype(np.float32)
    fields = np.stack([sample(one, places, cv2.INTER_LINEAR)[0] for one in known.fields])
    likeness = _rows(motions * inside) @ _rows(fields * inside).T
    units = np.array(known.units)
    enough = np.maximum(LIKE, likeness.max(1, keepdims=True) - AS_LIKE)
    return [frozenset(units[row].tolist()) for row in (likeness >= enough) & (units != 0)]


def _rows(fields: Reals) -> Floats:
    """Return fields (K, V, 2) as rows (K, 2 V) of length 1, 0 for those that move nothing."""
    rows = fields.reshape(len(fields), -1)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
