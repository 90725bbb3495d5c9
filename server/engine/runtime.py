"""Run the network: what a runtime must do, and the one on ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import RunError

#: Weights that come with the package.
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"

Floats = NDArray[np.float32]
Encoding = Mapping[str, Floats]


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
    """Whatever can run the network."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of each file of weights, by name."""
        ...

    def encode(self, picture: NDArray[np.uint8]) -> Encoding:
        """Return the encoding of a crop (256, 256, 3) uint8; every array has a leading 1."""
        ...

    def animate(
        self,
        source_neutral: Encoding,
        source_frame: Encoding,
        flow: Floats,
        character: Encoding,
        picture: NDArray[np.uint8],
        strength: float,
    ) -> Animation:
        """Return the animation for the source's `flow` (64, 64, 2) on the character's crop
        `picture` (256, 256, 3) uint8."""
        ...


def as_input(picture: NDArray[np.uint8]) -> Floats:
    """Return a picture (256, 256, 3) uint8 as the network takes it: (1, 3, 256, 256) in 0..1."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)


class OnnxRuntime:
    """The network on ONNX Runtime's CPU provider."""

    def __init__(self, folder: Path = WEIGHTS, threads: int = 0) -> None:
        """Load `encode.onnx` and `animate.onnx` from a folder, checked against its manifest.

        `threads` 0 leaves the number to ONNX Runtime (a thread per core). Raises RunError where
        weights are absent, changed or not ours.
        """
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        self.manifest = read_manifest(folder)
        self.hashes: Mapping[str, str] = {
            name: self.manifest["sha256"][name] for name in ("encode.onnx", "animate.onnx")
        }
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that spin between calls take the cores from the decoding and the flow.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        sessions = []
        for name, digest in self.hashes.items():
            data = checked_bytes(folder / name, digest)
            try:
                sessions.append(
                    onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
                )
            except (
                state.Fail,
                state.InvalidGraph,
                state.InvalidProtobuf,
                state.NotImplemented,
            ) as error:
                raise RunError(
                    f"ONNX Runtime {onnxruntime.__version__} cannot load {name}.",
                    "Install a newer onnxruntime.",
                ) from error
        self._encode, self._animate = sessions
        self._wanted = {entry.name for entry in self._animate.get_inputs()}
        self._encoded = [entry.name for entry in self._encode.get_outputs()]
        self._made = ["flow", "edges", "residual", "residual_mask", "occlusion", "doubt"]

    def encode(self, picture: NDArray[np.uint8]) -> Encoding:
        """Return the encoding of a crop (256, 256, 3) uint8."""
        return dict(
            zip(self._encoded, self._encode.run(None, {"image": as_input(picture)}), strict=True)
        )

    def animate(
        self,
        source_neutral: Encoding,
        source_frame: Encoding,
        flow: Floats,
        character: Encoding,
        picture: NDArray[np.uint8],
        strength: float,
    ) -> Animation:
        """Return the animation for the source's `flow` (64, 64, 2)."""
        given = {
            f"{side}_{name}": value
            for side, encoding in (
                ("source_neutral", source_neutral),
                ("source_frame", source_frame),
                ("character", character),
            )
            for name, value in encoding.items()
        }
        given["source_flow"] = np.ascontiguousarray(flow.transpose(2, 0, 1)[None])
        given["character_image"] = as_input(picture)
        given["strength"] = np.array([strength], np.float32)
        feed = {name: value for name, value in given.items() if name in self._wanted}
        made = self._animate.run(self._made, feed)
        back, edges, residual, mask, occlusion, doubt = (np.asarray(value[0]) for value in made)
        return Animation(
            np.ascontiguousarray(back.transpose(1, 2, 0)),
            edges[0],
            np.ascontiguousarray(residual.transpose(1, 2, 0)),
            mask[0],
            occlusion[0],
            doubt[0],
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of the weights in a folder; raises RunError where there is none."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        digests = manifest["sha256"]
        if not all(isinstance(digests[name], str) for name in ("encode.onnx", "animate.onnx")):
            raise TypeError("digests are not text")
    except OSError as error:
        raise RunError(
            f"There are no weights in {folder}.", "Install the package again, with its weights."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path} is not a manifest of weights.", "Install the package again."
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
