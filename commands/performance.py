"""Arguments that say how a clip is performed beside its strength: regions, times, the source's
neutral and face, what the character wears, a second clip."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from ..server.client import Performance


def add_performance_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments to a command's parser."""
    parser.add_argument(
        "--gain",
        action="append",
        default=[],
        metavar="REGION=G",
        help="0 to 4 for a region or side alone, on top of the strength: brows=2, lips.left=0.5, "
        "right=0; regions: brows, lids, nose, cheeks, lips, chin; may be repeated",
    )
    parser.add_argument(
        "--neutral",
        metavar="FRAME|PATH",
        help="where the source's face rests: a frame of the clip (0 first), or a picture, video or "
        "folder of the same person; without it, it is found",
    )
    parser.add_argument(
        "--face",
        metavar="WHICH",
        help="of several faces in the clip: largest (default), left or right in the picture, a "
        "number from its left (1 first), or a place X,Y in pixels",
    )
    parser.add_argument(
        "--spectacles",
        choices=("still", "move"),
        help="what spectacles on the character do: stay while the face behind them moves "
        "(default), or move with it, for a picture on which they were seen wrongly",
    )
    parser.add_argument(
        "--timing",
        action="append",
        default=[],
        metavar="WHAT=S",
        help="other times, in seconds: duration=0.3 or factor=0.5 of the whole clip; onset=, "
        "apex=, offset=, or T=S for what is at T in the clip; fps=R for frames at another rate; "
        "may be repeated",
    )
    second = parser.add_argument_group("a second clip")
    second.add_argument("--second", metavar="CLIP", help="as --clip, mixed in as motion")
    second.add_argument("--second-fps", metavar="FPS", help="as --fps")
    second.add_argument(
        "--mix",
        action="append",
        default=[],
        metavar="[REGION=]W",
        help="how much of the second clip, 0 to 1: 0.3 of the whole face, brows=1, lips.left=0.5; "
        "what is not named is the first clip's; may be repeated (default: 0.5)",
    )
    second.add_argument(
        "--align",
        choices=("moments", "start"),
        default="moments",
        help="let the clips meet at onset, apex and offset, or at their starts (default: moments)",
    )


def check_no_performance(arguments: argparse.Namespace) -> None:
    """Raise InputError where any of the arguments was given beside a sheet of clips."""
    for name in (
        "gain", "neutral", "face", "spectacles", "timing", "second", "second_fps", "mix"
    ):  # fmt: skip
        if getattr(arguments, name):
            raise InputError(
                f"--{name.replace('_', '-')} and --sheet were given.",
                "Bake such a clip by itself.",
            )


def performance(arguments: argparse.Namespace) -> Performance:
    """Return what the arguments ask for; raises InputError for those that do not go together."""
    from ..server.client import Performance
    from ..server.protocol.regions import EVEN_MIX

    if arguments.second is None and (arguments.mix or arguments.second_fps):
        raise InputError("--mix and --second-fps are about a second clip.", "Give --second.")
    neutral = arguments.neutral
    asked = Performance(
        arguments.clip,
        arguments.fps,
        arguments.strength,
        ",".join(arguments.gain),
        ",".join(arguments.timing),
        int(neutral) if neutral is not None and neutral.isdecimal() else neutral,
        arguments.second,
        arguments.second_fps,
        ",".join(arguments.mix) or EVEN_MIX,
        arguments.align,
        arguments.face or "largest",
        arguments.spectacles or "still",
    )
    asked.check()
    return asked
