"""Print how long each part of a bake takes on the built-in character, without a server.

Not a test: run it on an idle machine, `python tests/benchmarks/bake_speed.py [--size 2048]`. The
motion is the character's own smile, 64 frames at 200 a second; times are wall clock, and in
brackets processor time.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np
from microface.addon.bake.materials import find_targets
from microface.addon.bake.problem import solve_input
from microface.addon.bake.shape_keys import key_weights
from microface.addon.bake.texture import bake_textures
from microface.addon.bake.time import TimeBase
from microface.addon.character.builtin import create_character
from microface.addon.character.channels import face_channels
from microface.addon.character.neutral import render_stage
from microface.addon.character.stage import stage
from microface.addon.character.view import project_keys, view_face
from microface.head import IDENTITIES, build_head

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addon"))
import synthetic

FRAMES = 64


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{what:<44} {wall:7.2f} s  ({processor:.2f} s)", flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="side of the texture")
    parser.add_argument("--resolution", type=int, default=512, help="side of the neutral")
    arguments = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with timed("make the built-in head"):
        build_head(IDENTITIES["ada"], 64)
    character = create_character(IDENTITIES["ada"])
    for target in find_targets(character, 64):
        bpy.data.images[target.image_name].scale(arguments.size, arguments.size)
    with stage(character) as on:
        with timed("evaluate the face and its shape keys"):
            view = view_face(on, arguments.resolution)
        with timed(f"render the neutral, {arguments.resolution} px"):
            neutral = render_stage(on, view.framing)
    names = view.face.keys.names
    weights = np.zeros((FRAMES, len(names)))
    for name in ("mouthSmileLeft", "mouthSmileRight"):
        weights[:, names.index(name)] = 0.3 * synthetic.bump(FRAMES, 24, 14)
    generated = synthetic.imagine(view, neutral, weights, character.name)
    with timed("project the shape keys"):
        jacobian = project_keys(view)
    vertices, _, keys = jacobian.matrix.shape
    with timed(f"solve {keys} keys at {vertices} vertices"):
        problem = solve_input(jacobian, view.face.keys, generated.motion, generated.times)
        solved = synthetic.engine_solver(problem)
    print(f"    weight RMSE {np.sqrt(((solved.weights - weights) ** 2).mean()):.4f}")
    with timed("key them"):
        key_weights(
            character,
            "speed",
            face_channels(character),
            generated.times,
            solved,
            TimeBase(Fraction(24)),
        )
    for label, over in (("texture", None), ("texture over shape keys", solved.weights)):
        with (
            tempfile.TemporaryDirectory() as folder,
            timed(f"bake {FRAMES} frames of {label}, {arguments.size} px"),
        ):
            bake_textures(
                character, view, generated, Path(folder), TimeBase(Fraction(24)), weights=over
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()
