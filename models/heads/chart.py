"""A chart of the face: places that mean the same have the same coordinates on every head.

A head's landmarks are carried to those of a reference face and everything between them follows, as
a thin plate would in space (Bookstein 1989; in three dimensions its kernel is the distance itself).
So a place of one family of heads finds its like on another, whatever the meshes are. The landmarks
of the brows lie on their hair: that is what moves when brows move, and all that a picture shows.
"""

from __future__ import annotations

import cv2
import numpy as np

from .families import Floats, RenderHead
from .render import Drawing, interpolated

#: The reference face's 68 Multi-PIE landmarks in centimetres, the same on both sides.
# fmt: off
REFERENCE = np.array([
    (-7.0, 0.0, -4.2), (-6.9, -2.3, -3.9), (-6.6, -3.6, -3.3), (-6.2, -5.5, -2.8),
    (-5.3, -8.1, -1.9), (-4.0, -9.4, -0.5), (-2.8, -10.1, 0.8), (-1.5, -10.5, 2.0),
    (0.0, -10.8, 2.2), (1.5, -10.5, 2.0), (2.8, -10.1, 0.8), (4.0, -9.4, -0.5),
    (5.3, -8.1, -1.9), (6.2, -5.5, -2.8), (6.6, -3.6, -3.3), (6.9, -2.3, -3.9),
    (7.0, 0.0, -4.2), (-5.5, 1.6, 0.2), (-4.8, 2.2, 1.1), (-3.9, 2.3, 1.8),
    (-2.8, 2.4, 2.4), (-1.3, 2.3, 2.7), (1.3, 2.3, 2.7), (2.8, 2.4, 2.4),
    (3.9, 2.3, 1.8), (4.8, 2.2, 1.1), (5.5, 1.6, 0.2), (0.0, -0.1, 2.6),
    (0.0, -1.1, 3.2), (0.0, -2.1, 3.9), (0.0, -3.3, 4.7), (-1.3, -4.6, 2.7),
    (-0.6, -4.7, 3.3), (0.0, -4.8, 3.4), (0.6, -4.7, 3.3), (1.3, -4.6, 2.7),
    (-4.3, -0.2, 0.8), (-3.9, 0.2, 1.4), (-2.7, 0.3, 1.7), (-1.7, -0.4, 1.3),
    (-2.5, -0.5, 1.5), (-3.7, -0.5, 1.3), (1.7, -0.4, 1.3), (2.7, 0.3, 1.7),
    (3.9, 0.2, 1.4), (4.3, -0.2, 0.8), (3.7, -0.5, 1.3), (2.5, -0.5, 1.5),
    (-2.4, -6.9, 2.2), (-1.7, -6.2, 3.1), (-0.7, -5.9, 3.6), (0.0, -5.9, 3.7),
    (0.7, -5.9, 3.6), (1.7, -6.2, 3.1), (2.4, -6.9, 2.2), (1.7, -7.3, 2.9),
    (0.8, -7.6, 3.4), (0.0, -7.8, 3.4), (-0.8, -7.6, 3.4), (-1.7, -7.3, 2.9),
    (-2.2, -6.9, 2.1), (-0.9, -6.8, 3.0), (0.0, -6.8, 3.1), (0.9, -6.8, 3.0),
    (2.2, -6.9, 2.1), (1.1, -6.7, 3.0), (0.0, -6.8, 3.3), (-1.1, -6.7, 3.0),
], np.float64)
# fmt: on
#: Share of the landmarks' spread by which they may miss: no fold where two heads disagree.
SOFTNESS = 0.02


def to_chart(points: Floats, landmarks: Floats) -> Floats:
    """Return `points` (V, 3) in the chart, centimetres of the reference face.

    `landmarks` (68, 3) are the same head's, in the units of `points`.
    """
    control = landmarks.astype(np.float64)
    middle, size = control.mean(0), control.std()
    control = (control - middle) / size
    count = len(control)
    kernel = np.linalg.norm(control[:, None] - control[None], axis=2)
    affine = np.column_stack([np.ones(count), control])
    system = np.zeros((count + 4, count + 4))
    # The kernel is negative definite on what is no affine map: softness goes against it.
    system[:count, :count] = kernel - SOFTNESS * np.eye(count)
    system[:count, count:], system[count:, :count] = affine, affine.T
    wanted = np.zeros((count + 4, 3))
    wanted[:count] = REFERENCE
    solution = np.linalg.solve(system, wanted).astype(np.float32)
    places = ((points - middle) / size).astype(np.float32)
    # |a - b|^2 = a a - 2 a b + b b: one product in place of V x 68 x 3 differences.
    about = control.astype(np.float32)
    squares = (places**2).sum(1)[:, None] + (about**2).sum(1) - 2 * places @ about.T
    result = np.sqrt(np.maximum(squares, 0)) @ solution[:count]
    result += solution[count] + places @ solution[count + 1 :]
    return np.asarray(result, dtype=np.float32)


def chart_map(head: RenderHead, drawing: Drawing, cells: int) -> Floats:
    """Return what each cell of a drawing shows, (cells, cells, 4): place in the chart, and the
    share of the cell that is on the head; 0 off it."""
    side = drawing.raster.triangle.shape[0]
    planes = np.zeros((side * side, 4), np.float32)
    places = interpolated(head.chart, head.triangles[drawing.owner], drawing.weights)
    planes[drawing.pixel, :3], planes[drawing.pixel, 3] = places, 1
    size = (cells, cells)
    means = cv2.resize(planes.reshape(side, side, 4), size, interpolation=cv2.INTER_AREA)
    share = means[..., 3:]
    means[..., :3] = np.where(share > 0.25, means[..., :3] / np.maximum(share, 0.25), 0)
    return np.asarray(means, dtype=np.float32)
