"""Runs tests inside a whole Blender: `blender -b --python run_tests_inside.py -- TREE LIBRARIES ARGS`.

TREE is a folder that holds the tree under the name `microface`, LIBRARIES a folder with pytest (pure
Python, so any environment's site-packages that has it, copied without binary packages). The wheels
of an installed extension are found by themselves. ARGS go to pytest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy


def main() -> int:
    """Run pytest and return its exit status."""
    tree, libraries, *arguments = sys.argv[sys.argv.index("--") + 1 :]
    wheels = Path(bpy.utils.user_resource("EXTENSIONS")) / ".local" / "lib"
    bundled = [str(path) for path in wheels.glob("python*/site-packages")]
    sys.path[:0] = [tree, *bundled]
    sys.path.append(libraries)
    import pytest

    options = ["-p", "no:cacheprovider", "--rootdir", f"{tree}/microface"]
    return int(pytest.main([*options, *arguments]))


status = main()
sys.stdout.flush()
sys.exit(status)
