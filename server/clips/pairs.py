"""Measure training pairs as the server measures clips, so that the network meets in training the
motion that it is fed at work.

    python -m microface.server.clips.pairs DIR

writes a `served-*.npz` beside each `pairs-*.npz` of a folder that lacks one: `flow` (P, 64, 64, 2),
what is left of the source's motion when the head's is taken out, and `head` (P, 64, 64, 2), the
head's motion, both float16 in pixels of the pair's pictures on their own grid. The crop is laid by
the true keypoints, as far off as detected ones are.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, told
from ...models.training.data import map_arrays, served_path, write_served
from .crop import NETWORK_PIXELS, Crop, crop_about
from .steady import Steadier
from .upright import CELLS

#: Standard deviation of a detected keypoint's error, in pixels.
DETECTION_PIXELS = 1.0

Field = NDArray[np.float32]


def measured_pair(
    neutral: NDArray[np.uint8], frame: NDArray[np.uint8], points: NDArray[np.floating[Any]]
) -> tuple[Field, Field]:
    """Return the expression's and the head's motion (64, 64, 2) from `neutral` to `frame`.

    The pictures (256, 256, 3) are uint8, `points` (30, 2) the neutral's keypoints in pixels (a
    pixel's centre at its index). Both motions lie on the pictures' grid, in their pixels; the
    expression's is nothing outside the face.
    """
    crop = crop_about(points.astype(np.float64) + 0.5, upright=True)
    steadier = Steadier(neutral, crop)
    steadied = steadier.steady(frame)
    head = steadier.motion_of(steadied.pose).astype(np.float32)
    return (
        on_picture(steadied.flow, crop, cv2.BORDER_CONSTANT),
        on_picture(head, crop, cv2.BORDER_REPLICATE),
    )


def on_picture(flow: Field, crop: Crop, border: int) -> Field:
    """Return a crop's flow (64, 64, 2), in its 256ths, on the grid of its picture of 256 pixels."""
    affine = crop.affine(CELLS)
    across = (np.arange(CELLS) + 0.5) * NETWORK_PIXELS / CELLS - 0.5
    places = np.stack(np.meshgrid(across, across), -1) - affine[:, 2]
    places = (places @ np.linalg.inv(affine[:, :2]).T).astype(np.float32)
    found = cv2.remap(flow, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(found @ crop.affine(NETWORK_PIXELS)[:, :2].T, dtype=np.float32)


def measure_shard(path: Path) -> None:
    """Write the `served-*.npz` of one shard."""
    arrays = map_arrays(path)
    rng = np.random.default_rng(int.from_bytes(path.stem.encode(), "big"))
    flows, heads = [], []
    for neutral, frame, points in zip(
        arrays["source_neutral"], arrays["source_frame"], arrays["source_points"], strict=True
    ):
        seen = points + rng.normal(0, DETECTION_PIXELS, points.shape)
        flow, head = measured_pair(np.array(neutral), np.array(frame), seen)
        flows.append(flow)
        heads.append(head)
    write_served(path, np.stack(flows), np.stack(heads))


def measure_folder(folder: Path, processes: int = 1) -> int:
    """Measure every shard of a folder that has not been measured; return how many there were.

    Several `processes` take a shard each. Raises InputError where there is no shard at all.
    """
    if not any(folder.glob("pairs-*.npz")):
        what = "has no pairs-*.npz" if folder.is_dir() else "is no folder"
        raise InputError(
            f"{folder} {what}.", "Write pairs: python -m microface.models.heads.write."
        )
    lacking = [p for p in sorted(folder.glob("pairs-*.npz")) if not served_path(p).exists()]
    if min(processes, len(lacking)) < 2:
        for path in lacking:
            measure_shard(path)
        return len(lacking)
    # Started afresh: a process that torch has used a GPU in cannot be forked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        processes, context, initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        for _ in pool.map(measure_shard, lacking):
            pass
    return len(lacking)


def main() -> int:
    """Run as a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of pairs-*.npz")
    parser.add_argument(
        "--processes", type=int, default=1, help="how many shards to measure at a time (1)"
    )
    given = parser.parse_args()
    return told(lambda: print(f"{measure_folder(given.folder, given.processes)} shards measured"))


if __name__ == "__main__":
    raise SystemExit(main())
