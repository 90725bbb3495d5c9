"""One job's work: what is seen to be wrong before it begins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from microface.errors import InputError
from microface.server.protocol.requests import RetargetRequest
from microface.server.work import steps_of


@pytest.mark.parametrize("size", [0, 64 * 64 * 3 - 1, 1 << 30])
def test_a_neutral_of_another_size_is_refused_unread(tmp_path: Path, size: int) -> None:
    digest = bytes(range(32))
    with (tmp_path / digest.hex()).open("wb") as file:
        os.truncate(file.fileno(), size)
    request = RetargetRequest(
        digest, 64, 64, bytes(32), "builtin", "brow-lower", fps="", strength=1.0
    )
    engine: Any = None  # it does not come to that
    steps = steps_of(
        bytes(16), "retarget", request.table(), tmp_path, engine, lambda *_: None, lambda: False
    )
    with pytest.raises(InputError, match="not 64 x 64 pixels"):
        next(steps)
