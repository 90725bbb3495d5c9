"""Print what cleaning finds and mends, and what smoothing over time does to a short event.

Not a test: `python tests/benchmarks/clip_clean.py --packs HEADS [--films N]`. Films of 0.7 s at 200
frames a second with a micro-expression, noise and a straying head, in which frames were repeated,
smeared over 9 pixels, or left out; then events of 65, 100 and 200 ms through the filter that motion
goes through.
"""

from __future__ import annotations

import cv2
import numpy as np
from clip_films import Stage
from clip_spot import HEADS, trimmed
from drawn_heads import heads_parser
from microface.server.clips.clean import mended, quality
from microface.server.clips.spot_events import events_of
from microface.server.engine.smooth import smoothed

SPOILED = 4
KINDS = ("duplicated", "blur", "dropped", "flicker")


def spoiled(
    frames: list[np.ndarray], kind: str, rng: np.random.Generator
) -> tuple[list[np.ndarray], np.ndarray, set[int]]:
    """Return frames, times, and which frames are spoiled."""
    times = np.arange(len(frames)) / 200
    bad = set(rng.choice(np.arange(10, len(frames) - 10, 6), SPOILED, replace=False).tolist())
    if kind == "dropped":
        left = [k for k in range(len(frames)) if k not in bad]
        after = {i for i, k in enumerate(left) if k - 1 in bad}
        return [frames[k] for k in left], times[left], after
    made = list(frames)
    for k in sorted(bad):
        if kind == "duplicated":
            made[k] = made[k - 1]
        elif kind == "blur":
            line = np.zeros((9, 9), np.float32)
            line[4] = 1 / 9
            turn = cv2.getRotationMatrix2D((4, 4), float(rng.uniform(0, 180)), 1.0)
            made[k] = cv2.filter2D(frames[k], -1, cv2.warpAffine(line, turn, (9, 9)))
    if kind == "flicker":
        gains = 1 + 0.05 * np.sin(2 * np.pi * 0.1 * np.arange(len(frames)))
        made = [np.clip(f * g, 0, 255).astype(np.uint8) for f, g in zip(frames, gains, strict=True)]
        return made, times, set()
    return made, times, bad


def print_filter() -> None:
    """Print what the filter over time does to events of known length."""
    print("event    fps   height kept   apex shifted (ms)   noise left")
    rng = np.random.default_rng(1)
    for lasting in (0.065, 0.1, 0.2):
        for fps in (60, 100, 200):
            times = np.arange(round(fps * 0.8)) / fps
            kept, shifts = [], []
            for start in np.linspace(0.3, 0.3 + 1 / fps, 5):
                u = np.clip((times - start) / lasting, 0, 1)
                curve = np.sin(np.pi * u).astype(np.float32) ** 2
                out = np.array([v for v, _ in smoothed(((c, 0) for c in curve), times, 0)])
                kept.append(float(out.max() / curve.max()))
                one, other = (events_of(c.astype(float), 0.1)[0].apex for c in (curve, out))
                shifts.append(abs(one - other) / fps * 1000)
            noise = rng.normal(size=len(times)).astype(np.float32)
            left = np.array([v for v, _ in smoothed(((c, 0) for c in noise), times, 0)])
            print(
                f"{1000 * lasting:3.0f} ms  {fps:4}   {np.mean(kept):8.1%}"
                f"   {np.max(shifts):12.2f}   {left.std() / noise.std():15.0%}"
            )


def print_mending() -> None:
    """Print how far mended motion is off where frames were repeated, against what it was."""
    times = np.arange(60) / 200
    curve = 2 * np.sin(np.pi * np.clip((times - 0.05) / 0.2, 0, 1)) ** 2
    bad = [18, 25, 33]
    lying = curve.copy()
    lying[bad] = curve[[k - 1 for k in bad]]
    flows = lying[:, None, None, None] * np.ones((1, 4, 4, 2), np.float32)
    off = np.abs(mended(flows.astype(np.float32), times, bad)[bad, 0, 0, 0] - curve[bad]).max()
    print(
        f"repeated frames off by {np.abs(lying - curve).max():.3f} of 2 pixels; mended, {off:.3f}"
    )


def main() -> None:
    """Print the tables."""
    parser = heads_parser(__doc__)
    parser.add_argument("--films", type=int, default=3)
    arguments = parser.parse_args()
    print_filter()
    print_mending()
    found, told, true = (dict.fromkeys((*KINDS, "nothing"), 0) for _ in range(3))
    for index in range(arguments.films):
        stage = Stage(arguments.packs, arguments.keep, *HEADS[index % len(HEADS)])
        times = (np.arange(140) / 200).tolist()
        frames = list(stage.film(trimmed(index), times, index, flicker=0.002))
        for kind in (*KINDS, "nothing"):
            made, stamps, bad = spoiled(frames, kind, np.random.default_rng([index, 8]))
            warnings = quality(made, stamps, stage.scene.crop)
            if kind in ("flicker", "nothing"):
                true[kind] += kind == "flicker"
                found[kind] += any(w.kind == kind for w in warnings)
                told[kind] += sum(max(1, len(w.frames)) for w in warnings)
                continue
            named = {k for w in warnings if w.kind == kind for k in w.frames}
            true[kind] += len(bad)
            found[kind] += len(bad & named)
            told[kind] += len(named)
    print("spoiled by    there  found   told")
    for kind in (*KINDS, "nothing"):
        print(f"{kind:12}{true[kind]:7}{found[kind]:7}{told[kind]:7}")


if __name__ == "__main__":
    main()
