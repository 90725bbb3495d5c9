"""The engine that ships, as the worker calls it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .engine.pipeline import Cancelled, Generated, Second, retarget
from .engine.runtime import WEIGHTS, OnnxRuntime, Runtime
from .engine.solve import solve_weights
from .engine.spectacles import rims_on
from .protocol.faces import parse_face
from .protocol.messages import Weights
from .protocol.regions import EVEN_MIX, parse_gains, parse_mix
from .protocol.requests import RetargetRequest
from .protocol.timing import parse_timing
from .work import Material, Tell

#: Arrays that a solve needs, and those it may have.
SOLVE_NEEDS = ("jacobian", "motion", "confidence", "bounds", "names", "times")
SOLVE_MAY_HAVE = ("positions", "views", "units", "crop")


class RetargetEngine:
    """The network on whatever runs it, and the solver of shape key weights."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def warm(self) -> Mapping[str, str]:
        """Run each network once, so that the first job does not wait; return its files' SHA-256."""
        grey = np.full((256, 256, 3), 128, np.uint8)
        encoding = self._runtime.encode(grey)
        rims_on(grey, encoding["points"][0])
        still = np.zeros((64, 64, 2), np.float32)
        scene = self._runtime.prepare(encoding, encoding, grey)
        batch = self._runtime.batch
        self._runtime.animate(scene, [grey] * batch, [still] * batch, 1.0)
        return self._runtime.hashes

    def retarget(
        self,
        material: Material,
        request: RetargetRequest,
        tell: Tell,
        cancelled: Callable[[], bool],
    ) -> Generator[Generated | None, None, dict[str, Any]]:
        """Yield the character's frames; return the summary. Raises InputError without a face."""
        tell("align", 0.0)
        second = None
        if material.second is not None:
            by_moments = request.align != "start"
            second = Second(material.second, parse_mix(request.mix or EVEN_MIX), by_moments)
        work = retarget(
            material.neutral,
            material.clip,
            request.strength,
            self._runtime,
            progress=lambda done, total: tell("generate", done / total),
            cancelled=cancelled,
            neutral_frame=request.neutral_frame,
            rest=material.rest,
            face=parse_face(request.face or "largest"),
            gains=parse_gains(request.gains),
            timing=parse_timing(request.timing or ""),
            second=second,
            keep_spectacles=request.spectacles != "move",
        )
        try:
            yield from work.steps()
        except Cancelled:
            return {}
        return work.summary()

    def solve(
        self, arrays: Mapping[str, NDArray[Any]], tell: Tell, cancelled: Callable[[], bool]
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Return weights (T, S) and the solve's accounts. Raises InputError for unfit arrays."""
        missing = [name for name in SOLVE_NEEDS if name not in arrays]
        known = {name: arrays[name] for name in (*SOLVE_NEEDS, *SOLVE_MAY_HAVE) if name in arrays}
        if missing or len(known) < len(arrays):
            raise InputError(
                f"A solve needs {', '.join(SOLVE_NEEDS)}; it got {', '.join(arrays)}.",
                "Send those arrays.",
            )
        for what, array in (("frames", known["times"]), ("keys", known["names"])):
            if array.size > Weights.longest_side():
                raise InputError(
                    f"A solve of {array.size} {what} is over the limit of "
                    f"{Weights.longest_side()}.",
                    "Solve it in parts.",
                )
        for name, array in known.items():
            if array.dtype.kind not in ("U" if name == "names" else "fiu"):
                raise InputError(f"The array {name} is of {array.dtype}.", "Send numbers.")
            if name != "names" and not np.isfinite(array).all():
                raise InputError(f"The array {name} has values that are no numbers.", "Mend it.")
        tell("solve", 0.0)
        try:
            solved = solve_weights(**_as_arguments(known), cancelled=cancelled)
        except (ValueError, IndexError) as fault:
            raise InputError(f"The solve's arrays do not fit: {fault}.", "Mend them.") from fault
        tell("solve", 1.0)
        return solved.weights, {
            "residual_pixels": solved.residual_pixels,
            "explained": solved.explained,
            "unexplained": np.round(solved.unexplained, 5),
            "rigid": solved.rigid,
        }


def make_engine(weights: str | None, threads: int) -> RetargetEngine:
    """Return the engine on ONNX Runtime, with the weights in a folder or with those that ship."""
    return RetargetEngine(OnnxRuntime(weights_folder(weights), threads))


def weights_folder(weights: str | None) -> Path:
    """Return the folder to take weights from; raises InputError where there is none."""
    folder = WEIGHTS if weights is None else Path(weights)
    if not folder.is_dir():
        raise InputError(f"There are no weights at {folder}.", "Give a folder that holds some.")
    return folder


def _as_arguments(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    made: dict[str, Any] = dict(arrays)
    made["names"] = [str(entry) for entry in arrays["names"].ravel()]
    if "views" in arrays:
        made["views"] = [int(count) for count in arrays["views"].ravel()]
    return made
