"""What a frame costs: parameters, operations, frames a second."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..eam.network import Eam
from ..export import trial
from ..graphs import EACH_FRAME, made_up, session

#: Frames timed, after one that is not.
FRAMES = 10


def parameters(network: Eam) -> int:
    """Return the number of weights."""
    return sum(p.numel() for p in network.parameters())


def operations(network: Eam) -> dict[str, float]:
    """Return GFLOPs (a multiplication and an addition are two) of encoding a picture, of
    animating a frame, and of a frame of a clip, which takes one of each."""
    neutral, frame, image, flow, strength = trial(1)
    with torch.no_grad():
        with FlopCounterMode(display=False) as encoding:
            first = network.encode(neutral)
        second, character = network.encode(frame), network.encode(image)
        prepared = network.prepare(first, character)
        with FlopCounterMode(display=False) as animating:
            network.animate(first, second, flow, image, character, strength, prepared=prepared)
    encode, animate = (c.get_total_flops() / 1e9 for c in (encoding, animating))
    return {"encode": encode, "animate": animate, "frame": encode + animate}


def frames_per_core_second(folder: Path) -> float:
    """Return how many frames of a clip the graphs in `folder` make in a second of one core's time.

    Time of the processor, not of the clock, so that other work beside it counts little.
    """
    sessions = [session(folder / name) for name in EACH_FRAME]
    feeds = [made_up(each) for each in sessions]
    began = 0.0
    for frame in range(FRAMES + 1):
        if frame == 1:
            began = time.process_time()
        for each, feed in zip(sessions, feeds, strict=True):
            each.run(None, feed)
    return FRAMES / (time.process_time() - began)
