"""Measure every method on held-out pairs and gather the sums that the table is made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from ..eam.edges import edge_map
from ..eam.keypoints import luminance
from ..eam.motion import moving_region as soft_region
from ..eam.network import Eam
from ..flow import measure_flow
from ..training.carried import Carried, carried_truth, coarse
from ..training.data import Shards
from ..training.stages import as_tensors
from . import measures
from .methods import METHODS, Method, Pairs, Result, as_met
from .reliability import Reliability

#: Pairs that go through the network at once.
BATCH = 8


@dataclass
class Sums:
    """A method's sums, a row a pair; see `measures` for what each pair of columns divides to."""

    claimed: list[tuple[float, float]] = field(default_factory=list)
    carried: list[tuple[float, float]] = field(default_factory=list)
    measured: list[tuple[float, float]] = field(default_factory=list)
    carried_shown: list[tuple[float, float]] = field(default_factory=list)
    carried_cosine: list[tuple[float, float]] = field(default_factory=list)
    carried_gain: list[tuple[float, float]] = field(default_factory=list)
    side: list[tuple[float, float]] = field(default_factory=list)
    cosine: list[tuple[float, float]] = field(default_factory=list)
    gain: list[tuple[float, float]] = field(default_factory=list)
    shown_gain: list[tuple[float, float]] = field(default_factory=list)
    leak: list[tuple[float, float]] = field(default_factory=list)
    swim: list[tuple[float, float]] = field(default_factory=list)
    still: list[tuple[float, float]] = field(default_factory=list)
    moving: list[tuple[float, float]] = field(default_factory=list)
    similarity: list[tuple[float, float]] = field(default_factory=list)
    edges: list[tuple[float, float, float, float]] = field(default_factory=list)
    rest: list[tuple[float, float]] = field(default_factory=list)
    difference: list[tuple[float, float]] = field(default_factory=list)
    edge_motion: list[tuple[float, float]] = field(default_factory=list)
    edge_difference: list[tuple[float, float]] = field(default_factory=list)
    reliability: Reliability | None = None


@dataclass
class Measured:
    """Every method's sums, and for each pair its group (identities) and whether it stays within
    one family of heads; whether the truth is an expression, and the peak of the carried truth in
    pixels."""

    sums: dict[str, Sums]
    groups: list[str] = field(default_factory=list)
    within: list[bool] = field(default_factory=list)
    expressive: list[bool] = field(default_factory=list)
    amplitudes: list[float] = field(default_factory=list)


def labels(shards: Shards) -> list[tuple[str, bool]]:
    """Return each pair's identities as a group's name, and whether both are of one family."""
    found: list[tuple[str, bool]] = []
    for text in shards.column("meta"):
        for meta in json.loads(str(text)):
            families, identities = meta["families"], meta["identities"]
            name = f"{families[0]}{identities[0]}-{families[1]}{identities[1]}"
            found.append((name, families[0] == families[1]))
    return found


def batches(shards: Shards, pairs: int) -> Iterator[tuple[NDArray[np.int64], Pairs]]:
    """Yield indices and tensors of `pairs` pairs, or of all there are, spread over the shards."""
    chosen = np.linspace(0, len(shards) - 1, min(pairs, len(shards))).round().astype(np.int64)
    for start in range(0, len(chosen), BATCH):
        indices = chosen[start : start + BATCH]
        yield indices, as_tensors(shards.batch(indices))


def add(
    sums: Sums, result: Result, pair: Pairs, alike: Carried, i: int, frame: NDArray[np.uint8]
) -> None:
    """Add pair `i` of a batch to a method's sums."""
    backward = pair["character_backward"][i].permute(1, 2, 0).numpy()
    forward = pair["character_forward"][i].permute(1, 2, 0).numpy()
    visible = pair["character_visible"][i, 0].numpy() > 0.5
    neutral = (pair["character_neutral"][i].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    region = measures.moving_region(backward, visible)
    still = measures.still_region(backward)
    flow, image = result.flow[i], result.images[i]
    sums.claimed.append(measures.endpoint_sums(flow, backward, region))
    small = on_cells(flow)
    wanted = alike.flow[i].permute(1, 2, 0).numpy()
    like = measures.moving_region(wanted, alike.known[i, 0].numpy())
    sums.carried.append(measures.endpoint_sums(small, wanted, like))
    sums.carried_cosine.append(measures.cosine_sums(small, wanted, like))
    sums.carried_gain.append(measures.gain_sums(small, wanted, like))
    if result.doubt is not None:
        sums.reliability = sums.reliability or Reliability()
        sums.reliability.add(result.doubt[i], small, wanted, alike.known[i, 0].numpy())
    across = pair["character_chart"][i, 0].numpy() / 10
    sums.side.append(measures.sided_sums(small, wanted, across, like))
    sums.cosine.append(measures.cosine_sums(flow, backward, region))
    sums.gain.append(measures.gain_sums(flow, backward, region))
    # Optical flow between two equal pictures is nothing: no need to measure it.
    same = np.array_equal(neutral, image)
    shown = np.zeros_like(forward) if same else measure_flow(neutral, image)
    came_from = np.zeros_like(forward) if same else measure_flow(image, neutral)
    sums.carried_shown.append(measures.endpoint_sums(on_cells(came_from), wanted, like))
    everywhere = measures.moving_region(forward, np.ones_like(visible))
    sums.measured.append(measures.endpoint_sums(shown, forward, everywhere))
    sums.shown_gain.append(measures.gain_sums(shown, forward, everywhere))
    sums.leak.append((float(np.linalg.norm(flow, axis=-1)[still].sum()), float(still.sum())))
    fixed = pair["character_fixed"][i, 0].numpy() > 0.5
    sums.swim.append(measures.swimming_sums(flow, backward, fixed))
    sums.still.append(measures.psnr_sums(image, frame, still))
    sums.moving.append(measures.psnr_sums(image, frame, region))
    similar = measures.similarity_map(image, frame)[region]
    sums.similarity.append((float(similar.sum()), float(similar.size)))
    drawn = edge_map(luminance(pair["character_frame"][i : i + 1]))
    target = drawn * soft_region(pair["character_backward"][i : i + 1])
    sums.edges.append(measures.edge_counts(result.edges[i], target[0, 0].numpy()))
    at_edges = measures.near_edges(drawn[0, 0].numpy(), region)
    sums.difference.append(measures.picture_sums(image, frame, region))
    sums.edge_motion.append(measures.endpoint_sums(flow, backward, at_edges))
    sums.edge_difference.append(measures.picture_sums(image, frame, at_edges))
    whole = np.linalg.norm(flow, axis=-1)
    sums.rest.append((float(whole.sum()), float(whole.size)))


def on_cells(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a flow (256, 256, 2) on the motion grid (64, 64, 2)."""
    small = coarse(torch.from_numpy(flow).permute(2, 0, 1)[None])[0]
    return np.asarray(small.permute(1, 2, 0).numpy(), np.float32)


def as_they_are(pair: Pairs) -> Pairs:
    """Return the pairs themselves."""
    return pair


@dataclass(frozen=True)
class Answered:
    """A batch of pairs and their `indices`: as they are `stored`, as the methods `met` them, and
    what each method answers."""

    indices: list[int]
    stored: Pairs
    met: Pairs
    results: dict[str, Result]


def answered(
    network: Eam,
    shards: Shards,
    pairs: int,
    methods: Mapping[str, Method] = METHODS,
    change: Callable[[Pairs], Pairs] = as_they_are,
) -> Iterator[Answered]:
    """Yield batches of `pairs` pairs of `shards` with what `methods` answer.

    `network` finds the keypoints by which the baseline holds the source's head still; what the
    methods meet is what `change` makes of the pairs, whose `plain_flow` is the baseline's.
    """
    for indices, stored in batches(shards, pairs):
        with torch.no_grad():
            met = change(as_met(stored, network.encode(stored["source_neutral"]).points))
            results = {name: method(network, met) for name, method in methods.items()}
        yield Answered(indices.tolist(), stored, met, results)


def measure(
    network: Eam,
    shards: Shards,
    pairs: int,
    methods: Mapping[str, Method] = METHODS,
    change: Callable[[Pairs], Pairs] = as_they_are,
    watch: Callable[[Answered], None] | None = None,
) -> Measured:
    """Return the sums of what `answered` yields; `watch` sees each batch too."""
    known = labels(shards)
    found = Measured({name: Sums() for name in methods})
    for batch in answered(network, shards, pairs, methods, change):
        if watch is not None:
            watch(batch)
        with torch.no_grad():
            pair = batch.met
            alike = carried_truth(pair)
            frames = (pair["character_frame"] * 255).round().byte().permute(0, 2, 3, 1).numpy()
            for i, index in enumerate(batch.indices):
                size = pair["character_backward"][i].square().sum(0).sqrt()
                found.groups.append(known[index][0])
                found.within.append(known[index][1])
                found.expressive.append(float(size.max()) >= measures.EXPRESSIVE)
                like = alike.flow[i].square().sum(0).sqrt() * alike.known[i, 0]
                found.amplitudes.append(float(like.max()))
                for name, result in batch.results.items():
                    add(found.sums[name], result, pair, alike, i, np.ascontiguousarray(frames[i]))
    return found
