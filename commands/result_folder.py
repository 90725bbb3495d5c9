"""What a retargeting brings, as files in a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError
from .motion_archive import MotionArchive
from .png import PngSeries


class ResultWriter:
    """Writes a result folder frame by frame, so that memory does not grow with the clip.

    Raises OSError where the disk takes no more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Time spent writing.
        self.seconds = 0.0
        self._count = 0
        (folder / "frames").mkdir()
        (folder / "edges").mkdir()
        self._frames, self._edges = PngSeries(), PngSeries()
        self._motion = MotionArchive(folder / "motion.npz")

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._motion.close()

    def frame(self, index: int, image: NDArray[np.uint8]) -> None:
        """Write a generated picture (H, W, 3) uint8."""
        with self._counted():
            self._frames.write(self.folder / "frames" / f"{index:06d}.png", image)

    def edge(self, index: int, edges: NDArray[np.uint8]) -> None:
        """Write an edge map (H, W) uint8."""
        with self._counted():
            self._edges.write(self.folder / "edges" / f"{index:06d}.png", edges)

    def motion(self, index: int, flow: NDArray[np.float16]) -> None:
        """Write the next frame's motion (H, W, 2) float16; frames must come in order."""
        if index != self._count:
            raise RunError(f"Motion {index} came before {self._count}.", "Start the job again.")
        self._count += 1
        with self._counted():
            self._motion.add(flow)

    def finish(self, result: dict[str, Any]) -> None:
        """Write the end of the motion's archive and the result's table."""
        with self._counted():
            self._motion.finish()
        result["seconds"]["write"] = round(self.seconds, 4)
        (self.folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count the time spent inside."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - begun
