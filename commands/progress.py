"""How far a command is: a bar on a terminal, plain lines in a log; both on standard error."""

from __future__ import annotations

import sys
from typing import Any


class ProgressReport:
    """Shows the stages of one command, which is called `command` in a log's lines."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._terminal = sys.stderr.isatty()
        self._bar: Any = None
        self._said = ""
        self._tenth = -1

    def __enter__(self) -> ProgressReport:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def say(self, what: str) -> None:
        """Tell what happens, on a line of its own."""
        self._close()
        print(f"{self._command}: {what}", file=sys.stderr, flush=True)

    def stage(self, name: str, fraction: float) -> None:
        """Tell how far a stage is, 0 to 1; a log hears of every tenth."""
        if self._terminal:
            self._draw(name, fraction)
        elif name != self._said or int(fraction * 10) > self._tenth:
            self._said, self._tenth = name, int(fraction * 10)
            self.say(f"{name} {fraction:.0%}")

    def _draw(self, name: str, fraction: float) -> None:
        if self._bar is None:
            from tqdm import tqdm

            form = "{desc:10} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
            self._bar = tqdm(total=1.0, bar_format=form, leave=False)
        self._bar.set_description(name, refresh=False)
        self._bar.n = fraction
        self._bar.refresh()

    def _close(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
