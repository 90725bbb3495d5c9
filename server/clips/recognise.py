"""What the recogniser says of a clip: the chance of each action unit, by side.

It was taught on rendered heads (`models/recognition`) and ships as `recogniser.onnx`, which
`python -m microface.models.recognition.export` writes. It reads motion, never faces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..onnx_session import load_graph
from .sampling import Reals
from .template import points_in_crop
from .upright import CELLS

Floats = NDArray[np.float64]

STORED = Path(__file__).with_name("recogniser.onnx")
#: Frames within so many seconds show one expression, and are read as one, each by how much moves.
TOGETHER_SECONDS = 0.5
#: Of several expressions in a clip those that move this share of the largest count.
STRONG_SHARE = 0.25


@cache
def _session() -> tuple[Any, tuple[str, ...]]:
    """Return the graph's session, on one thread, and the names of its columns."""
    session = load_graph(STORED.read_bytes(), STORED.name)
    said = session.get_modelmeta().custom_metadata_map["columns"]
    return session, tuple(json.loads(said))


def chances(
    flows: Reals, times: Reals, frames: Iterable[int], points: Reals | None = None
) -> dict[str, float]:
    """Return the chance 0..1 of each unit and side, as `AU12 left` or `AU17`, in steadied flows
    (T, N, N, 2), pixels of the crop, at `times` (T,) seconds; only some `frames` are read. N is a
    divisor of 64.

    `points` (30, 2) are the neutral's keypoints in [-1, 1] of the crop, an average face's where
    they are not known. Of several expressions, each unit has its best chance.
    """
    read = np.stack(list(_expressions(flows, times, frames)))
    moved = (read**2).sum((1, 2, 3))
    if not moved.any():
        return dict.fromkeys(columns(), 0.0)
    given = read.repeat(CELLS // read.shape[1], 1).repeat(CELLS // read.shape[1], 2)
    best = recognised(given, points)[moved >= STRONG_SHARE * moved.max()].max(0)
    return dict(zip(columns(), map(float, best), strict=True))


def columns() -> tuple[str, ...]:
    """Return the names of the units and sides that are known, as `AU12 left`."""
    return _session()[1]


def recognised(fields: Reals, points: Reals | None = None) -> Floats:
    """Return the chance (N, columns) of each unit in motions (N, 64, 64, 2), pixels of the crop;
    `points` as in `chances`."""
    where = points_in_crop() if points is None else np.asarray(points)
    feed = {
        "flow": np.ascontiguousarray(np.moveaxis(fields, -1, 1), np.float32),
        "points": np.broadcast_to(where, (len(fields), *where.shape)).astype(np.float32),
    }
    return np.asarray(_session()[0].run(["chance"], feed)[0], np.float64)


def _expressions(flows: Reals, times: Reals, frames: Iterable[int]) -> Iterator[Floats]:
    """Yield the motion (N, N, 2) of frames that are together: means, weighed by how much moves."""
    together: list[int] = []
    for frame in sorted(frames):
        if together and times[frame] - times[together[0]] > TOGETHER_SECONDS:
            yield _mean(flows, together)
            together = []
        together.append(frame)
    yield _mean(flows, together)


def _mean(flows: Reals, frames: Sequence[int]) -> Floats:
    some = np.asarray(flows[frames], np.float64)
    moved = (some**2).sum((1, 2, 3))
    return np.asarray(np.einsum("t,tijc->ijc", moved / max(1e-12, moved.sum()), some))
