"""How far the character moves over the strength asked for, and how near it comes to folding.

For each clip: the motion at each strength, projected on the motion at strength 1, over the strength
(1 is exact); the least and largest area of a pixel where the picture is moved (0 and below is a
fold); and the moments at which its frames were taken.

    python tests/benchmarks/strength_gain.py builtin:lip-corner-left CLIPS/smile.mp4
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np
from microface.server.clips.builtin import builtin_clip, is_builtin
from microface.server.clips.clip import Clip
from microface.server.clips.read import read_clip
from microface.server.engine.pipeline import retarget
from microface.server.engine.runtime import OnnxRuntime
from microface.server.engine.unfold import areas

STRENGTHS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0)
#: Frames of the clip that are used: at rest, on the way, and at the apex.
SHARES = (0.0, 0.3, 0.5)


def few_of(name: str) -> Clip:
    """Return a clip of the frames at `SHARES` of a clip's length."""
    whole = builtin_clip(name) if is_builtin(name) else read_clip(Path(name))
    picked = [round(share * (len(whole) - 1)) for share in SHARES]
    return Clip(
        [whole.frames[i] for i in picked], whole.times[picked], Fraction(25), whole.name, "0" * 64
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", help="builtin:NAME or a video")
    parser.add_argument("--strengths", type=float, nargs="+", default=STRENGTHS)
    arguments = parser.parse_args()
    runtime = OnnxRuntime()
    neutral = np.asarray(builtin_clip("brow-lower").frames[0])
    print("clip                     strength   gain   least area   largest area   most pixels")
    for name in arguments.clips:
        clip = few_of(name)
        flows = {
            strength: np.stack(
                [
                    made.flow.astype(np.float64)
                    for made in retarget(neutral, clip, strength, runtime)
                ]
            )
            for strength in sorted({1.0, *arguments.strengths})
        }
        plain = flows[1.0]
        for strength in arguments.strengths:
            flow = flows[strength]
            gain = float((flow * plain).sum() / (plain**2).sum()) / strength
            area = np.stack([areas(one.astype(np.float32)) for one in flow])
            most = float(np.linalg.norm(flow, axis=-1).max())
            print(
                f"{clip.name:24s} {strength:8g} {gain:6.3f} {area.min():12.2f} {area.max():14.2f}"
                f" {most:13.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
