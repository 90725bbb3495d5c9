"""Small copies of data sets in the layouts of the real ones, with pictures made on the spot."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def pictures(folder: Path, names: Iterable[str], side: int = 48, grey: bool = False) -> None:
    """Write a small picture under each name; a picture's level tells its place."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        shape = (side, side) if grey else (side, side, 3)
        cv2.imwrite(str(folder / name), np.full(shape, (index * 7) % 250, np.uint8))


def workbook(path: Path, tabs: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """Write a workbook of these sheets."""
    import openpyxl

    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tabs.items():
        tab = book.create_sheet(name)
        for row in rows:
            tab.append(list(row))
    book.save(path)
    return path


def text_sheet(path: Path, rows: Sequence[Sequence[Any]], encoding: str = "utf-8") -> Path:
    """Write a .csv of these rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return path


CASME2_HEADER = [
    "Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units",
    "Estimated Emotion",
]  # fmt: skip


def casme2(root: Path, rows: Sequence[Sequence[Any]] | None = None) -> Path:
    """Write a copy of CASME II: two subjects that share a file name, and the known defects."""
    rows = rows or [
        [1, "EP02_01f", None, 46, 59, 86, None, "12", "happiness"],
        ["02", "EP02_01f", None, 10.0, "/", 20, None, "4+L10", "disgust"],
        [1, "EP03_02", None, "131", 161, 91, None, 4, "others"],
    ]
    workbook(root / "CASME2-coding-20140508.xlsx", {"Sheet1": [CASME2_HEADER, *rows]})
    raw = root / "CASME2-RAW"
    pictures(raw / "sub01" / "EP02_01f", (f"img{n}.jpg" for n in range(46, 87)))
    pictures(raw / "sub02" / "EP02_01f", (f"img{n}.jpg" for n in range(8, 23)))
    pictures(raw / "sub01" / "EP03_02", (f"img{n}.jpg" for n in range(131, 165)))
    return root
