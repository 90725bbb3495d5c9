"""The network's 30 semantic keypoints, from the 68 Multi-PIE landmarks (0-based).

Image left and right are the viewer's; "left" in a name is the subject's, as everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Name of each keypoint and the landmarks it is the mean of (repeats weigh).
KEYPOINTS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("brow_outer_right", (17,)),
    ("brow_middle_right", (19,)),
    ("brow_inner_right", (21,)),
    ("brow_inner_left", (22,)),
    ("brow_middle_left", (24,)),
    ("brow_outer_left", (26,)),
    ("eye_outer_right", (36,)),
    ("eye_inner_right", (39,)),
    ("lid_upper_right", (37, 38)),
    ("lid_lower_right", (40, 41)),
    ("eye_inner_left", (42,)),
    ("eye_outer_left", (45,)),
    ("lid_upper_left", (43, 44)),
    ("lid_lower_left", (46, 47)),
    ("nose_bridge", (27,)),
    ("nose_tip", (30,)),
    ("nostril_right", (31,)),
    ("nose_base", (33,)),
    ("nostril_left", (35,)),
    ("lip_corner_right", (48,)),
    ("lip_corner_left", (54,)),
    ("lip_peak_right", (50,)),
    ("lip_peak_left", (52,)),
    ("lip_upper", (51,)),
    ("lip_lower", (57,)),
    ("lip_lower_left", (56,)),
    ("lip_lower_right", (58,)),
    ("cheek_right", (40, 41, 48, 3)),
    ("cheek_left", (46, 47, 54, 13)),
    ("chin", (8, 57)),
)

NAMES: tuple[str, ...] = tuple(name for name, _ in KEYPOINTS)


def _swapped(name: str) -> str:
    if name.endswith("_left"):
        return name.removesuffix("left") + "right"
    if name.endswith("_right"):
        return name.removesuffix("right") + "left"
    return name


#: Index of each keypoint's partner when the picture is mirrored.
MIRROR: tuple[int, ...] = tuple(NAMES.index(_swapped(name)) for name in NAMES)

_WEIGHTS = np.zeros((len(KEYPOINTS), 68), np.float32)
for _row, (_name, _members) in enumerate(KEYPOINTS):
    for _member in _members:
        _WEIGHTS[_row, _member] += 1 / len(_members)


def keypoints_from_landmarks(landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return (30, D) float32 from (68, D) landmarks in any plane or space (pixels, cm)."""
    return np.asarray(_WEIGHTS @ landmarks.astype(np.float32), dtype=np.float32)


def face_unit(points: NDArray[np.floating[Any]]) -> float:
    """Return the RMS distance of the keypoints (30, 2) from their mean, in their unit."""
    return float(np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean()))
