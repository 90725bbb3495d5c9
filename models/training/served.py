"""The source's motion as the server measures it, which is what the network is fed at work.

The server takes the head's motion out and measures what is left with means of its own
(`server/clips/steady.py`); the errors it makes are the ones that the network must learn to mend. A
plainer measuring makes others: a network taught on it is off by a tenth more at work.
"""

from __future__ import annotations

from ..eam import grid
from .steady import Pairs


def as_served(pair: Pairs) -> Pairs:
    """Return `pair` with the source's frame steadied and its flow measured as the server does."""
    rest = {name: value for name, value in pair.items() if not name.startswith("served")}
    head = grid.resize(pair["served_head"], grid.SIZE)
    return {
        **rest,
        "measured_flow": pair["served_flow"],
        "source_frame": grid.warp(pair["source_frame"], head),
    }
