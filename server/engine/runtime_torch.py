"""The network on torch: where there is CUDA a batch at a time, by a captured graph.

`microface serve --runtime torch` runs it. It does not ship in the extension: Blender has no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from threading import Lock

import numpy as np

from ...errors import RunError

try:
    import torch
    from torch import Tensor

    from ...models.eam import keypoints
    from ...models.eam.network import Prepared
    from ...models.export import load_weights
except ImportError as error:
    raise RunError(
        f"The torch runtime needs {error.name}, which is not installed.",
        "Install it: pip install 'microface[torch]'; or serve with --runtime onnx.",
    ) from error

from ..retarget_engine import RetargetEngine, weights_folder
from .runtime import (
    WEIGHTS,
    Animation,
    Encoding,
    Floats,
    Picture,
    as_animation,
    as_input,
    checked_bytes,
    read_manifest,
)

WEIGHTS_FILE = "eam.safetensors"
#: Frames in a batch on CUDA, for each of which a graph is captured; a batch is filled up to one.
BATCHES = (1, 4, 16)
#: Runs before a capture, in which libraries choose their kernels.
WARM_RUNS = 3
#: What a frame gives, fields of the network's animation.
MADE = tuple(each.name for each in fields(Animation))

#: Both neutrals encoded, what is prepared and the character's picture, one after the other.
Scene = tuple[Tensor, ...]


class Captured:
    """A function of tensors as a CUDA graph: captured once, then replayed without a launch each.

    A graph reads and writes fixed addresses, so what comes in is copied there, and what goes out
    holds until the next call.
    """

    def __init__(self, function: Callable[..., Scene], inputs: Sequence[Tensor]) -> None:
        """Warm the function up with `inputs`, whose shapes all calls must have, and capture it."""
        self._inputs = [each.clone() for each in inputs]
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_RUNS):
                function(*self._inputs)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._made = function(*self._inputs)

    def __call__(self, *inputs: Tensor) -> Scene:
        """Return what the function makes of `inputs`; it is overwritten by the next call."""
        for mine, given in zip(self._inputs, inputs, strict=True):
            mine.copy_(given)
        self._graph.replay()
        return self._made


class TorchRuntime:
    """The network on torch, on the first CUDA device or else on the processor."""

    #: Torch shares its threads out itself, and a captured graph is one.
    workers = 1

    def __init__(self, folder: Path = WEIGHTS, threads: int = 0) -> None:
        """Load the weights of a folder, checked against its manifest.

        `threads` is for the processor; 0 is one per core. Raises RunError where weights are
        absent, changed or not ours.
        """
        digest = str(read_manifest(folder)["sha256"].get(WEIGHTS_FILE))
        checked_bytes(folder / WEIGHTS_FILE, digest)
        self.hashes: Mapping[str, str] = {WEIGHTS_FILE: digest}
        if threads:
            torch.set_num_threads(threads)
        #: Where it runs.
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.batch = BATCHES[-1] if self.device.type == "cuda" else 1
        # The same answer as on the processor: motions of a tenth of a pixel are read off these.
        torch.backends.cudnn.allow_tf32 = False
        self._network = load_weights(folder / WEIGHTS_FILE).to(self.device)
        self._captured: dict[int, Captured] = {}
        #: One call at a time: what a graph made is read before it is replayed.
        self._lock = Lock()

    @torch.inference_mode()
    def encode(self, picture: Picture) -> Encoding:
        """Return the encoding of a crop (256, 256, 3) uint8."""
        with self._lock:
            found = self._network.encode(self._tensor(as_input(picture)))
            return {name: value.cpu().numpy() for name, value in found._asdict().items()}

    @torch.inference_mode()
    def prepare(self, source_neutral: Encoding, character: Encoding, picture: Picture) -> Scene:
        """Return what all frames of a clip have in common."""
        with self._lock:
            source, target = (
                keypoints.Encoding(**{name: self._tensor(value) for name, value in each.items()})
                for each in (source_neutral, character)
            )
            prepared = self._network.prepare(source, target)
            return (*source, *target, *prepared, self._tensor(as_input(picture)))

    @torch.inference_mode()
    def animate(
        self, scene: Scene, frames: Sequence[Picture], flows: Sequence[Floats], strength: float
    ) -> list[Animation]:
        """Return an animation for each frame, as many at once as a batch holds."""
        made: list[Animation] = []
        for start in range(0, len(frames), self.batch):
            some = slice(start, start + self.batch)
            made += self._animated(scene, frames[some], flows[some], strength)
        return made

    def _animated(
        self, scene: Scene, frames: Sequence[Picture], flows: Sequence[Floats], strength: float
    ) -> list[Animation]:
        pictures = self._tensor(np.concatenate([as_input(frame) for frame in frames]))
        moved = self._tensor(np.stack([flow.transpose(2, 0, 1) for flow in flows]))
        strengths = torch.full((len(frames),), strength, device=self.device)
        inputs = (pictures, moved, strengths, *scene)
        with self._lock:
            made = [field.cpu().numpy() for field in self._run(len(frames), inputs)]
        return [as_animation(*(field[k] for field in made)) for k in range(len(frames))]

    def _run(self, count: int, inputs: Scene) -> Scene:
        """Return the fields of `count` frames, by a captured graph where there is CUDA."""
        if self.device.type != "cuda":
            return self._frames(*inputs)
        size = next(size for size in BATCHES if size >= count)
        filled = [torch.cat((each, each[-1:].expand(size - count, *each.shape[1:])))
                  for each in inputs[:3]]  # fmt: skip
        whole = (*filled, *inputs[3:])
        if size not in self._captured:
            self._captured[size] = Captured(self._frames, whole)
        return tuple(field[:count] for field in self._captured[size](*whole))

    def _frames(
        self, pictures: Tensor, flow: Tensor, strength: Tensor, *scene: Tensor
    ) -> tuple[Tensor, ...]:
        """Return `MADE` of source frames (N, 3, 256, 256), their flow (N, 2, 64, 64) and strength
        (N,), with a scene of one."""
        shared = [each.expand(len(pictures), *each.shape[1:]) for each in scene]
        each = len(keypoints.Encoding._fields)
        source, target = (keypoints.Encoding(*shared[i : i + each]) for i in (0, each))
        prepared, image = Prepared(*shared[2 * each : -1]), shared[-1]
        made = self._network.animate(
            source, self._network.encode(pictures), flow, image, target, strength,
            prepared=prepared,
        )  # fmt: skip
        return tuple(getattr(made, name) for name in MADE)

    def _tensor(self, array: Floats) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


def make_engine(weights: str | None, threads: int) -> RetargetEngine:
    """Return the engine on torch, with the weights in a folder or with those that ship."""
    return RetargetEngine(TorchRuntime(weights_folder(weights), threads))
