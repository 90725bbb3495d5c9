"""The options that choose clips of a library."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from ..server.clips.library.query import Query


def add_query_arguments(parser: argparse._ActionsContainer, *, needed: bool = True) -> None:
    """Add the options that choose clips; all that are given have to hold.

    The library itself is `needed` or not.
    """
    parser.add_argument(
        "--library", type=Path, required=needed, metavar="DIR", help="the library's folder"
    )
    parser.add_argument(
        "--unit",
        action="append",
        default=[],
        metavar="AU",
        help="an action unit, like 12 or L12 (the left side alone); again for more than one",
    )
    parser.add_argument("--sure", action="store_true", help="leave doubted action units aside")
    parser.add_argument(
        "--emotion", metavar="NAME", help="a set's word, or positive, negative, surprise, other"
    )
    parser.add_argument("--shortest", type=float, metavar="S", help="at least S seconds")
    parser.add_argument("--longest", type=float, metavar="S", help="at most S seconds")
    parser.add_argument(
        "--asymmetric", action=argparse.BooleanOptionalAction, help="one-sided or unequal, or not"
    )
    parser.add_argument("--data-set", metavar="NAME", help="like casme2, or as the list shows it")
    parser.add_argument("--subject", metavar="NAME", help="one subject's clips")
    parser.add_argument("--kind", metavar="KIND", help="micro, macro or a set's own word")


def clips(count: int) -> str:
    """Return `1 clip`, `2 clips`."""
    return f"{count} clip" + "s" * (count != 1)


def query_of(arguments: argparse.Namespace) -> Query:
    """Return what the options ask for; raises InputError for what is no action unit."""
    from ..server.clips.datasets.catalogue import published_name
    from ..server.clips.datasets.units import parse_units
    from ..server.clips.library.query import Query, UnitQuery

    units = []
    for written in arguments.unit:
        read, notes = parse_units(written)
        if len(read) != 1 or notes:
            raise InputError(f"{written!r} is no action unit.", "Write it like 12, L12 or R1.")
        side = None if read[0].side == "both" else read[0].side
        units.append(UnitQuery(read[0].number, side, arguments.sure))
    return Query(
        tuple(units),
        arguments.emotion,
        arguments.shortest,
        arguments.longest,
        arguments.asymmetric,
        None if arguments.data_set is None else published_name(arguments.data_set),
        arguments.subject,
        None,
        arguments.kind,
    )
