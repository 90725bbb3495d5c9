"""Smaller number formats for the exported graphs, let through only where they answer alike.

Convolutions followed by a rectifier are changed, nothing else: the first and last layer of each
branch, and all geometry between them, stay in float32, because motions of a tenth of a pixel are
read off them.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
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
from .export import ENCODINGS, by_side, export, session
from .training.data import Shards
from .training.stages import as_tensors
from .training.steady import steadied

Floats = NDArray[np.float32]
Feed = dict[str, Floats]

#: The formats, and by which share of the motion their answer may depart from float32's.
DEPARTURES = {"fp16": 0.01, "int8": 0.05}
#: Pairs that the ranges of int8 are learned from, and those that the gate looks at.
LEARNED_FROM, JUDGED_BY = 24, 16
GRAPHS = ("encode.onnx", "animate.onnx")
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
    """What one pair gives the graphs: three pictures, the measured flow, and the rest."""

    def __init__(self, shards: Shards, index: int, folder: Path) -> None:
        """Steady pair `index` of `shards` with the keypoints that the graphs in `folder` find."""
        tensors = as_tensors(shards.batch(np.array([index])))
        encode = session(folder / "encode.onnx")
        (points,) = encode.run(["points"], {"image": tensors["source_neutral"].numpy()})
        tensors = steadied(tensors, torch.from_numpy(points))
        names = ("source_neutral", "source_frame", "character_neutral")
        self.pictures: list[Floats] = [tensors[name].numpy() for name in names]
        self.flow: Floats = tensors["measured_flow"].numpy()

    def animation(self, encodings: Sequence[Sequence[Floats]], still: bool = False) -> Feed:
        """Return what `animate.onnx` may take, given the pictures' encodings; `still` stands the
        source still."""
        neutral, frame, character = encodings
        return by_side((neutral, neutral if still else frame, character)) | {
            "source_flow": self.flow * (0 if still else 1),
            "character_image": self.pictures[2],
            "strength": np.ones(1, np.float32),
        }


class Graphs:
    """The two graphs of a folder, and what they make of a pair."""

    def __init__(self, folder: Path) -> None:
        self._encode, self._animate = (session(folder / name) for name in GRAPHS)
        self._takes = {each.name for each in self._animate.get_inputs()}

    def feeds(self, pair: Pair, still: bool = False) -> tuple[list[Feed], Feed]:
        """Return what the graphs are fed for a pair: `encode.onnx` thrice, `animate.onnx` once.

        `still` stands the source still.
        """
        pictures = [{"image": picture} for picture in pair.pictures]
        encodings = [self._encode.run(list(ENCODINGS), picture) for picture in pictures]
        animation = pair.animation(encodings, still)
        return pictures, {name: animation[name] for name in self._takes}

    def flow(self, pair: Pair, still: bool = False) -> Floats:
        """Return the character's flow (2, 256, 256) for a pair."""
        _, animation = self.feeds(pair, still)
        return np.asarray(self._animate.run(["flow"], animation)[0][0], np.float32)


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


def departure(reference: Graphs, variant: Graphs, pairs: Sequence[Pair]) -> Departure:
    """Return how far a variant's motion is from the reference's over pairs."""
    off = motion = still = 0.0
    for pair in pairs:
        true, found = reference.flow(pair), variant.flow(pair)
        size = np.hypot(*true)
        region = size > MOVING
        off += float(np.hypot(*(found - true))[region].sum())
        motion += float(size[region].sum())
        still = max(still, float(np.abs(variant.flow(pair, still=True)).max()))
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
    pairs = [Pair(shards, int(index), folder) for index in spread]
    judges = pairs[:: len(pairs) // JUDGED_BY][:JUDGED_BY]
    reference = Graphs(folder)
    feeds: dict[str, list[Feed]] = {name: [] for name in GRAPHS}
    for pair in pairs:
        if pair not in judges:
            encoding, animation = reference.feeds(pair)
            feeds["encode.onnx"] += encoding
            feeds["animate.onnx"].append(animation)
    for name in GRAPHS:
        if precision == "fp16":
            half(folder / name, out / name)
        else:
            quantised(folder / name, out / name, feeds[name])
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
