"""What is asked of a solver about the views of a face, and what is made of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.channels import Channel
from ..character.shape_keys import ShapeKeys
from ..character.view import FaceView, Jacobian, see_face
from ..generated import Generated
from .doubts import trust_at
from .problem import Solved, SolveInput, Solver, solve_input
from .shown import face_crop, units_shown


def pose_problem(
    views: Sequence[FaceView], generated: Generated
) -> tuple[SolveInput, tuple[Jacobian, ...]]:
    """Return the problem of all views of a face, and the Jacobian of each view.

    Weights are in the channels' units (`Channel.unit`). The views' rows lie one after another;
    pixels are those of the first view's resolution. Raises `InputError` if too little is seen.
    """
    channels = views[0].face.channels
    units = np.array([channel.unit for channel in channels])
    keys = views[0].face.keys
    keys = ShapeKeys(keys.names, keys.lower / units, keys.upper / units)
    jacobians = tuple(see_face(view) for view in views)
    problems = []
    for jacobian, seen in zip(jacobians, generated.views, strict=True):
        problem = solve_input(jacobian, keys, seen.motion, seen.times)
        trust = trust_at(seen.result, jacobian.pixels)
        problem = replace(problem, confidence=problem.confidence * trust)
        if len(seen.times) != len(generated.times):
            raise InputError(
                f"The view '{seen.view}' has {len(seen.times)} frames and '{generated.view}' "
                f"{len(generated.times)}.",
                "Generate all views from the same clip.",
            )
        problems.append(problem)
    result = generated.result
    problem = replace(_stacked(problems), units=units_shown(result), crop=face_crop(result))
    return problem, jacobians


def _stacked(problems: list[SolveInput]) -> SolveInput:
    if len(problems) == 1:
        return problems[0]
    return replace(
        problems[0],
        jacobian=np.concatenate([one.jacobian for one in problems]),
        motion=np.concatenate([one.motion for one in problems], axis=1),
        confidence=np.concatenate([one.confidence for one in problems]),
        positions=np.concatenate([one.positions for one in problems]),
        views=tuple(len(one.confidence) for one in problems),
    )


def solve_channels(problem: SolveInput, channels: Sequence[Channel], solver: Solver) -> Solved:
    """Solve a problem in units and return weights in the channels' own.

    Where both halves of a control that has two faces come out moving, the weaker is held still
    and the problem solved again: a control is on one side of its rest at a time.
    """
    solved = solver(problem)
    beaten = _beaten_halves(channels, solved.weights)
    if beaten.any():
        bounds = np.where(beaten[:, None], 0.0, problem.bounds)
        solved = solver(replace(problem, bounds=bounds))
    units = np.array([channel.unit for channel in channels])
    return replace(solved, weights=solved.weights * units)


def _beaten_halves(channels: Sequence[Channel], weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which channels (S,) move while the other half of their control moves more."""
    peak = np.abs(weights).max(axis=0, initial=0.0)
    beaten = np.zeros(len(channels), bool)
    best: dict[object, int] = {}
    for index, channel in enumerate(channels):
        if channel.kind != "control":
            continue
        for target in channel.targets:
            other = best.get(target)
            if other is None:
                best[target] = index
            else:
                weaker, stronger = sorted((other, index), key=lambda half: float(peak[half]))
                beaten[weaker] |= bool(peak[weaker] > 0)
                best[target] = stronger
    return beaten
