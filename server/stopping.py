"""A wish to stop that may be told from anywhere."""

from __future__ import annotations


class Stop:
    """Whether somebody wants the process to stop.

    Unlike `threading.Event` it has no lock: a signal's handler may set it, even one that
    interrupts another handler in the middle of setting it.
    """

    def __init__(self) -> None:
        self._wanted = False

    def set(self) -> None:
        """Want the process to stop."""
        self._wanted = True

    def is_set(self) -> bool:
        """Return whether the process is wanted to stop."""
        return self._wanted
