"""Runs tests inside a whole Blender, whose Python and numpy differ from the bpy package's.

    blender -b --python run_tests_inside.py -- TREE LIBRARIES [PYTEST ARGUMENT ...]

TREE is a folder that holds the tree under the name `microface`, LIBRARIES one with pytest (pure
Python, so copied from any environment that has it). The wheels of an installed extension are found
by themselves.
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
