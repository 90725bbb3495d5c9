"""Let the server find the weights: its solver has what Blender's Python lacks."""

from __future__ import annotations

import numpy as np

from ...server.client import Client
from ..bake.problem import Solved, SolveInput, Solver


def server_solver(client: Client) -> Solver:
    """Return a solver that asks a server."""

    def solve(problem: SolveInput) -> Solved:
        # What tells nothing is left out: an older server answers what it can.
        more = {"views": np.array(problem.views)} if len(problem.views) > 1 else {}
        if len(problem.units):
            more["units"] = problem.units
        if len(problem.units) and len(problem.crop):
            more["crop"] = problem.crop
        answer = client.solve(
            jacobian=problem.jacobian,
            motion=problem.motion,
            confidence=problem.confidence,
            bounds=problem.bounds,
            names=np.array(problem.names),
            times=problem.times,
            positions=problem.positions,
            **more,
        ).pump()
        residual, explained, unexplained = (
            np.asarray(answer.result.get(name, ()), np.float64)
            for name in ("residual_pixels", "explained", "unexplained")
        )
        if not len(residual):
            residual = np.zeros(len(problem.times))
        return Solved(np.asarray(answer.weights, np.float64), residual, explained, unexplained)

    return solve
