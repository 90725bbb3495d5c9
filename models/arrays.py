"""Arrays in files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike


def save_arrays(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write named arrays to an .npz file, uncompressed: aside first, and renamed when whole."""
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        np.savez(file, **arrays)
    aside.replace(path)
