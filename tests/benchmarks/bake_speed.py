"""Print how long each part of a bake takes on the built-in character, without a server.

Not a test: run it on an idle machine.

    python tests/benchmarks/bake_speed.py [--sizes 1024 2048 4096 8192] [--frames 64]
        [--against REVISION]

The motion is the character's own smile at 200 frames a second. Texture bakes run in a process of
their own each, which is started after everything else is there: `peak` is that process's largest
memory in all, `more` what the bake added to it. 4096 and 8192 bake 4 frames only. With `--against`
the same is done by another revision of this repository on the same machine in the same run, and
ratios are printed (below 1: less than there).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from clock import peak, timed

FEW = 4
HERE = Path(__file__).resolve()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096, 8192])
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--resolution", type=int, default=512, help="side of the neutral")
    parser.add_argument("--against", metavar="REVISION", help="compare with this revision")
    parser.add_argument("--texture", type=int, metavar="SIZE", help=argparse.SUPPRESS)
    parser.add_argument("--keys", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.texture:
        print(json.dumps(texture(arguments)))
        return
    if arguments.keys:
        keys(arguments)
        return
    run(arguments, HERE.parents[2], "--keys")
    places = {"now": HERE.parents[2]}
    with tempfile.TemporaryDirectory() as folder:
        if arguments.against:
            places["then"] = Path(folder) / "microface"
            check_out(arguments.against, places["then"])
        for size in arguments.sizes:
            found = {
                name: json.loads(run(arguments, place, "--texture", str(size)).splitlines()[-1])
                for name, place in places.items()
            }
            print_texture(size, found)


def run(arguments: argparse.Namespace, tree: Path, *what: str) -> str:
    """Run a part of this benchmark in a process of its own, with a tree's own modules."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "microface").symlink_to(tree)
        done = subprocess.run(
            [
                sys.executable,
                str(HERE),
                *("--frames", str(arguments.frames), "--resolution", str(arguments.resolution)),
                *what,
            ],
            env={**os.environ, "PYTHONPATH": folder},
            stdout=subprocess.PIPE if "--texture" in what else None,
            text=True,
            check=True,
        )
    return done.stdout or ""


def check_out(revision: str, place: Path) -> None:
    """Put another revision's files in a place."""
    place.mkdir()
    git = subprocess.Popen(
        ["git", "archive", revision], cwd=HERE.parents[2], stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "-x", "-C", str(place)], stdin=git.stdout, check=True)
    if git.wait():
        sys.exit(f"there is no revision {revision}")


def print_texture(size: int, found: dict[str, dict[str, float]]) -> None:
    """Print what a texture bake took, and ratios to another revision."""
    now, then = found["now"], found.get("then")
    print(
        f"texture {size} px, {now['frames']:.0f} frames: {now['wall']:.1f} s"
        f" ({now['processor']:.1f} s), peak {now['peak']:.2f} GB, more {now['more']:.2f} GB",
        flush=True,
    )
    if then:
        ratios = ", ".join(
            f"{name} {now[name] / max(then[name], 1e-9):.2f}"
            for name in ("wall", "processor", "peak", "more")
        )
        print(
            f"    then: {then['wall']:.1f} s ({then['processor']:.1f} s),"
            f" peak {then['peak']:.2f} GB; now over then: {ratios}",
            flush=True,
        )


def prepare(arguments: argparse.Namespace, frames: int) -> tuple[Any, Any, Any, Any]:
    """Return the built-in character, its view, a generated smile, and the smile's weights."""
    import bpy
    import microface
    import numpy as np
    from microface.addon.character.builtin import create_character
    from microface.addon.character.neutral import render_stage
    from microface.addon.character.stage import stage
    from microface.addon.character.view import view_face
    from microface.head import IDENTITIES

    sys.path.insert(0, str(Path(microface.__file__).parent / "tests" / "addon"))
    import synthetic

    bpy.ops.wm.read_factory_settings(use_empty=True)
    character = create_character(IDENTITIES["ada"])
    with stage(character) as on:
        with timed("evaluate the face and its shape keys"):
            view = view_face(on, arguments.resolution)
        with timed(f"render the neutral, {arguments.resolution} px"):
            neutral = render_stage(on, view.framing)
    names = view.face.keys.names
    weights = np.zeros((frames, len(names)))
    for name in ("mouthSmileLeft", "mouthSmileRight"):
        weights[:, names.index(name)] = 0.3 * synthetic.bump(frames, frames * 0.4, frames * 0.22)
    return character, view, synthetic.imagine(view, neutral, weights, character.name), weights


def texture(arguments: argparse.Namespace) -> dict[str, float]:
    """Bake one texture sequence; return what it took."""
    import bpy
    from microface.addon.bake.materials import find_targets
    from microface.addon.bake.texture import bake_textures
    from microface.addon.bake.time import TimeBase

    frames = arguments.frames if arguments.texture <= 2048 else FEW
    character, view, generated, _ = prepare(arguments, frames)
    for target in find_targets(character, 64):
        image = bpy.data.images[target.image_name]
        image.scale(arguments.texture, arguments.texture)
        image.pack()
    before = peak()
    with tempfile.TemporaryDirectory() as folder, timed("bake") as took:
        bake_textures(character, view, generated, Path(folder), TimeBase(Fraction(24)))
    return {**took, "peak": peak(), "more": peak() - before, "frames": frames}


def keys(arguments: argparse.Namespace) -> None:
    """Solve the shape keys."""
    import numpy as np
    from microface.addon.bake.problem import solve_input
    from microface.addon.character.view import project_keys

    _, view, generated, weights = prepare(arguments, arguments.frames)
    import synthetic

    with timed("project the shape keys"):
        jacobian = project_keys(view)
    vertices, _, count = jacobian.matrix.shape
    with timed(f"solve {count} keys at {vertices} vertices"):
        problem = solve_input(jacobian, view.face.keys, generated.motion, generated.times)
        solved = synthetic.engine_solver(problem)
    print(f"    weight RMSE {np.sqrt(((solved.weights - weights) ** 2).mean()):.4f}")


if __name__ == "__main__":
    main()
