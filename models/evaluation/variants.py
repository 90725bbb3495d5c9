"""The networks that an ablation compares: each as costly a frame as the one that ships.

From the released network through the plain motion of the First Order Motion Model, one idea after
the other, to the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ..eam.network import Eam, EamConfig
from ..released.network import Keypoints, Released, ReleasedConfig, relative
from . import cost

#: The whole network, as it ships; doubt is taught apart and left out here.
WHOLE = EamConfig(doubt=False)
#: The same without what faces can do, whose cost the plainer ones are widened to.
FINE = replace(WHOLE, repertoire=0)
#: The same with nothing but sparse keypoints' motion and masks.
PLAIN = replace(FINE, motion="difference", carry=False, chart=False, aep=False, eimhsa=False)
#: Steps in which a network is widened, and the widest that is tried.
WIDER, WIDEST = 0.05, 3.0

#: What a stage is called, and its share of the budget.
Plan = tuple[tuple[str, float], ...]
ALONE: Plan = (("unsupervised", 1.0),)
TAUGHT: Plan = (("motion", 0.7), ("paint", 0.3))
PAINT: Plan = (("paint", 1.0),)


@dataclass(frozen=True)
class Variant:
    """One row: its name, what builds its network, the stages it is taught in, and which parts of
    the weights that ship it begins with."""

    name: str
    build: Callable[[], nn.Module]
    plan: Plan
    given: tuple[str, ...] = ()


def widened(config: EamConfig, factor: float) -> EamConfig:
    """Return `config` with the channels of what moves and paints times `factor`, in multiples of
    eight; the detector stays."""

    def times(count: int) -> int:
        return max(8, round(count * factor / 8) * 8)

    return replace(config, context=times(config.context), channels=times(config.channels))


def closest(
    price: Callable[[float], float], wanted: float, first: float, step: float, last: float
) -> float:
    """Return the factor, from `first` on in `step`s, whose price comes closest to `wanted`."""
    best, nearest = first, float("inf")
    factor = first
    while factor <= last:
        found = price(factor)
        if abs(found - wanted) < nearest:
            best, nearest = factor, abs(found - wanted)
        if found > wanted:
            break
        factor += step
    return best


def frame_cost(network: nn.Module) -> float:
    """Return the GFLOPs of a frame of a clip; what stands still is worked out once."""
    if isinstance(network, Eam):
        return cost.operations(network)["frame"]
    assert isinstance(network, Released)
    count = network.config.keypoints
    image: Tensor = torch.rand(1, 3, 256, 256)
    still = Keypoints(torch.rand(1, count, 2) - 0.5, torch.eye(2).expand(1, count, 2, 2))
    network.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(image, still, relative(still, still, network.detector(image)))
    return float(counter.get_total_flops()) / 1e9


def as_costly(config: EamConfig) -> Callable[[], nn.Module]:
    """Return what builds `config`, widened until a frame costs what the one's with fine motion
    does."""

    def build() -> nn.Module:
        wanted = frame_cost(Eam(FINE))
        factor = closest(lambda f: frame_cost(Eam(widened(config, f))), wanted, 1.0, WIDER, WIDEST)
        return Eam(widened(config, factor))

    return build


def released() -> nn.Module:
    """Return the released network at the width at which a frame costs what the one's with fine
    motion does."""
    wanted = frame_cost(Eam(FINE))
    width = closest(
        lambda w: frame_cost(Released(ReleasedConfig(width=w))), wanted, WIDER, WIDER / 5, 1.0
    )
    return Released(ReleasedConfig(width=width))


DETECTOR = ("encoder",)
MOTION = (*DETECTOR, "source", "repertoire", "correspond", "dense")
WITH_EDGES = replace(PLAIN, aep=True)
WITH_BOTH = replace(PLAIN, aep=True, eimhsa=True)

#: Rows of the comparison, each with one idea more than the one before; all but the released network
#: begin with the detector that ships.
VARIANTS = (
    Variant("as released", released, ALONE),
    Variant("first order", as_costly(PLAIN), ALONE, DETECTOR),
    Variant("+ edges", as_costly(WITH_EDGES), ALONE, DETECTOR),
    Variant("+ attention", as_costly(WITH_BOTH), ALONE, DETECTOR),
    Variant("+ supervision", as_costly(WITH_BOTH), TAUGHT, DETECTOR),
    Variant("+ fine motion", lambda: Eam(FINE), TAUGHT, DETECTOR),
    Variant("+ repertoire", lambda: Eam(replace(WHOLE, together=0)), TAUGHT, DETECTOR),
)

#: What paints, on the motion of the weights that ship: nothing but the warp and a residual, with
#: edge prediction, with attention under it.
PAINTERS = (
    Variant(
        "warp and residual", lambda: Eam(replace(WHOLE, aep=False, eimhsa=False)), PAINT, MOTION
    ),
    Variant("+ edges", lambda: Eam(replace(WHOLE, eimhsa=False)), PAINT, MOTION),
    Variant("+ attention", lambda: Eam(WHOLE), PAINT, MOTION),
)
