"""What timing and layering cost and keep: peak on film frames, keys after thinning, edit times.

python tests/benchmarks/timing.py
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addon"))

import heads
import layering
from microface.addon.bake.edit import edit_bake, list_bakes, remove_bake
from microface.addon.bake.record import BakeRecord, Settings
from microface.addon.bake.retime import Moments, Timing
from microface.addon.bake.shaping import target_deltas
from microface.addon.bake.time import onset_apex_offset
from microface.addon.character.channels import Channel, Target, face_channels

#: A micro-expression of 0.2 s at 200 frames a second.
WAVE = np.sin(np.pi * np.arange(41) / 40) ** 2 * np.array([*np.ones(40), 0.0])


def record(start: float, hold: int, tolerance: float = 0.002) -> BakeRecord:
    """Return that expression at a start on a film's timeline."""
    target = Target("KEY", "Key", 'key_blocks["a"].value')
    return BakeRecord(
        order=1,
        clip="clip",
        object_name="Face",
        layer="nla",
        fps=Fraction(24000, 1001),
        stretch=Fraction(1),
        tolerance=tolerance,
        whole_frames=False,
        moments=Moments(*onset_apex_offset(WAVE[:, None])),
        channels=(Channel("a", (target,), 0.0, 1.0, 0.0, "shape key"),),
        sides=("",),
        times=np.arange(41) / 200,
        weights=0.5 * WAVE[:, None],
        settings=Settings(start, timing=Timing(hold=hold)),
    )


def film_peaks(hold: int) -> np.ndarray:
    """Return the share of the peak that the best film frame shows, for starts between frames."""
    shares = []
    for start in 101 + np.arange(100) / 100:
        ((frames, values),) = target_deltas(record(float(start), hold)).values()
        shares.append(np.interp(np.arange(95, 120), frames, values).max() / 0.5)
    return np.array(shares)


def main() -> None:
    """Print the figures."""
    for hold in (0, 1):
        peaks = film_peaks(hold)
        print(
            f"hold {hold}: best film frame shows {peaks.min():.1%} to {peaks.max():.1%} of the apex"
        )
    for tolerance in (0.0, 0.002, 0.01):
        ((frames, _),) = target_deltas(record(101.0, 0, tolerance)).values()
        print(f"tolerance {tolerance:g}: {len(frames)} keys of 41 samples")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    obj = heads.mask()
    layering.lip_sync(obj)
    channels = face_channels(obj)
    peaks = {"mouthSmileLeft": 0.4, "browDownLeft": 0.3}
    started = time.process_time()
    for index in range(50):
        name = layering.bake(obj, peaks, 10.0 + 2 * index, channels).action_name
    print(f"50 bakes over an action: {time.process_time() - started:.2f} s")
    size = len(bpy.data.actions[name]["microface_samples"])
    print(f"weights of one bake in the file: {size} bytes")
    for label, deed in (
        ("edit one of them", lambda: edit_bake(obj, name, strength=0.5)),
        ("list them", lambda: list_bakes(obj)),
        ("remove one", lambda: remove_bake(obj, name)),
    ):
        started = time.process_time()
        deed()
        print(f"{label}: {1000 * (time.process_time() - started):.0f} ms")


if __name__ == "__main__":
    main()
