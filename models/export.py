"""Write a trained network as the three ONNX graphs that ship, checked against torch."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from ..errors import InputError, RunError
from .eam.keypoints import CELLS, Encoding
from .eam.network import Animation, Eam, EamConfig, Prepared
from .graphs import GRAPHS, SIDES, Feed, Graph, Graphs
from .stored import store, stored

#: What `encode.onnx` returns, in order; fields of `eam.keypoints.Encoding`.
ENCODINGS = Encoding._fields
#: What `prepare.onnx` returns, in order; fields of `eam.network.Prepared`.
PREPARED = Prepared._fields
#: What `animate.onnx` returns, in order; the first fields of `eam.network.Animation`.
ANIMATIONS = Animation._fields[:7]
#: ONNX operator set: the first with a stable four-dimensional GridSample.
OPSET = 17
#: What a configuration or tensors of another network raise.
UNFIT = (ValueError, KeyError, TypeError, RuntimeError)
#: Largest absolute difference from torch that an export may have, in each output's own unit.
PARITY = 1e-3


class EncodeGraph(nn.Module):
    """`encode.onnx`: one picture (N, 3, 256, 256) to the fields of `Encoding`."""

    def __init__(self, network: Eam) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the encoding's fields."""
        return tuple(self.network.encode(image))


class PrepareGraph(nn.Module):
    """`prepare.onnx`: the encodings of both neutrals to the fields of `Prepared`."""

    def __init__(self, network: Eam) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return what is prepared; `inputs` in the order of `encodings_of(SIDES[:2])`."""
        each = len(ENCODINGS)
        return tuple(self.network.prepare(Encoding(*inputs[:each]), Encoding(*inputs[each:])))


class AnimateGraph(nn.Module):
    """`animate.onnx`: encodings, what is prepared, flow, picture and strength to `ANIMATIONS`."""

    def __init__(self, network: Eam) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the animation's fields; `inputs` in the order of `animate_inputs`."""
        each = len(ENCODINGS)
        neutral, character, frame = (
            Encoding(*inputs[i * each : (i + 1) * each]) for i in range(len(SIDES))
        )
        rest = inputs[len(SIDES) * each :]
        prepared, (flow, image, strength) = Prepared(*rest[:-3]), rest[-3:]
        animation = self.network.animate(
            neutral, frame, flow, image, character, strength, prepared=prepared
        )
        return tuple(animation[: len(ANIMATIONS)])


def encodings_of(sides: Iterable[str]) -> list[str]:
    """Return the names that the encodings of some sides have as inputs."""
    return [f"{side}_{field}" for side in sides for field in ENCODINGS]


def animate_inputs() -> list[str]:
    """Return the names that `AnimateGraph` takes, in order; the ONNX graph drops unused ones."""
    prepared = [f"prepared_{field}" for field in PREPARED]
    return [*encodings_of(SIDES), *prepared, "source_flow", "character_image", "strength"]


def save_weights(network: Eam, path: Path) -> None:
    """Write `network` with its configuration as safetensors, in one step."""
    store(network, path, {"config": json.dumps(asdict(network.config))})


def load_weights(path: Path) -> Eam:
    """Return the network in a safetensors file, ready to run. InputError where it is unfit."""
    if not path.is_file():
        raise InputError(f"There are no weights at {path}.", "Give a .safetensors file.")
    try:
        return _network(*stored(path, "config"))
    except (SafetensorError, OSError, *UNFIT) as error:
        raise InputError(
            f"{path} does not hold weights of this network.", "Give a file that `train` wrote."
        ) from error


def load_network(path: Path) -> Eam:
    """Return the network of a weights file, or the averaged one of a training run's folder.

    Raises InputError where it is unfit.
    """
    if not path.is_dir():
        return load_weights(path)
    from .training import checkpoint

    tensors, _, config = checkpoint.load(path / checkpoint.NAME)
    try:
        return _network(config, checkpoint.part(tensors, "average"))
    except UNFIT as error:
        raise InputError(
            f"The checkpoint in {path} is not of this network.",
            "Export it with the version of Microface that trained it.",
        ) from error


def _network(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Eam:
    network = Eam(EamConfig(**config))
    network.load_state_dict(tensors)
    return network.eval()


def trial(count: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return made-up inputs for a parity check: three smooth pictures, a flow and a strength."""
    rng = torch.Generator().manual_seed(seed)
    rough = torch.rand((3 * count, 3, 16, 16), generator=rng)
    pictures = nn.functional.interpolate(rough, size=(256, 256), mode="bicubic").clamp(0, 1)
    flow = trial_flow(count, rng)
    neutral, frame, image = torch.split(pictures, count)
    return neutral, neutral + 0.05 * (frame - neutral), image, flow, torch.full((count,), 0.8)


def trial_flow(count: int, rng: torch.Generator) -> Tensor:
    """Return made-up smooth flows (count, 2, 64, 64), pixels."""
    rough = torch.randn((count, 2, 8, 8), generator=rng)
    return nn.functional.interpolate(rough, size=(CELLS, CELLS), mode="bicubic")


def to_onnx(network: Eam, folder: Path) -> None:
    """Write the `GRAPHS` to `folder`."""
    neutral, frame, image, flow, strength = trial(2)
    with torch.no_grad():
        encodings = [network.encode(x) for x in (neutral, image, frame)]
        prepared = network.prepare(*encodings[:2])
    source, character, moved = encodings
    both = (*source, *character)
    every = (*both, *moved, *prepared, flow, image, strength)
    graphs: list[tuple[str, nn.Module, tuple[Tensor, ...], Iterable[str], Iterable[str]]] = [
        ("encode.onnx", EncodeGraph(network), (neutral,), ["image"], ENCODINGS),
        ("prepare.onnx", PrepareGraph(network), both, encodings_of(SIDES[:2]), PREPARED),
        ("animate.onnx", AnimateGraph(network), every, animate_inputs(), ANIMATIONS),
    ]
    for name, graph, inputs, takes, gives in graphs:
        write_graph(graph, inputs, folder / name, list(takes), list(gives))


def write_graph(
    graph: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    takes: Sequence[str],
    gives: Sequence[str],
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write a graph, tried with `inputs`, that takes and gives batches of any size by those names;
    `facts` are its metadata."""
    import onnx  # here, so that whoever only reads weights does without

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            inputs,
            str(path),
            input_names=list(takes),
            output_names=list(gives),
            dynamic_axes={each: {0: "batch"} for each in (*takes, *gives)},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    if facts:
        onnx.helper.set_model_props(model, dict(facts))
        onnx.save(model, str(path))


def export_graph(
    graph: nn.Module,
    trial: Callable[[int, int], tuple[Tensor, ...]],
    path: Path,
    takes: Sequence[str],
    gives: Sequence[str],
    facts: Mapping[str, str] | None = None,
) -> float:
    """Write a graph of tensors alone to `path` and return how far it is from torch at most; all or
    nothing.

    `trial` makes up so many inputs from a seed; the rest as in `write_graph`. Raises RunError where
    the graph differs by more than `PARITY`.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    aside = path.with_suffix(".part")
    try:
        write_graph(graph.eval(), trial(2, 0), aside, takes, gives, facts)
        inputs = trial(3, 1)
        feed = {name: value.numpy() for name, value in zip(takes, inputs, strict=True)}
        made = Graph(aside).run(feed)
        with torch.no_grad():
            truth = graph(*inputs)
        worst = max(gap(ours, made[name]) for ours, name in zip(truth, gives, strict=True))
        if not worst <= PARITY:
            raise RunError(f"The graph differs from torch by {worst:.2g}.", "Keep the old one.")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return worst


def parity(network: Eam, folder: Path, count: int = 3) -> dict[str, float]:
    """Return the largest absolute difference between torch and the graphs, for each output.

    Every graph is fed with what torch made.
    """
    neutral, frame, image, flow, strength = trial(count, seed=1)
    pictures = dict(zip(SIDES, (neutral, image, frame), strict=True))
    with torch.no_grad():
        encodings = {side: network.encode(picture) for side, picture in pictures.items()}
        source, character, moved = encodings.values()
        prepared = network.prepare(source, character)._asdict()
        truth = network.animate(source, moved, flow, image, character, strength)._asdict()
    known = {side: encoding._asdict() for side, encoding in encodings.items()}
    given: Feed = {
        f"{side}_{field}": value.numpy()
        for side, fields in {**known, "prepared": prepared}.items()
        for field, value in fields.items()
    }
    given |= {
        "source_flow": flow.numpy(),
        "character_image": image.numpy(),
        "strength": strength.numpy(),
    }
    graphs = Graphs(folder)
    found = [
        (known[side], graphs.encode.run({"image": picture.numpy()}))
        for side, picture in pictures.items()
    ]
    found += [(prepared, graphs.prepare.run(given)), (truth, graphs.animate.run(given))]
    worst: dict[str, float] = {}
    for ours, theirs in found:
        for name, value in theirs.items():
            worst[name] = max(worst.get(name, 0.0), gap(ours[name], value))
    return worst


def gap(ours: Tensor, theirs: NDArray[np.float32]) -> float:
    """Return the largest absolute difference of two arrays of one shape."""
    return float(np.abs(ours.numpy() - theirs).max())


def manifest(folder: Path, version: str, metrics: Mapping[str, object]) -> dict[str, object]:
    """Return what `manifest.json` says: hashes, interface, version and metrics."""
    graphs = Graphs(folder)
    named = {"encode": graphs.encode, "prepare": graphs.prepare, "animate": graphs.animate}
    return {
        "name": "EAM-FMEG",
        "version": version,
        "size": 256,
        "cells": CELLS,
        **{name: {"inputs": graph.takes, "outputs": graph.gives} for name, graph in named.items()},
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in (*GRAPHS, "eam.safetensors")
        },
        "metrics": dict(metrics),
    }


def export(
    network: Eam, folder: Path, version: str, metrics: Mapping[str, object] | None = None
) -> dict[str, float]:
    """Write graphs, weights and manifest to `folder` and return the parity; all or nothing.

    Raises RunError where the graphs differ from torch by more than `PARITY`.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / ".export"
    aside.mkdir(exist_ok=True)
    try:
        to_onnx(network, aside)
        save_weights(network, aside / "eam.safetensors")
        worst = parity(network, aside)
        off = {name: value for name, value in worst.items() if not value <= PARITY}
        if off:
            raise RunError(
                f"The exported graphs differ from torch: {off}.", "Report this; keep the old ones."
            )
        text = json.dumps(manifest(aside, version, metrics or {}), indent=2) + "\n"
        (aside / "manifest.json").write_text(text)
        for path in sorted(aside.iterdir()):
            path.replace(folder / path.name)
    finally:
        for path in aside.iterdir():
            path.unlink()
        aside.rmdir()
    return worst
