"""Large arrays that take disk, which the system caches as it can, and not memory."""

from __future__ import annotations

import tempfile
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

#: Arrays of more bytes than this lie on the disk.
MOST_BYTES = 64_000_000


def roomy(shape: tuple[int, ...], dtype: type[T]) -> NDArray[T]:
    """Return zeros to be written to; those of many bytes lie in a file that goes with the array."""
    if int(np.prod(shape)) * np.dtype(dtype).itemsize <= MOST_BYTES:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)
