"""A texture's sequence on disk: each picture differs from the texture in a few strips of rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import exr, png
from ..colour import chromaticities
from ..whole_file import write_whole
from .stored import Store

#: Rows of a strip: two blocks of an EXR file.
STRIP_ROWS = 32

Metadata = Mapping[str, str | Fraction]


@dataclass(frozen=True)
class Change:
    """New values of some texels: `index` (N,) ascending flat places, `values` (N,3 or 1)."""

    index: NDArray[np.int32]
    values: NDArray[Any]


class Sheet:
    """A texture as stored, that writes pictures which differ from it here and there.

    Strips without a change are compressed once for the whole sequence.
    """

    def __init__(self, stored: NDArray[Any], store: Store, metadata: Metadata) -> None:
        """Take values (H,W,1, 3 or 4) of the store's type; `metadata` goes into EXR files."""
        self.stored = stored
        self.store = store
        self._kept: dict[int, Any] = {}
        self._attributes: dict[str, str | Fraction | Sequence[float]] = {**metadata}
        if store.space.primaries:
            self._attributes["chromaticities"] = chromaticities(store.space.primaries)

    def colour(self, index: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the linear light (N,3), in the store's primaries, of flat texels."""
        flat = self.stored.reshape(-1, self.stored.shape[2])
        return self.store.decode(flat[index, :3])

    def write(self, path: Path, change: Change) -> bool:
        """Write the texture with a change as `path`; return whether the file changed."""
        height, width, channels = self.stored.shape
        count = -(-height // STRIP_ROWS)
        ends = np.searchsorted(change.index, np.arange(count + 1) * (STRIP_ROWS * width))
        strips = [
            self._strip(number, change, int(first), int(last))
            for number, (first, last) in enumerate(itertools.pairwise(ends))
        ]
        if self.store.kind == "exr":
            blocks = [block for strip in strips for block in strip]
            return write_whole(
                path, exr.assemble(blocks, height, width, channels, self._attributes)
            )
        depth = 8 if self.store.kind == "png8" else 16
        return write_whole(path, png.assemble(strips, height, width, channels, depth))

    def painted(self, change: Change) -> NDArray[Any]:
        """Return the texture's values (H,W,C) with a change."""
        whole = self.stored.copy()
        whole.reshape(-1, whole.shape[2])[change.index, :3] = change.values
        return whole

    def _strip(self, number: int, change: Change, first: int, last: int) -> Any:
        rows = self.stored[number * STRIP_ROWS : (number + 1) * STRIP_ROWS]
        if first == last:
            if number not in self._kept:
                self._kept[number] = self._encoded(rows)
            return self._kept[number]
        rows = rows.copy()
        start = number * STRIP_ROWS * self.stored.shape[1]
        flat = rows.reshape(-1, rows.shape[2])
        flat[change.index[first:last] - start, :3] = change.values[first:last]
        return self._encoded(rows)

    def _encoded(self, rows: NDArray[Any]) -> Any:
        return exr.encode_blocks(rows) if self.store.kind == "exr" else png.encode_strip(rows)
