"""What `clip import` does with a whole data set: its options, and what it tells of the copy."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .clip_source import rate
from .output import write_text_whole

if TYPE_CHECKING:
    from ..server.clips.datasets.reading import DataSet

#: Findings that are printed; the file has all.
_PRINTED = 12


def add_set_arguments(sets: argparse._ArgumentGroup) -> None:
    """Add what names a data set, and what a copy of it does otherwise than the layout says."""
    sets.add_argument("--data-set", metavar="NAME", help="read CLIP as a copy of this set")
    sets.add_argument(
        "--sheet", type=Path, metavar="FILE", help="its annotation, .xlsx or .csv, if not found"
    )
    sets.add_argument(
        "--tab", metavar="NAME", help="the sheet's name in the workbook, if not the first"
    )
    sets.add_argument("--pictures", type=Path, metavar="DIR", help="where its pictures lie")
    sets.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="WHAT=NAME",
        help="a column's name: WHAT is subject, clip, onset, apex, offset, units or emotion",
    )
    sets.add_argument(
        "--findings", type=Path, metavar="FILE.csv", help="write every defect that was found here"
    )


def read_set(arguments: argparse.Namespace) -> DataSet:
    """Return the data set that the options name; raises InputError where it cannot be read."""
    from ..server.clips.datasets.catalogue import read_data_set
    from ..server.clips.datasets.reading import Overrides

    for name in ("neutral", "face"):
        if getattr(arguments, name) is not None:
            raise InputError(f"One {name} for a whole data set.", f"Leave --{name} out.")
    if len(arguments.clips) != 1:
        raise InputError(f"{len(arguments.clips)} folders for one data set.", "Give its folder.")
    columns = {}
    for given in arguments.column:
        what, equals, name = given.partition("=")
        if not equals or not name:
            raise InputError(f"--column {given}.", "Write WHAT=NAME, like onset=Begin.")
        columns[what.strip()] = name
    return read_data_set(
        arguments.data_set,
        arguments.clips[0],
        Overrides(arguments.sheet, arguments.tab, arguments.pictures, rate(arguments.fps), columns),
    )


def tell_findings(read: DataSet, refused: list[str], findings: Path | None) -> None:
    """Print what the reader assumed and found; write all of it where asked."""
    print(f"{read.name}: {len(read.records)} rows")
    for assumption in read.assumptions:
        print(f"assumed: {assumption}")
    told = [*map(str, read.findings), *(line for line in refused if "are missing" not in line)]
    for line in told[:_PRINTED]:
        print(f"found: {line}")
    if len(told) > _PRINTED:
        rest = f"found: {len(told) - _PRINTED} more"
        print(rest if findings else f"{rest}; give --findings to have them all in a file")
    if findings is not None:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["where", "what"])
        writer.writerows(line.partition(": ")[::2] for line in told)
        write_text_whole(findings, text.getvalue())
        print(f"{len(told)} findings in {findings}")
