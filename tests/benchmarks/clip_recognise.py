"""Print which action units the recogniser names in clips, and when.

Not a test: `python tests/benchmarks/clip_recognise.py CLIP...`. Clips are measured as the server
measures them; a line tells a unit that is named in at least a fifth of the frames, in how many,
and how strong it is at its strongest, 1 for a full contraction.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from microface.models.recognition.network import load_recogniser
from microface.models.recognition.recognise import read
from microface.models.recognition.regions import windows
from microface.models.recognition.units import COLUMNS
from microface.server.clips.measure import measure
from microface.server.clips.read import read_clip
from microface.server.engine.runtime import OnnxRuntime

#: Share of the frames in which a unit has to be named.
LEAST = 0.2


def main() -> None:
    """Print the units, clip by clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    recogniser, encode = load_recogniser(), OnnxRuntime(threads=1).encode
    for path in arguments.clips:
        found = measure(read_clip(path), encode)
        points = torch.from_numpy(encode(found.start.steadier.neutral)["points"])
        flows = torch.from_numpy(found.flows).float().permute(0, 3, 1, 2)
        told = read(windows(flows, points.expand(len(flows), -1, -1)), recogniser)
        print(f"{path.name}: {len(found.flows)} frames")
        share, peak = told.named.mean(0), told.told.max(0)
        for k in np.argsort(-share):
            if share[k] >= LEAST:
                at = int(told.told[:, k].argmax())
                print(f"  {COLUMNS[k]}: {share[k]:.0%} of the frames, {peak[k]:.2f} at frame {at}")


if __name__ == "__main__":
    main()
