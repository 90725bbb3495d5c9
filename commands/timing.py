"""The options of `bake` that say when and how an expression plays."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import InputError

#: Options that each row of a sheet says for itself, by their names in the parsed arguments.
_OF_A_ROW = ("clip", "fps", "start", "duration", "hold", "balance", "layer")


def add_timing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that are about time and layers."""
    group = parser.add_argument_group("time and layers (of shape keys)")
    group.add_argument(
        "--layer",
        choices=("auto", "action", "nla"),
        help="action: in place of what plays; nla: added to it; auto: nla where something plays, "
        "else action (default: auto)",
    )
    group.add_argument(
        "--duration",
        metavar="D",
        help="of the clip on the timeline: seconds (0.5s) or frames (12f); the apex keeps its "
        "share",
    )
    group.add_argument(
        "--hold",
        type=int,
        metavar="N",
        help="show the apex in full on N whole frames; onset and offset stay (default: 0)",
    )
    group.add_argument(
        "--balance",
        type=float,
        metavar="B",
        help="-1 the character's right side alone, 1 its left alone (default: 0)",
    )
    group.add_argument(
        "--tolerance",
        type=float,
        metavar="W",
        help="how far curves may be from the weights, for fewer keys (default: 0.002)",
    )
    group.add_argument(
        "--whole-frames", action="store_true", help="key on whole scene frames, for game engines"
    )
    group.add_argument(
        "--sheet",
        type=Path,
        metavar="SHEET.csv",
        help="bake several clips: a row each with clip, fps, start (frame 101, 1.5s or "
        "00:00:04:05) and, as wanted, strength, duration, onset, apex, offset, hold, balance, "
        "layer, muted",
    )


def check_timing_arguments(arguments: argparse.Namespace) -> None:
    """Raise `InputError` for options that do not go together."""
    if arguments.sheet is not None:
        for name in _OF_A_ROW:
            if getattr(arguments, name) is not None:
                raise InputError(
                    f"--{name} and --sheet were given.", f"Put it into the sheet's column '{name}'."
                )
        if arguments.strength != 1.0:
            raise InputError(
                "--strength and --sheet were given.", "Put it into the sheet's column."
            )
        if arguments.to not in (None, "shape-keys"):
            raise InputError(
                f"A sheet is baked to shape keys, not to {arguments.to}.",
                "Bake textures one clip at a time.",
            )
        return
    if arguments.clip is None:
        raise InputError("No clip was given.", "Give --clip CLIP, or several with --sheet.")
    if arguments.to is None:
        raise InputError("It was not said what to bake.", "Give --to shape-keys, texture, ...")
    if arguments.to != "shape-keys" and is_retimed(arguments):
        raise InputError(
            "Textures play at the clip's own time and strength.",
            "Leave --duration, --hold and --balance out, or bake --to shape-keys.",
        )


def is_retimed(arguments: argparse.Namespace) -> bool:
    """Return whether what is baked differs from what was generated, in time or between sides."""
    return bool(arguments.duration or arguments.hold or arguments.balance)


def timing_options(arguments: argparse.Namespace, fps: Fraction) -> dict[str, Any]:
    """Return the options for `api.bake_shape_keys`; `fps` of the scene. Raises `InputError`."""
    from ..addon.bake.retime import Timing
    from ..addon.bake.time import TOLERANCE
    from ..addon.bake.timecode import read_duration

    duration = None if arguments.duration is None else read_duration(arguments.duration, fps)
    return {
        "layer": arguments.layer or "auto",
        "balance": arguments.balance or 0.0,
        "timing": Timing(duration=duration, hold=arguments.hold or 0),
        "tolerance": TOLERANCE if arguments.tolerance is None else arguments.tolerance,
        "whole_frames": arguments.whole_frames,
    }
