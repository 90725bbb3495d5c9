"""A command ends, whatever of Blender is still alive."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAKING = """
import ctypes, sys
import bpy
ctypes.pythonapi.Py_IncRef(ctypes.py_object(bpy))
from microface import __main__ as program
program.main = lambda: {status}
program.run()
"""


@pytest.mark.parametrize("status", [0, 2])
def test_a_command_ends_with_blender_still_alive(status: int) -> None:
    pytest.importorskip("bpy")
    ended = subprocess.run(
        [sys.executable, "-c", LEAKING.format(status=status)], timeout=60, check=False
    )
    assert ended.returncode == status
