"""What wraps an operator's work: our own errors become a report with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ...errors import MicrofaceError
from .desk import desk, redraw

Execute = Callable[[Any, Any], set[str]]


def reporting(execute: Execute) -> Execute:
    """Turn our own errors into a report with the remedy, and a cancelled operator."""

    @wraps(execute)
    def wrapped(self: Any, context: Any) -> set[str]:
        desk().message = desk().remedy = ""
        try:
            return execute(self, context)
        except MicrofaceError as error:
            desk().message, desk().remedy = error.what, error.remedy
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            redraw()

    return wrapped
