"""Generated data with known truth: a character's own shape keys, projected and warped."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from microface.addon.bake.problem import Solved, SolveInput
from microface.addon.character.neutral import render_stage
from microface.addon.character.raster import rasterise
from microface.addon.character.stage import stage
from microface.addon.character.view import FaceView, view_face
from microface.addon.generated import Generated
from microface.server.engine.solve import solve_weights
from numpy.typing import NDArray

FPS = Fraction(200)


def bump(count: int, apex: int, width: float) -> NDArray[np.float64]:
    """Return a curve (count,) of peak 1 at `apex` that is exactly 0 at both ends."""
    steps = np.arange(count)
    curve = np.exp(-(((steps - apex) / width) ** 2))
    curve = np.clip((curve - curve[0]) / (1 - curve[0]), 0, None)
    curve[-1] = 0
    return np.asarray(curve)


def forward_motion(view: FaceView, weights: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return where each pixel of the neutral moves, (R,R,2) px, at weights (S,)."""
    surface, framing = view.face.surface, view.framing
    moved = surface.positions + np.tensordot(weights, view.face.displacement, 1)
    before, depth = framing.project(surface.positions)
    after, _ = framing.project(moved)
    size = framing.resolution
    seen, shares, _ = rasterise(before[surface.triangles], depth[surface.triangles], size, size)
    motion = (after - before)[surface.triangles[np.maximum(seen, 0)]]
    flow = (motion * shares[..., None]).sum(axis=2)
    return np.where(seen[..., None] >= 0, flow, 0).astype(np.float32)


def generate(
    obj: Any, weights: NDArray[np.floating[Any]], *, resolution: int = 192, samples: int = 4
) -> tuple[FaceView, Generated]:
    """Return the view and what a perfect server would send for weights (T,S) at 200 fps.

    With 0 `samples` nothing is rendered: the pictures are plain and only the motion is true.
    """
    with stage(obj) as on:
        view = view_face(on, resolution)
        neutral = np.full((resolution, resolution, 3), 128, np.uint8)
        if samples:
            neutral = render_stage(on, view.framing, samples=samples)
    return view, imagine(view, neutral, weights, obj.name)


def imagine(
    view: FaceView,
    neutral: NDArray[np.uint8],
    weights: NDArray[np.floating[Any]],
    object_name: str,
) -> Generated:
    """Return what a perfect server would send: the neutral, warped as weights (T,S) move it."""
    resolution = view.framing.resolution
    motion = np.stack([forward_motion(view, row) for row in weights])
    rows, columns = np.mgrid[:resolution, :resolution].astype(np.float32)
    frames = []
    for flow in motion:
        # The backward map by fixed point: b(p) = -f(p + b(p)).
        back = -flow
        for _ in range(5):
            back = -cv2.remap(flow, columns + back[..., 0], rows + back[..., 1], cv2.INTER_LINEAR)
        frames.append(
            cv2.remap(neutral, columns + back[..., 0], rows + back[..., 1], cv2.INTER_CUBIC)
            if flow.any()
            else neutral
        )
    edges = np.stack([np.abs(cv2.Laplacian(frame, cv2.CV_8U)).max(axis=2) for frame in frames])
    return Generated(
        object_name=object_name,
        scene_frame=1.0,
        framing=view.framing,
        clip_name="synthetic",
        fps=FPS,
        neutral=neutral,
        frames=np.stack(frames).astype(np.uint8),
        edges=edges.astype(np.uint8),
        motion=motion.astype(np.float16),
        times=np.arange(len(weights)) / float(FPS),
    )


def engine_solver(problem: SolveInput) -> Solved:
    """Solve with the server's own engine, without a server."""
    result = solve_weights(
        problem.jacobian,
        problem.motion,
        problem.confidence,
        problem.bounds,
        problem.names,
        problem.times,
        problem.positions,
        problem.views,
        problem.units,
        problem.crop if len(problem.crop) else None,
    )
    return Solved(result.weights.astype(np.float64), result.residual_pixels)


def least_squares(problem: SolveInput) -> Solved:
    """Solve frame by frame without bounds: enough where the truth is in the keys' span."""
    count = len(problem.names)
    jacobian = problem.jacobian.astype(np.float64).reshape(-1, count)
    motion = problem.motion.astype(np.float64).reshape(len(problem.motion), -1)
    weights, *_ = np.linalg.lstsq(jacobian, motion.T, rcond=None)
    residual = np.sqrt(((jacobian @ weights - motion.T) ** 2).mean(axis=0))
    weights = np.where(np.abs(weights) < 0.002, 0, weights)
    return Solved(np.clip(weights.T, *problem.bounds.T), residual)
