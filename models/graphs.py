"""The exported graphs and how they hang together, on ONNX Runtime: for checks and timing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Floats = NDArray[np.float32]
#: Arrays by the names that a graph has for them.
Feed = dict[str, Floats]

#: The graphs that run for each frame of a clip, and all of them: the other runs once a clip.
EACH_FRAME = ("encode.onnx", "animate.onnx")
GRAPHS = (*EACH_FRAME, "prepare.onnx")
#: Sides whose encodings are taken, each field as `{side}_{field}`; the first two are known once a
#: clip, and are all that `prepare.onnx` takes.
SIDES = ("source_neutral", "character", "source_frame")


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return an ONNX Runtime session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def made_up(graph: onnxruntime.InferenceSession, seed: int = 0) -> Feed:
    """Return random inputs of a graph for a batch of one: for timing, where values do not count."""
    rng = np.random.default_rng(seed)
    return {
        each.name: rng.random([s if isinstance(s, int) else 1 for s in each.shape], np.float32)
        for each in graph.get_inputs()
    }


def prefixed(side: str, fields: Mapping[str, Floats]) -> Feed:
    """Return the fields of an encoding, or what is prepared, as the next graph names them."""
    return {f"{side}_{name}": value for name, value in fields.items()}


class Graph:
    """One graph, on one thread."""

    def __init__(self, path: Path) -> None:
        self._session = session(path)
        self.takes = [each.name for each in self._session.get_inputs()]
        self.gives = [each.name for each in self._session.get_outputs()]

    def run(self, given: Mapping[str, Floats]) -> Feed:
        """Return all that the graph gives; more may be `given` than it takes."""
        made = self._session.run(self.gives, self.chosen(given))
        return dict(zip(self.gives, made, strict=True))

    def chosen(self, given: Mapping[str, Floats]) -> Feed:
        """Return of what is `given` that which the graph takes."""
        return {name: given[name] for name in self.takes}


class Graphs:
    """The graphs of a folder."""

    def __init__(self, folder: Path) -> None:
        self.encode, self.animate, self.prepare = (Graph(folder / name) for name in GRAPHS)

    def known(
        self, neutral: Floats, frame: Floats, image: Floats, flow: Floats, strength: Floats
    ) -> Feed:
        """Return all that `animate.onnx` may take for the source's `neutral` and `frame` and the
        character's `image` (N, 3, 256, 256), the `flow` (N, 2, 64, 64) and the `strength` (N,)."""
        given: Feed = {"character_image": image, "source_flow": flow, "strength": strength}
        for side, picture in zip(SIDES, (neutral, image, frame), strict=True):
            given |= prefixed(side, self.encode.run({"image": picture}))
        return given | prefixed("prepared", self.prepare.run(given))
