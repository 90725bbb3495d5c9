"""The classical baseline: optical flow carried by landmarks, then bounded least squares."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import torch
from microface.models.eam.correspondence import by_landmarks, carry
from scipy.optimize import lsq_linear
from truth_clips import Truth


def classical_motion(truth: Truth, found: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the source's steadied flow at the character's vertices (T,V,2), in pixels."""
    source, character = (
        torch.from_numpy(found[f"{side}_points"].astype(np.float32))[None]
        for side in ("source", "character")
    )
    where = by_landmarks(source, character)
    x, y, side, _ = found["character_crop"]
    cells = ((truth.pixels + 0.5 - (x, y)) / side + 0.5) * 64 - 0.5
    carried = []
    for flow in found["source_flow"]:
        field = carry(torch.from_numpy(flow.astype(np.float32).transpose(2, 0, 1))[None], where)
        carried.append(at(field[0].numpy().transpose(1, 2, 0), cells) * (side / 256))
    return np.stack(carried)


def at(field: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Sample a field (H,W,C) bilinearly at places (V,2) given as columns and rows."""
    x, y = (np.ascontiguousarray(places[:, i], np.float32)[None] for i in (0, 1))
    field = np.ascontiguousarray(field, np.float32)
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0])


def least_squares(truth: Truth, motion: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return weights (T,S) by bounded least squares, each frame by itself."""
    rows = truth.jacobian.astype(np.float64).reshape(-1, len(truth.names))
    # A key that moves nothing would make the system singular.
    q, r = np.linalg.qr(np.concatenate([rows, 1e-3 * np.eye(rows.shape[1])]))
    seen = motion.reshape(len(motion), -1).astype(np.float64) @ q[: len(rows)]
    low, high = bounds[:, 0] - 1e-9, bounds[:, 1] + 1e-9
    return np.stack([lsq_linear(r, d, (low, high), tol=1e-6).x for d in seen])
