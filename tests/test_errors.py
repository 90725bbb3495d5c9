"""Errors are told in one line, whatever they are about."""

from __future__ import annotations

import pytest
from microface.errors import InputError, MicrofaceError, RunError, told


@pytest.mark.parametrize(("error", "status"), [(InputError, 2), (RunError, 1)])
def test_an_error_is_one_line_and_a_status(
    capsys: pytest.CaptureFixture[str], error: type[MicrofaceError], status: int
) -> None:
    def work() -> None:
        raise error("clip\nof two\r\nlines.mp4 is no clip.", "Give\u2028another.")

    assert told(work) == status
    assert capsys.readouterr().err == "clip of two lines.mp4 is no clip. Give another.\n"
