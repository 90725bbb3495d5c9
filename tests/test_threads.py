"""A command multiplies small matrices in the thread that asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

COMMAND = """
import os, sys
from microface import __main__ as program
program.main = lambda: 0
try:
    program.run()
except SystemExit:
    import numpy as np
    np.ones((600, 600)) @ np.ones((600, 600))
    print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux shows them")
@pytest.mark.parametrize(("said", "expected"), [({}, 1), ({"OPENBLAS_NUM_THREADS": "2"}, 2)])
def test_threads_of_a_command(said: Mapping[str, str], expected: int) -> None:
    if (os.cpu_count() or 1) < expected:
        pytest.skip("there is one core")
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    ended = subprocess.run(
        [sys.executable, "-c", COMMAND],
        env={**inherited, **said},
        timeout=60,
        check=True,
        capture_output=True,
    )
    assert int(ended.stdout) == expected
