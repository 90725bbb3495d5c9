"""What a solver of shape key weights is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.shape_keys import ShapeKeys
from ..character.view import Jacobian
from .texels import bilinear


def _unsaid() -> NDArray[np.float64]:
    return np.zeros(0)


def _no_units() -> NDArray[np.float64]:
    return np.zeros((0, 2))


@dataclass(frozen=True)
class SolveInput:
    """What a solver needs to find weights; see `server.engine.solve`.

    `jacobian` (V,2,S) float16 pixels per weight, `motion` (T,V,2) float16 pixels, `confidence`
    (V,) float32, `bounds` (S,2) float64, `names` (S), `times` (T,) float64 seconds, `positions`
    (V,2) float64 pixels. `views` says how many of the V rows each view of the face has, view by
    view; empty where all are of one. `units` (U,2) are the action units that the source shows,
    FACS's number and how sure that is, 0 to 1; `crop` (4,) is the face's in the first view, its
    centre and side in pixels and its roll, empty where it is not known.
    """

    jacobian: NDArray[np.float16]
    motion: NDArray[np.float16]
    confidence: NDArray[np.float32]
    bounds: NDArray[np.float64]
    names: tuple[str, ...]
    times: NDArray[np.float64]
    positions: NDArray[np.float64]
    views: tuple[int, ...] = ()
    units: NDArray[np.float64] = field(default_factory=_no_units)
    crop: NDArray[np.float64] = field(default_factory=_unsaid)


@dataclass(frozen=True)
class Solved:
    """Weights (T,S) float64 and what they leave unexplained, (T,) root mean square pixels.

    `explained` (T,) 0..1 is the share of each frame's motion that the keys express, `unexplained`
    (V,) the root mean square pixels left at each row of the input over the clip; both empty where
    the solver does not say.
    """

    weights: NDArray[np.float64]
    residual_pixels: NDArray[np.float64]
    explained: NDArray[np.float64] = field(default_factory=_unsaid)
    unexplained: NDArray[np.float64] = field(default_factory=_unsaid)


Solver = Callable[[SolveInput], Solved]


def solve_input(
    jacobian: Jacobian,
    keys: ShapeKeys,
    motion: NDArray[np.float16],
    times: NDArray[np.float64],
) -> SolveInput:
    """Sample image motion (T,R,R,2) at the visible vertices and put the solver's input together."""
    look_up = bilinear(jacobian.pixels, motion.shape[1], motion.shape[2])
    at_vertices = np.stack([look_up(frame.astype(np.float32)) for frame in motion])
    if not np.isfinite(at_vertices).all():
        raise InputError("The motion holds invalid (NaN) values.", "Generate the clip again.")
    return SolveInput(
        jacobian.matrix,
        at_vertices.astype(np.float16),
        jacobian.confidence,
        np.stack([keys.lower, keys.upper], axis=1),
        keys.names,
        times,
        jacobian.pixels,
    )
