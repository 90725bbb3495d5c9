"""What an engine is to the worker, and one job's work as a series of steps."""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .clips.clip import Clip
from .folders import CLIPS
from .protocol.content import read_arrays
from .protocol.limits import PIECE_BYTES
from .protocol.manifest import Manifest
from .protocol.messages import (
    ArrayMessage,
    Done,
    Edge,
    Frame,
    Message,
    Motion,
    Progress,
    Weights,
)
from .protocol.patches import bands_of, patch_of
from .protocol.requests import RetargetRequest, SolveRequest, parse_request
from .protocol.timing import parse_fps
from .protocol.wire import summed
from .sandbox import Decoding

#: Tells (stage, fraction 0 to 1) of a job.
Tell = Callable[[str, float], None]


class Generated(Protocol):
    """One generated frame: image (H, W, 3) uint8, edge (H, W) uint8, flow (H, W, 2) float16."""

    @property
    def index(self) -> int: ...
    @property
    def image(self) -> NDArray[np.uint8]: ...
    @property
    def edge(self) -> NDArray[np.uint8]: ...
    @property
    def flow(self) -> NDArray[np.float16]: ...


@dataclass(frozen=True)
class Material:
    """What a retargeting works on: the character's `neutral` (H, W, 3) uint8 and the source `clip`;
    where they are asked for, a clip or picture of the same person at `rest`, and a `second` clip.
    """

    neutral: NDArray[np.uint8]
    clip: Clip
    rest: Clip | None = None
    second: Clip | None = None


class Engine(Protocol):
    """What does the work; made once per worker process."""

    def warm(self) -> Mapping[str, str]:
        """Load and warm the models; return their SHA-256 by name."""
        ...

    def retarget(
        self,
        material: Material,
        request: RetargetRequest,
        tell: Tell,
        cancelled: Callable[[], bool],
    ) -> Generator[Generated | None, None, dict[str, Any]]:
        """Yield the frames in order, and None for a step that made none yet; return the result's
        summary."""
        ...

    def solve(
        self, arrays: Mapping[str, NDArray[Any]], tell: Tell, cancelled: Callable[[], bool]
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Return weights (T, S) and the result's summary."""
        ...


#: Makes an engine from a folder of weights (None: those that ship) and a number of threads.
MakeEngine = Callable[[str | None, int], Engine]


def load_engine(name: str) -> MakeEngine:
    """Return what `MODULE:ATTRIBUTE` names; MODULE is below the package, or a path to a file."""
    module_name, _, attribute = name.rpartition(":")
    if module_name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(module_name).stem, module_name)
        if spec is None or spec.loader is None:
            raise ImportError(f"{module_name} is not a module")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(f"{__package__.rpartition('.')[0]}.{module_name}")
    make: MakeEngine = getattr(module, attribute)
    return make


@dataclass(frozen=True)
class Wait:
    """A step that did nothing: what it waits for has not come yet."""


@dataclass(frozen=True)
class Arrays:
    """A step that made one frame; it counts against the client's credit."""

    messages: tuple[Message, ...]


Step = Wait | Arrays | Progress | Done | Weights


def steps_of(
    job: bytes,
    kind: str,
    table: dict[str, Any],
    folder: Path,
    engine: Engine,
    tell: Tell,
    cancelled: Callable[[], bool],
) -> Iterator[Step]:
    """Yield a job's steps; raises MicrofaceError or ProtocolError when it fails."""
    request = parse_request(kind, table)
    if isinstance(request, SolveRequest):
        return _solve(job, request, folder, engine, tell, cancelled)
    return _retarget(job, request, folder, engine, tell, cancelled)


def _retarget(
    job: bytes,
    request: RetargetRequest,
    folder: Path,
    engine: Engine,
    tell: Tell,
    cancelled: Callable[[], bool],
) -> Iterator[Step]:
    clock = time.perf_counter
    started = clock()
    neutral = _neutral(request, folder)
    yield Progress(job, "decode", 0.0)
    with ExitStack() as stack:
        decodings = {
            what: stack.enter_context(closing(decoding))
            for what, decoding in _decodings(request, folder)
        }
        while not all(decoding.poll() for decoding in decodings.values()):
            yield Wait()
        clips = {what: decoding.clip() for what, decoding in decodings.items()}
        decode_seconds = clock() - started
        manifest = Manifest()
        encode_seconds = transport_seconds = 0.0
        frames = 0
        engine_steps = engine.retarget(Material(neutral, **clips), request, tell, cancelled)
        try:
            while True:
                generated = next(engine_steps)
                if generated is None:
                    yield Wait()
                    continue
                begun = clock()
                messages = _messages(job, generated, neutral)
                for message in messages:
                    manifest.add(message)
                encode_seconds += clock() - begun
                frames += 1
                begun = clock()
                yield Arrays(messages)
                transport_seconds += clock() - begun
        except StopIteration as end:
            result: dict[str, Any] = dict(end.value or {})
        finally:
            engine_steps.close()
    clip = clips["clip"]
    result["clip"] = {
        "name": clip.name,
        "sha256": clip.sha256,
        "frames": len(clip),
        "fps": str(clip.fps),
        "times": [float(seconds) for seconds in clip.times],
        "truth": {name: [float(w) for w in curve] for name, curve in clip.truth.items()},
    }
    seconds = dict(result.get("seconds", {}))
    seconds |= {"decode": decode_seconds, "encode": encode_seconds, "transport": transport_seconds}
    result["seconds"] = seconds
    yield Done(job, frames, manifest.digest(), _packed(result))


def _neutral(request: RetargetRequest, folder: Path) -> NDArray[np.uint8]:
    """Return the neutral that a request names (H, W, 3); raises InputError where it is of another
    size than the request says."""
    path, shape = folder / request.neutral.hex(), (request.height, request.width, 3)
    if path.stat().st_size != math.prod(shape):  # looked at first: it may be a gigabyte
        raise InputError(
            f"The neutral is not {request.width} x {request.height} pixels, as the request says.",
            "Send its raw pixels, three bytes each.",
        )
    return np.fromfile(path, dtype=np.uint8).reshape(shape)


def _messages(
    job: bytes, generated: Generated, neutral: NDArray[np.uint8]
) -> tuple[ArrayMessage, ...]:
    """Return what of a frame has to travel."""
    made: list[ArrayMessage] = []
    for kind, whole, ground in (
        (Frame, generated.image, neutral),
        (Edge, generated.edge, None),
        (Motion, generated.flow, None),
    ):
        top, left, part = patch_of(whole, ground)
        bands = bands_of(part, PIECE_BYTES)
        for band in bands:
            made.append(summed(kind(job, generated.index, band, None, top, left, len(bands))))
            top += len(band)
    return tuple(made)


def _decodings(request: RetargetRequest, folder: Path) -> Iterator[tuple[str, Decoding]]:
    """Yield the clips that a request names, by their names in `Material`, as they are decoded."""
    rates = {"clip": request.fps, "rest": request.fps, "second": request.second_fps}
    for what, rate in rates.items():
        digest, kind, name = (getattr(request, f"{what}{part}") for part in ("", "_kind", "_name"))
        if digest is not None:
            yield (
                what,
                Decoding(
                    folder / digest.hex(),
                    parse_fps(rate) if rate else None,
                    kind="bundle" if kind == "frames" else kind,
                    name=name,
                    into=folder / CLIPS,
                ),
            )


def _solve(
    job: bytes,
    request: SolveRequest,
    folder: Path,
    engine: Engine,
    tell: Tell,
    cancelled: Callable[[], bool],
) -> Iterator[Step]:
    path = folder / request.bundle.hex()
    with path.open("rb") as file:
        arrays = read_arrays(file, path.stat().st_size)
    weights, result = engine.solve(arrays, tell, cancelled)
    manifest = Manifest()
    message = summed(Weights(job, 0, weights))
    manifest.add(message)
    yield message
    yield Done(job, 0, manifest.digest(), _packed(result))


def _packed(result: dict[str, Any]) -> bytes:
    return json.dumps(result, default=_plain).encode()


def _plain(value: object) -> object:
    """Turn numpy's numbers and arrays into JSON's."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    return str(value)
