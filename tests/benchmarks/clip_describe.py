"""Print how well action units and their sides are told in rendered clips of unseen heads.

Not a test: `python tests/benchmarks/clip_describe.py --packs HEADS [--heads N] [--acts N]
[--alike]`. Each clip is 0.3 s at 100 frames a second, peak motion of one to four pixels in a face
crop of 256, with sensor noise, flicker of 1 % and a head that strays by 3 pixels. A unit told is
right where it is in the clip; a side is right where the unit is and its side is the one that moves;
intensities are compared where the unit is right. AU25 beside a lip unit, and AU6 beside AU12 or
AU7, are judged like any other.
"""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
from clip_films import Act, Episode, Stage, steadied
from drawn_heads import heads_parser
from microface.server.clips.describe import describe

FPS, SECONDS = 100, 0.3
#: What the faces do: units with their intensities on the left and on the right.
ACTS: tuple[Act, ...] = (
    (("AU4", 0.25, 0.25),),
    (("AU1", 0.25, 0.25), ("AU2", 0.2, 0.2)),
    (("AU12", 0.12, 0.12), ("AU6", 0.2, 0.2)),
    (("AU14", 0.0, 0.3),),
    (("AU15", 0.25, 0.25),),
    (("AU9", 0.25, 0.25),),
    (("AU12", 0.15, 0.0),),
    (("AU10", 0.25, 0.25),),
    (("AU4", 0.2, 0.2), ("AU7", 0.3, 0.3)),
    (("AU2", 0.25, 0.0),),
    (("AU17", 0.25, 0.25),),
    (("AU20", 0.2, 0.2),),
    (("AU15", 0.2, 0.2), ("AU17", 0.2, 0.2)),
    (("AU10", 0.0, 0.25),),
    (("AU7", 0.4, 0.4),),
    (("AU5", 0.4, 0.4),),
    (("AU1", 0.25, 0.25),),
    (("AU12", 0.15, 0.15),),
)
#: Combinations that look more alike.
ALIKE: tuple[Act, ...] = (
    (("AU14", 0.3, 0.3),),
    (("AU24", 0.3, 0.3),),
    (("AU14", 0.3, 0.0),),
    (("AU1", 0.2, 0.2), ("AU4", 0.2, 0.2)),
    (("AU2", 0.25, 0.25),),
    (("AU25", 0.4, 0.4),),
    (("AU26", 0.15, 0.15),),
    (("AU12", 0.12, 0.12), ("AU25", 0.3, 0.3)),
    (("AU16", 0.35, 0.35),),
    (("AU9", 0.2, 0.2), ("AU10", 0.2, 0.2)),
    (("AU18", 0.25, 0.25),),
    (("AU12", 0.1, 0.1), ("AU15", 0.2, 0.2)),
    (("AU22", 0.2, 0.2),),
    (("AU6", 0.3, 0.3),),
    (("AU1", 0.15, 0.15), ("AU2", 0.15, 0.15), ("AU5", 0.25, 0.25)),
    (("AU14", 0.0, 0.25), ("AU12", 0.0, 0.1)),
    (("AU4", 0.2, 0.2), ("AU24", 0.3, 0.3)),
    (("AU28", 0.2, 0.2),),
)
#: Units that move the middle, whichever side is asked for.
MIDDLE = (17, 18, 22, 25, 26, 28)
HEADS = [(family, number) for number in range(2, 5) for family in ("ict", "makehuman")]


def main() -> None:
    """Print the table."""
    parser = heads_parser(__doc__)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--acts", type=int, default=6, help="acts of each head")
    parser.add_argument("--alike", action="store_true", help="combinations that look more alike")
    arguments = parser.parse_args()
    acts = ALIKE if arguments.alike else ACTS
    cv2.setNumThreads(1)
    right, missed, wrong = Counter[int](), Counter[int](), Counter[int]()
    sides = sided = 0
    ratios = []
    for index, (family, number) in enumerate(HEADS[: arguments.heads]):
        stage = Stage(arguments.packs, arguments.keep, family, number)
        for k in range(arguments.acts):
            act = acts[(arguments.acts * index + k) % len(acts)]
            times = np.arange(round(FPS * SECONDS)) / FPS
            episode = Episode(0.05, 0.14, 0.27, act)
            film = steadied(stage, [episode], times, index, arguments.keep, levels=2)
            told = {d.unit: d for d in describe(film.flows, times, film.trust)}
            true = {int(unit[2:]): (left > 0, to > 0) for unit, left, to in act}
            strength = {int(unit[2:]): max(left, to) for unit, left, to in act}
            right.update(told.keys() & true.keys())
            missed.update(true.keys() - told.keys())
            wrong.update(told.keys() - true.keys())
            for unit in told.keys() & true.keys():
                sided += 1
                ratios.append(told[unit].peak / strength[unit])
                side = {(True, True): "both", (True, False): "left", (False, True): "right"}
                sides += told[unit].side in (side[true[unit]], "both" if unit in MIDDLE else "")
            shown = ", ".join(f"{d.unit} {d.side} {d.peak:.2f}" for d in told.values())
            print(f"{family:10}{number}  {_name(act):34} {shown}", flush=True)
    print("unit   right missed wrong")
    for unit in sorted(right | missed | wrong):
        print(f"AU{unit:<5}{right[unit]:5}{missed[unit]:7}{wrong[unit]:6}")
    hits, misses, false = right.total(), missed.total(), wrong.total()
    f1 = 2 * hits / max(1, 2 * hits + misses + false)
    print(f"F1 {f1:.3f}   sides {sides / max(1, sided):.1%}")
    told_over_true = np.log(ratios)
    print(
        f"intensity told over true: geometric mean {np.exp(told_over_true.mean()):.2f}, "
        f"spread by a factor of {np.exp(told_over_true.std()):.2f}"
    )


def _name(act: Act) -> str:
    return " ".join(f"{unit} {left:g}/{right:g}" for unit, left, right in act)


if __name__ == "__main__":
    main()
