"""Libraries tell nobody that they run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
from microface.server.engine.runtime import OnnxRuntime
OnnxRuntime(threads=1)
"""


def test_onnx_runtime_keeps_no_identifier_and_no_events(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    # On a machine for tests it is silent of itself.
    quiet = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME")
    inherited = {name: value for name, value in os.environ.items() if name not in quiet}
    folders = {name: str(tmp_path) for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "TMPDIR")}
    subprocess.run([sys.executable, "-c", LOAD], env={**inherited, **folders}, check=True)
    assert list(tmp_path.iterdir()) == []
