"""Print where the motion's error comes from: reading the source, or finding its like elsewhere.

Of pairs drawn by `python -m microface.models.heads.write` and measured by
`python -m microface.server.clips.pairs`, with an expression: the end-point error over the true
motion, and the gain, over what moves, within a family of heads and across. At the source: the
motion as the server measures it, as the network refines it, as its repertoire has it in the end,
and the best that the repertoire could. On the character, against the carried truth: the network's
motion, the true motion of the source carried by the network's correspondence, and the motion that
the network finds at the source carried by the true one.

    python tests/benchmarks/error_parts.py TEST [--weights FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from microface.models.eam import motion
from microface.models.eam.correspondence import carry
from microface.models.eam.network import Eam
from microface.models.eam.repertoire import made
from microface.models.evaluation import measures
from microface.models.evaluation.run import labels
from microface.models.export import load_weights
from microface.models.training.amounts import fitted
from microface.models.training.carried import carried_truth
from microface.models.training.data import Shards
from microface.models.training.served import as_served
from microface.models.training.stages import as_tensors
from torch import Tensor

WEIGHTS = Path(__file__).parents[2] / "models/weights/eam.safetensors"
AT_ONCE = 8


def parts(network: Eam, pair: dict[str, Tensor]) -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    """Yield what is compared of a batch: a name, the motion, the true one and where it counts."""
    neutral, frame, character = (
        network.encode(pair[name])
        for name in ("source_neutral", "source_frame", "character_neutral")
    )
    measured, source = pair["measured_flow"], pair["source_flow"]
    prepared = network.prepare(neutral, character)
    found = network.animate(
        neutral, frame, measured, pair["character_neutral"], character,
        torch.ones(len(measured)), paint=False, prepared=prepared,
    )  # fmt: skip
    on_head = pair["source_moving"] > 0.9
    yield "source, as measured", measured, source, on_head
    yield "source, refined", network.source(neutral, frame, measured), source, on_head
    yield "source, in the end", found.source, source, on_head
    known = on_head.float().expand_as(source).flatten(1)
    best = made(fitted(source.flatten(1), known, prepared.movements)[0], prepared.fit)
    yield "source, best of the repertoire", best, source, on_head
    truth = carried_truth(pair)
    yield "character", found.coarse, truth.flow, truth.known
    carried = motion.backward(carry(source, prepared.where))
    yield "character, source's motion known", carried, truth.flow, truth.known
    read = carried_truth({**pair, "source_flow": found.source})
    yield "character, correspondence known", read.flow, truth.flow, truth.known


def sums(found: Tensor, truth: Tensor, counts: Tensor) -> Iterator[list[float]]:
    """Yield each pair's error, true motion, what goes along the true motion, and its square."""
    fields = (one.permute(0, 2, 3, 1).numpy() for one in (found, truth))
    for flow, true, known in zip(*fields, counts[:, 0].numpy(), strict=True):
        region = measures.moving_region(true, known)
        yield [
            *measures.endpoint_sums(flow, true, region),
            *measures.gain_sums(flow, true, region),
        ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="TEST", help="a folder of measured pairs")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FILE")
    arguments = parser.parse_args()
    network = load_weights(arguments.weights).eval()
    shards = Shards(arguments.data)
    within = np.array([same for _, same in labels(shards)])
    totals: dict[str, list[tuple[bool, list[float]]]] = {}
    for first in range(0, len(shards), AT_ONCE):
        indices = np.arange(first, min(first + AT_ONCE, len(shards)))
        pair = as_served(as_tensors(shards.batch(indices)))
        peaks = pair["source_flow"].norm(dim=1).amax((1, 2))
        some = torch.nonzero(peaks >= measures.EXPRESSIVE)[:, 0]
        if not len(some):
            continue
        with torch.no_grad():
            for name, *compared in parts(network, {key: one[some] for key, one in pair.items()}):
                found = zip(within[indices[some.numpy()]], sums(*compared), strict=True)
                totals.setdefault(name, []).extend(found)
    print(f"{'error / motion (gain)':34} within a family    across")
    for name, rows in totals.items():
        cells = []
        for same in (True, False):
            error, size, along, square = np.sum([row for one, row in rows if one == same], axis=0)
            cells.append(f"{error / size:.3f} ({along / square:.3f})")
        print(f"{name:34} {cells[0]:18} {cells[1]}")


if __name__ == "__main__":
    main()
