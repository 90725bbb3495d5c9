"""Weights as a table: a row per source frame, a column per shape key."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_weights(
    path: Path,
    names: Sequence[str],
    times: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]],
) -> None:
    """Write `time` (seconds from the clip's start) and one column per name; whole or not at all.

    `times` (T,), `weights` (T,S). An exact zero is written as `0`.
    """
    aside = path.with_name(f"{path.name}.part")
    with aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", *names])
        for seconds, row in zip(times, weights, strict=True):
            writer.writerow([f"{seconds:.6f}", *(_number(float(weight)) for weight in row)])
    aside.replace(path)


def read_weights(path: Path) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
    """Return (names, times (T,), weights (T,S)) of a table that `write_weights` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    table = np.array([[float(cell) for cell in row] for row in rows[1:]])
    return tuple(rows[0][1:]), table[:, 0], table[:, 1:]


def _number(weight: float) -> str:
    return "0" if weight == 0.0 else f"{weight:.6f}"
