"""The camera that Microface makes for itself: a long lens straight on the face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

#: The image is this much wider than the region that the shape keys move.
MARGIN = 1.5
#: This share of what counts lies outside the framed region on each side.
OUTER = 0.04
#: Distance of the camera in image widths: a long lens, hardly any perspective.
DISTANCE_WIDTHS = 5.0
#: A face that looks within this angle of one of its own axes is taken to look along it: heads are
#: modelled square to the axes, and the insides of mouth and lids blur the mean normal.
SNAP_DEGREES = 50.0
SENSOR_MILLIMETRES = 36.0


@dataclass(frozen=True)
class Framing:
    """A square perspective view of a face.

    `camera_to_world` (4,4) float64 as Blender has it (the camera looks along its -z, +y is up);
    `resolution` pixels a side; `lens_millimetres` on a 36 mm sensor; `width` of the view at the
    face and `distance` from it, in scene units.
    """

    camera_to_world: NDArray[np.float64]
    resolution: int
    lens_millimetres: float
    width: float
    distance: float

    @property
    def focal_pixels(self) -> float:
        """Focal length in pixels."""
        return self.resolution * self.lens_millimetres / SENSOR_MILLIMETRES

    @property
    def eye(self) -> NDArray[np.float64]:
        """The camera's place in the world, (3,)."""
        return np.asarray(self.camera_to_world[:3, 3])

    def camera_space(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return world points (N,3) in camera axes: x right, y up, z towards the viewer."""
        rotation = self.camera_to_world[:3, :3]
        return np.asarray((points.astype(np.float64) - self.eye) @ rotation)

    def project(
        self, points: NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (N,2) array positions in pixels (x right, y down) and (N,) depths of world points.

        Pixel centres lie at integers: the image spans -0.5 to resolution - 0.5.
        """
        local = self.camera_space(points)
        depth = np.maximum(-local[:, 2], 1e-9)
        scale = self.focal_pixels / depth
        centre = self.resolution / 2 - 0.5
        pixels = np.stack([centre + local[:, 0] * scale, centre - local[:, 1] * scale], axis=1)
        return pixels, depth

    def at_resolution(self, resolution: int) -> Framing:
        """Return the same view at another resolution."""
        return Framing(
            self.camera_to_world, resolution, self.lens_millimetres, self.width, self.distance
        )


def frame_face(
    points: NDArray[np.floating[Any]],
    normals: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]],
    axes: NDArray[np.floating[Any]],
    resolution: int,
    turn_degrees: float = 0.0,
) -> Framing:
    """Return the view straight on a face, or from its side.

    `points` (N,3) world positions of the vertices that make up the face, `normals` (N,3) their
    outward normals, `weights` (N,) how much they count, `axes` (3,3) the face's own axes (those it
    was modelled in) as columns in the world, any length. The face looks along the mean normal of
    what moves, and stands upright along its own z (or y, where it looks along z). With
    `turn_degrees` the camera goes that far around to the face's left (below 0: to its right).
    """
    if len(points) < 3 or not float(weights.sum()) > 0:
        raise InputError(
            "No face was found: the shape keys move fewer than three vertices.",
            "Choose the mesh whose shape keys make expressions.",
        )
    columns = np.asarray(axes, np.float64)
    columns = columns / np.linalg.norm(columns, axis=0, keepdims=True)
    forward = _facing(np.asarray(normals, np.float64), np.asarray(weights, np.float64), columns)
    upward = _upward(forward, columns)
    forward = _unit(forward - upward * (forward @ upward))
    right = np.cross(upward, forward)
    turn = np.radians(turn_degrees)
    forward = forward * np.cos(turn) + right * np.sin(turn)
    right = np.cross(upward, forward)
    rotation = np.stack([right, upward, forward], axis=1)

    local = points.astype(np.float64) @ rotation
    seen = np.where(np.asarray(normals, np.float64) @ forward > 0, weights, 0)
    if not seen.any():
        seen = np.asarray(weights)
    low, high = (_quantile(local, seen, share) for share in (OUTER, 1 - OUTER))
    width = float(max(high[0] - low[0], high[1] - low[1])) * MARGIN
    if not width > 0:
        raise InputError(
            "The face has no extent.", "Choose the mesh whose shape keys make expressions."
        )
    centre = (low + high) / 2
    distance = width * DISTANCE_WIDTHS
    place = rotation @ np.array([centre[0], centre[1], float(high[2]) + distance])
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = place
    # The width is met at the middle of the face's depth.
    middle = float(high[2] - centre[2]) + distance
    return Framing(matrix, resolution, SENSOR_MILLIMETRES * middle / width, width, middle)


def _facing(
    normals: NDArray[np.float64], weights: NDArray[np.float64], axes: NDArray[np.float64]
) -> NDArray[np.float64]:
    mean = (normals * weights[:, None]).sum(axis=0)
    length = float(np.linalg.norm(mean))
    if length < 1e-6 * float(weights.sum()):
        return np.asarray(-axes[:, 1])  # A closed shape: Blender's characters look along -y.
    mean = mean / length
    candidates = np.concatenate([axes.T, -axes.T])
    nearest = candidates[int(np.argmax(candidates @ mean))]
    snapped = float(nearest @ mean) > np.cos(np.radians(SNAP_DEGREES))
    return np.asarray(nearest if snapped else mean)


def _upward(forward: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    own = axes[:, 2] if abs(float(forward @ axes[:, 2])) < 0.7 else axes[:, 1]
    return _unit(own - forward * (forward @ own))


def _quantile(
    values: NDArray[np.float64], weights: NDArray[np.floating[Any]], share: float
) -> NDArray[np.float64]:
    """Return the weighted quantile of each column of values (N,C)."""
    order = np.argsort(values, axis=0)
    total = np.cumsum(weights[order], axis=0, dtype=np.float64)
    rank = (total < share * total[-1]).sum(axis=0)
    return np.asarray(np.take_along_axis(np.take_along_axis(values, order, 0), rank[None], 0)[0])


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))
