"""Run the network: what a runtime must do, and the one on ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import RunError
from ..onnx_session import load_graph

#: Weights that come with the package.
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"

#: The network's graphs: a picture's encoding, what is known once a clip, and a frame.
GRAPHS = ("encode.onnx", "prepare.onnx", "animate.onnx")

Floats = NDArray[np.float32]
Encoding = Mapping[str, Floats]
#: What all frames of a clip have in common; only the runtime that made it knows what is in it.
Scene = Any
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Animation:
    """What the network says of one frame, all float32 on the character's crop.

    flow (256, 256, 2): backward, in pixels of the crop. edges (256, 256) in 0..1. residual
    (256, 256, 3), added where residual_mask (256, 256) in 0..1 says so. occlusion (64, 64), 1
    where the neutral shows what is needed. doubt (64, 64): the end-point error that the flow is
    expected to have there, in pixels of the crop.
    """

    flow: Floats
    edges: Floats
    residual: Floats
    residual_mask: Floats
    occlusion: Floats
    doubt: Floats


class Runtime(Protocol):
    """Whatever can run the network. Its calls may come from several threads at once."""

    #: Frames that one call of `animate` is best given.
    batch: int
    #: Calls of `animate` that are best made side by side.
    workers: int

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of each file of weights, by name."""
        ...

    def encode(self, picture: Picture) -> Encoding:
        """Return the encoding of a crop (256, 256, 3) uint8; every array has a leading 1."""
        ...

    def prepare(self, source_neutral: Encoding, character: Encoding, picture: Picture) -> Scene:
        """Return what all frames of a clip have in common: the source's neutral, the character and
        its crop `picture` (256, 256, 3) uint8."""
        ...

    def animate(
        self, scene: Scene, frames: Sequence[Picture], flows: Sequence[Floats], strength: float
    ) -> list[Animation]:
        """Return an animation for each of the source's `frames` (256, 256, 3) uint8, with the
        `flows` (64, 64, 2) from the neutral to each. What else is in a call changes nothing."""
        ...


def as_input(picture: Picture) -> Floats:
    """Return a picture (256, 256, 3) uint8 as the network takes it: (1, 3, 256, 256) in 0..1."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)


def as_animation(*made: Floats) -> Animation:
    """Return the network's fields of one frame, (C, h, w) in the order of `Animation`."""
    planes = (np.ascontiguousarray(np.moveaxis(field, 0, -1)) for field in made)
    return Animation(*(field[..., 0] if field.shape[-1] == 1 else field for field in planes))


class OnnxRuntime:
    """The network on ONNX Runtime's CPU provider."""

    batch = 1

    def __init__(self, folder: Path = WEIGHTS, threads: int = 0) -> None:
        """Load the graphs of a folder, checked against its manifest.

        `threads` 0 is one per core. Each call keeps to the thread that made it: the network's
        operations are too small to be shared out, so cores are filled with frames, `threads` at
        once. Raises RunError where weights are absent, changed or not ours.
        """
        self.workers = threads or os.cpu_count() or 1
        #: Several jobs together make no more frames at once than one does.
        self._slots = BoundedSemaphore(self.workers)
        self.manifest = read_manifest(folder)
        self.hashes: Mapping[str, str] = {name: self.manifest["sha256"][name] for name in GRAPHS}
        sessions = [
            load_graph(checked_bytes(folder / name, digest), name)
            for name, digest in self.hashes.items()
        ]
        self._encode, self._prepare, self._animate = sessions
        self._encoded = [entry.name for entry in self._encode.get_outputs()]
        self._made = [each.name for each in fields(Animation)]

    def encode(self, picture: Picture) -> Encoding:
        """Return the encoding of a crop (256, 256, 3) uint8."""
        return dict(
            zip(self._encoded, self._encode.run(None, {"image": as_input(picture)}), strict=True)
        )

    def prepare(self, source_neutral: Encoding, character: Encoding, picture: Picture) -> Scene:
        """Return what all frames of a clip have in common, as `animate.onnx` is fed."""
        known = {
            **_prefixed("source_neutral", source_neutral),
            **_prefixed("character", character),
            "character_image": as_input(picture),
        }
        made = self._prepare.run(None, _chosen(self._prepare, known))
        names = (entry.name for entry in self._prepare.get_outputs())
        return known | _prefixed("prepared", dict(zip(names, made, strict=True)))

    def animate(
        self, scene: Scene, frames: Sequence[Picture], flows: Sequence[Floats], strength: float
    ) -> list[Animation]:
        """Return an animation for each frame, one after the other."""
        pairs = zip(frames, flows, strict=True)
        return [self._animated(scene, frame, flow, strength) for frame, flow in pairs]

    def _animated(self, scene: Scene, frame: Picture, flow: Floats, strength: float) -> Animation:
        given = {
            **scene,
            **_prefixed("source_frame", self.encode(frame)),
            "source_flow": np.ascontiguousarray(flow.transpose(2, 0, 1)[None]),
            "strength": np.array([strength], np.float32),
        }
        with self._slots:
            made = self._animate.run(self._made, _chosen(self._animate, given))
        return as_animation(*(field[0] for field in made))


def _prefixed(side: str, fields: Encoding) -> dict[str, Floats]:
    """Return an encoding, or what is prepared, as the next graph names it."""
    return {f"{side}_{name}": value for name, value in fields.items()}


def _chosen(graph: Any, given: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return of what is `given` that which a graph takes."""
    return {entry.name: given[entry.name] for entry in graph.get_inputs()}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of the weights in a folder; raises RunError where there is none."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        digests = manifest["sha256"]
        if not all(isinstance(digests[name], str) for name in GRAPHS):
            raise TypeError("digests are not text")
    except OSError as error:
        raise RunError(
            f"There are no weights in {folder}.",
            "Give a folder that `microface export` wrote, or install the package again.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path} is not a manifest of this version's weights.",
            "Install the package again, or export the weights again (`microface export`).",
        ) from error
    return dict(manifest)


def checked_bytes(path: Path, digest: str) -> bytes:
    """Return a file's bytes; raises RunError unless their SHA-256 is `digest`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunError(
            f"The weights {path} are missing.", "Install the package again, with its weights."
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise RunError(
            f"The weights {path} are not the ones that the manifest names "
            f"({found[:12]} instead of {digest[:12]}).",
            "Install the package again; never run weights of unknown origin.",
        )
    return data
