"""Print how fast clips are read, faces found and steadied, and what that costs in precision.

Not a test: run it on an idle machine, with OPENBLAS_NUM_THREADS=1 as every command has it,
`python tests/benchmarks/clip_speed.py CLIP.mp4 ...`. The aim is 60 frames a second on two cores at
340 x 360 for reading, landmarks and steadying, the start (finding the face, its neutral and its
depth) told apart. Processor time is printed as well, which an occupied machine changes less; frames
a second that two free cores would give follow from it. Then the flow's search at full resolution
(`models.flow`) beside the one used here, on a warped picture of the clip: time, and error against
the warp.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import cv2
import numpy as np
from microface.models.flow import luminance, measure_flow, to_grid
from microface.server.clips.crop import take_crop
from microface.server.clips.dense import Matcher
from microface.server.clips.measure import start_of
from microface.server.clips.read import read_clip
from microface.server.clips.sampling import grey_levels
from microface.server.clips.template import template
from microface.server.clips.upright import CELLS
from microface.server.engine.runtime import OnnxRuntime


def clock() -> np.ndarray:
    """Return wall and processor seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def print_clip(path: Path, runtime: OnnxRuntime) -> np.ndarray:
    """Print what a clip costs; return its neutral's face (256, 256, 3)."""
    marks = [clock()]
    clip = read_clip(path)
    marks.append(clock())
    start = start_of(clip.frames, clip.times, runtime.encode, clip.name)
    marks.append(clock())
    for _ in start.steadier.motions(clip.frames):
        pass
    marks.append(clock())
    reading, begin, steadying = np.diff(marks, axis=0)
    wall, processor = (reading + steadying) / len(clip)
    print(
        f"{path.name}: {len(clip)} frames of {clip.size[0]} x {clip.size[1]}: "
        f"start {begin[1]:.2f} s, then {1000 * processor:.1f} ms of processor a frame "
        f"({1 / wall:.0f} frames/s here, {2 / processor:.0f} on two free cores)",
        flush=True,
    )
    return take_crop(start.neutral.image, start.face.crop)


def print_flow(face: np.ndarray) -> None:
    """Print time and error of both searches on a face that is warped and noisy."""
    rng = np.random.default_rng(0)
    own = np.stack(np.meshgrid(np.arange(256), np.arange(256)), -1).astype(np.float32)
    true = cv2.GaussianBlur(rng.normal(0, 1, (256, 256, 2)), (0, 0), 16).astype(np.float32)
    true *= 0.8 / true.std()
    # Where each pixel of the frame comes from: right to second order for a field this smooth.
    moved = cv2.remap(face, own - true, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    noisy = [
        np.clip(p + rng.normal(0, 2.5, p.shape), 0, 255).astype(np.uint8) for p in (face, moved)
    ]
    one, other = (luminance(p) for p in noisy)
    inside = template(CELLS).face > 0.9
    matcher, levels = Matcher(grey_levels(noisy[0]), CELLS), grey_levels(noisy[1])
    searches = {
        "full resolution": lambda: to_grid(measure_flow(one, other), CELLS),
        "here": lambda: matcher.flow(levels),
    }
    for name, search in searches.items():
        before = clock()
        for _ in range(10):
            flow = search()
        cost = (clock() - before)[1] / 10
        off = (flow - to_grid(true, CELLS))[inside]
        print(f"{name:16} {1000 * cost:6.1f} ms   error {np.sqrt((off**2).sum(-1).mean()):.3f} px")


def main() -> None:
    """Print the figures of the clips."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    runtime = OnnxRuntime()
    faces = [print_clip(path, runtime) for path in arguments.clips]
    print(f"most memory held: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print_flow(faces[0])


if __name__ == "__main__":
    main()
