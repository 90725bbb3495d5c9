"""Smaller number formats for the exported graphs, let through only where they answer alike.

Convolutions followed by a rectifier are changed, nothing else: the first and last layer of each
branch, and all geometry between them, stay in float32, because motions of a tenth of a pixel are
read off them. So does the graph that runs once a clip, where nothing is to be gained.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from ..errors import InputError, RunError
from .eam.network import Eam
from .export import export
from .graphs import EACH_FRAME, GRAPHS, Feed, Floats, Graphs
from .training.data import Shards
from .training.stages import as_tensors
from .training.steady import steadied

#: The formats, and by which share of the motion their answer may depart from float32's.
DEPARTURES = {"fp16": 0.01, "int8": 0.05}
#: Pairs that the ranges of int8 are learned from, and those that the gate looks at.
LEARNED_FROM, JUDGED_BY = 24, 16
HALF, WHOLE = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
#: Motion, 256-px pixels, from which a pixel is judged as moving.
MOVING = 0.2


@dataclass(frozen=True)
class Departure:
    """How far a variant's motion is from float32's: `moving`, the mean end-point difference over
    the mean motion, where it moves; `still`, the largest motion, pixels, of a source that stands
    still."""

    moving: float
    still: float


class Pair:
    """What one pair gives the graphs: three pictures and the measured flow."""

    def __init__(self, shards: Shards, index: int, graphs: Graphs) -> None:
        """Steady pair `index` of `shards` with the keypoints that `graphs` find."""
        tensors = as_tensors(shards.batch(np.array([index])))
        found = graphs.encode.run({"image": tensors["source_neutral"].numpy()})
        tensors = steadied(tensors, torch.from_numpy(found["points"]))
        names = ("source_neutral", "source_frame", "character_neutral")
        self.pictures: list[Floats] = [tensors[name].numpy() for name in names]
        self.flow: Floats = tensors["measured_flow"].numpy()


def given(graphs: Graphs, pair: Pair, still: bool = False) -> Feed:
    """Return all that `animate.onnx` may take for a pair; `still` stands the source still."""
    neutral, frame, character = pair.pictures
    if still:
        frame = neutral
    flow = pair.flow * np.float32(not still)
    return graphs.known(neutral, frame, character, flow, np.ones(1, np.float32))


def flow_of(graphs: Graphs, pair: Pair, still: bool = False) -> Floats:
    """Return the character's flow (2, 256, 256) for a pair."""
    flow: Floats = graphs.animate.run(given(graphs, pair, still))["flow"][0]
    return flow


class Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Hands one graph's inputs to the quantiser, one after the other."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._left = iter(feeds)

    def get_next(self) -> Feed | None:
        """Return the next inputs, or None after the last."""
        return next(self._left, None)


def rectified(model: onnx.ModelProto) -> list[str]:
    """Return the names of the convolutions whose result goes to a rectifier alone."""
    takers: dict[str, list[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node.op_type)
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and takers.get(node.output[0]) == ["LeakyRelu"]
    ]


def half(source: Path, target: Path) -> None:
    """Write a graph whose rectified convolutions, and their rectifiers, compute in 16 bits."""
    model = onnx.load(str(source))
    graph = model.graph
    chosen = set(rectified(model))
    kernels = {entry.name: entry for entry in graph.initializer}
    results = {node.output[0] for node in graph.node if node.name in chosen}
    nodes = []
    for node in graph.node:
        if node.name in chosen:
            narrow = f"{node.name}_half"
            nodes.append(onnx.helper.make_node("Cast", [node.input[0]], [narrow], to=HALF))
            node.input[0] = narrow
            for name in node.input[1:]:
                values = onnx.numpy_helper.to_array(kernels[name])
                kernels[name].CopyFrom(
                    onnx.numpy_helper.from_array(values.astype(np.float16), name)
                )
        nodes.append(node)
        if node.op_type == "LeakyRelu" and node.input[0] in results:
            wide, node.output[0] = node.output[0], f"{node.name}_half"
            nodes.append(onnx.helper.make_node("Cast", [node.output[0]], [wide], to=WHOLE))
    del graph.node[:]
    graph.node.extend(nodes)
    # Shapes and types noted for what lies between are no longer right.
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


def quantised(source: Path, target: Path, feeds: Sequence[Feed]) -> None:
    """Write a graph whose rectified convolutions compute in 8 bits, with ranges from `feeds`."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(str(source), str(plain), skip_symbolic_shape=True)
        quantize_static(
            str(plain),
            str(target),
            Calibration(feeds),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=rectified(onnx.load(str(plain))),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=CalibrationMethod.Percentile,
        )


def learned_from(graphs: Graphs, pairs: Sequence[Pair]) -> tuple[list[Feed], list[Feed]]:
    """Return what `encode.onnx` and `animate.onnx` are fed for pairs."""
    pictures = [{"image": picture} for pair in pairs for picture in pair.pictures]
    return pictures, [graphs.animate.chosen(given(graphs, pair)) for pair in pairs]


def departure(reference: Graphs, variant: Graphs, pairs: Sequence[Pair]) -> Departure:
    """Return how far a variant's motion is from the reference's over pairs."""
    off = motion = still = 0.0
    for pair in pairs:
        true, found = flow_of(reference, pair), flow_of(variant, pair)
        size = np.hypot(*true)
        region = size > MOVING
        off += float(np.hypot(*(found - true))[region].sum())
        motion += float(size[region].sum())
        still = max(still, float(np.abs(flow_of(variant, pair, still=True)).max()))
    if motion == 0:
        raise InputError("Nothing moves in these pairs.", "Give pairs with expressions.")
    return Departure(off / motion, still)


def convert(folder: Path, out: Path, precision: str, shards: Shards) -> Departure:
    """Write the graphs of `folder` to `out` in another format; return how far they depart.

    `precision` is one of `DEPARTURES`; `shards` hold the pairs that ranges are learned from and
    others that judge. Raises RunError, and leaves nothing, where the answer departs too far, or a
    source that stands still would move the character.
    """
    if len(shards) < LEARNED_FROM + JUDGED_BY:
        raise InputError(
            f"{len(shards)} pairs are too few.", f"Give {LEARNED_FROM + JUDGED_BY} or more."
        )
    spread = np.linspace(0, len(shards) - 1, LEARNED_FROM + JUDGED_BY).astype(int)
    reference = Graphs(folder)
    pairs = [Pair(shards, int(index), reference) for index in spread]
    judges = pairs[:: len(pairs) // JUDGED_BY][:JUDGED_BY]
    examples = [pair for pair in pairs if pair not in judges]
    shutil.copy(folder / "prepare.onnx", out / "prepare.onnx")
    for name, feeds in zip(EACH_FRAME, learned_from(reference, examples), strict=True):
        if precision == "fp16":
            half(folder / name, out / name)
        else:
            quantised(folder / name, out / name, feeds)
    found = departure(reference, Graphs(out), judges)
    if found.moving > DEPARTURES[precision] or found.still > 0:
        for name in GRAPHS:
            (out / name).unlink()
        raise RunError(
            f"In {precision} the motion departs by {found.moving:.1%} of itself, and a source that "
            f"stands still moves the character by {found.still:.3f} px.",
            f"Keep float32: {DEPARTURES[precision]:.0%} and 0 px are allowed.",
        )
    return found


def export_as(
    precision: str,
    network: Eam,
    shards: Shards,
    folder: Path,
    version: str,
    metrics: Mapping[str, object] | None = None,
) -> Departure:
    """Write graphs in another format, weights and manifest to `folder`; all or nothing.

    As `export.export` and `convert`, whose errors it raises; the manifest tells the format and how
    far it departs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as name:
        aside = Path(name)
        export(network, aside / "whole", version, metrics)
        small = aside / "small"
        small.mkdir()
        found = convert(aside / "whole", small, precision, shards)
        manifest = json.loads((aside / "whole" / "manifest.json").read_text())
        manifest["precision"] = precision
        manifest["departure"] = {"moving": found.moving, "still": found.still}
        (aside / "whole" / "eam.safetensors").replace(small / "eam.safetensors")
        for graph in GRAPHS:
            digest = hashlib.sha256((small / graph).read_bytes()).hexdigest()
            manifest["sha256"][graph] = digest
        (small / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
        for path in sorted(small.iterdir()):
            path.replace(folder / path.name)
    return found
