"""Runs tests inside a whole Blender, whose Python and numpy differ from the bpy package's.

    blender -b --python run_tests_inside.py -- TREE LIBRARIES [PYTEST ARGUMENT ...]

TREE is a folder that holds the tree under the name `microface`. LIBRARIES is one with pytest (pure
Python, so copied from any environment that has it) and what the server needs, for Blender's Python:
unzip the wheels of a full extension into it. An extension that is installed does not serve, because
tests load factory settings, and Blender takes its wheels away then.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run pytest and return its exit status."""
    tree, libraries, *arguments = sys.argv[sys.argv.index("--") + 1 :]
    sys.path.insert(0, tree)
    sys.path.append(libraries)
    import pytest

    options = ["-p", "no:cacheprovider", "--rootdir", f"{tree}/microface"]
    return int(pytest.main([*options, *arguments]))


status = main()
sys.stdout.flush()
sys.exit(status)
