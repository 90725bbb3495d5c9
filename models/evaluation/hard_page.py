"""The page that the answers to hard questions stand on."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from . import measures
from .hard_scenes import ODD_FORM, STRENGTHS, TURN
from .hard_table import Answer, as_markdown

TEXT = """\
# Where it is hard

    microface evaluate --hard {scenes} --packs HEADS --out out/hard

wrote this page (`hard.md`): {date}, {cores} virtual CPU cores, weights {weights}.
{scenes} scenes, each of one held-out source and one held-out character, within and across families,
are asked {questions} questions each. The truth is the source's own motion, carried by the true
correspondence; lengths are pixels of the 256 pixel crop. Every source has sensor noise, compression
and the shake that steadying leaves.

- *Gain curve*: amplitude produced along the true motion against the true one, root mean squares
  over what the strongest expression moves, at strengths from {weakest:g} to {strongest:g} of the
  same expression; slope and r are the means of the scenes' own. Then the gain at each strength over
  all scenes, with the mean true amplitude.
- *End-point error, cosine, gain*: as in [evaluation](evaluation.md), where the truth moves over
  {moving:g} px.
- *Turned*: to one side by {turn:g} degrees; where both are, to opposite sides. Across a turn the
  truth is only as good as a flat correspondence between the pictures.
- *Odd form*: a source whose width, height and depth are {form} times a held-out head's.
- *Nothing should move*: still clips, head shake, a face at rest. All are single frames, steadied
  as the server does; in clips, it also frees the neutral of noise and smooths over time.
- Intervals are 95 %, by drawing whole scenes again with replacement.

{table}"""


def page(found: Sequence[Answer], weights: str) -> str:
    """Return the page; `weights` says which they are."""
    return TEXT.format(
        date=time.strftime("%Y-%m-%d"),
        cores={1: "one", 2: "two", 4: "four"}.get(os.cpu_count() or 1, os.cpu_count()),
        weights=weights,
        scenes=len({answer.scene for answer in found}),
        questions=len({answer.question for answer in found}),
        weakest=STRENGTHS[0],
        strongest=STRENGTHS[-1],
        moving=measures.MOVING,
        turn=TURN,
        form=", ".join(f"{share:g}" for share in ODD_FORM.round(2).tolist()),
        table=as_markdown(found),
    )
