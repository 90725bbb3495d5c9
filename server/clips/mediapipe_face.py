"""MediaPipe's face mesh, where it is installed: `pip install "microface[mediapipe]"`.

It proposes faces that are tilted or turned further than OpenCV's cascades see, and knows where the
features of those are that the network does not know (Kartynnik et al., arXiv 1907.06724).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Faces that are looked for in a picture, at most.
MOST_FACES = 5
#: Vertices of the mesh at the 68 Multi-PIE landmarks, in their order; of the brows those of the
#: lower edge, which the keypoints along the middle of the hair are nearest to on photographs.
_LANDMARKS = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    46, 53, 52, 65, 55, 285, 295, 282, 283, 276,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
_one_at_a_time = Lock()


@cache
def is_installed() -> bool:
    """Return whether MediaPipe is installed."""
    return importlib.util.find_spec("mediapipe") is not None


def mesh_keypoints(picture: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """Return the keypoints (30, 2), in positions of the picture (corner at 0, 0), of its faces.

    `picture` is (H, W, 3) uint8 RGB. Needs MediaPipe.
    """
    from ...models.heads.keypoints import keypoints_from_landmarks

    height, width = picture.shape[:2]
    with _one_at_a_time:
        found = _mesh().process(np.ascontiguousarray(picture)).multi_face_landmarks or ()
    faces = []
    for face in found:
        places = [(face.landmark[k].x * width, face.landmark[k].y * height) for k in _LANDMARKS]
        faces.append(keypoints_from_landmarks(np.array(places)).astype(np.float64))
    return faces


@cache
def _mesh() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    mediapipe = importlib.import_module("mediapipe")
    return mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=MOST_FACES, min_detection_confidence=0.5
    )
