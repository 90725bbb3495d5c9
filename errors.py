"""The one family of errors that people see: what is wrong, and how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Callable


class MicrofaceError(Exception):
    """An error that carries its own remedy.

    `what` says what is wrong and names the input; `remedy` says how to mend it. Both are single
    sentences; line breaks, which names and others' messages may hold, become blanks. `exit_status`
    is what a command exits with.
    """

    exit_status = 1

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = _one_line(what), _one_line(remedy)
        super().__init__(f"{self.what} {self.remedy}")


class InputError(MicrofaceError):
    """An input or an option that cannot be used as it is (exit status 2)."""

    exit_status = 2


class RunError(MicrofaceError):
    """Work that failed on inputs that were fine (exit status 1)."""


def told(work: Callable[[], object]) -> int:
    """Do `work` and return an exit status; an error of ours is told in its one line."""
    try:
        work()
    except MicrofaceError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
