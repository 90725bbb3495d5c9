"""What the faces of the films do: trimmed ones, long ones, and ones that speak."""

from __future__ import annotations

import numpy as np
from clip_films import BLINK, Act, Episode, Shown
from clip_speech import speaking

ACTS: tuple[Act, ...] = (
    (("AU4", 0.25, 0.25),),
    (("AU12", 0.12, 0.12), ("AU6", 0.2, 0.2)),
    (("AU1", 0.25, 0.25), ("AU2", 0.2, 0.2)),
    (("AU15", 0.25, 0.25),),
    (("AU14", 0.0, 0.3),),
    (("AU9", 0.25, 0.25),),
)
#: Those of the upper face, which are seen while somebody speaks.
UPPER = (ACTS[0], ACTS[2], ACTS[5])
#: Lids that close slowly, or but half.
SLOW: Act = (("AU45", 0.9, 0.9),)
HALF: Act = (("AU45", 0.5, 0.5),)
#: Where eyes turn.
GAZES: tuple[Act, ...] = ((("gaze down", 0.8, 0.8),), (("gaze left", 0.5, 0.5),))
#: A macro-expression goes this much further.
MACRO = 2.5


def trimmed(index: int) -> list[Episode]:
    """Return what the face does in a trimmed film."""
    rng = np.random.default_rng([index, 3])
    onset = float(rng.uniform(0.12, 0.18))
    apex = onset + float(rng.uniform(0.07, 0.14))
    offset = apex + float(rng.uniform(0.09, 0.16))
    episodes = [Episode(onset, apex, offset, ACTS[index % len(ACTS)])]
    if index % 2:
        episodes.append(Episode(offset + 0.02, offset + 0.08, offset + 0.17, BLINK))
    return episodes


def long(index: int) -> list[Episode]:
    """Return what the face does in a film of 30 s."""
    rng = np.random.default_rng([index, 4])
    small = [ACTS[(2 * index + k) % len(ACTS)] for k in range(2)]
    large = tuple((u, MACRO * left, MACRO * right) for u, left, right in small[0])
    kinds = [small[k % 2] for k in range(5)] + [large] * 2 + [BLINK] * 6 + [None] * 2
    episodes = []
    at = 1.0
    for k in rng.permutation(len(kinds)):
        kind = kinds[int(k)]
        if kind == BLINK:
            rise, fall, hold = 0.08, 0.15, 0.02
        elif kind is None:
            rise, fall, hold = 0.5, 0.5, 0.3
        elif kind == large:
            rise, fall, hold = rng.uniform(0.25, 0.5), rng.uniform(0.4, 0.7), rng.uniform(0.2, 0.6)
        else:
            rise, fall, hold = rng.uniform(0.08, 0.17), rng.uniform(0.1, 0.22), 0.03
        apex = at + float(rise + hold / 2)
        offset = apex + float(fall + hold / 2)
        episodes.append(Episode(at, apex, offset, kind, float(hold)))
        at = offset + float(rng.uniform(0.25, 1.6))
    return episodes


def talking(index: int) -> list[Shown]:
    """Return what the face does in a film with speech, of some 15 s."""
    rng = np.random.default_rng([index, 5])
    what: list[Act | float] = [float(rng.uniform(1, 2)), float(rng.uniform(2, 4))]
    what += [SLOW, HALF, BLINK, GAZES[index % 2], ACTS[index % len(ACTS)]]
    shown: list[Shown] = []
    at = 1.0
    for k in rng.permutation(len(what)):
        act = what[int(k)]
        if isinstance(act, float):
            speech = speaking(rng, at, act)
            rise, fall = float(rng.uniform(0.08, 0.17)), float(rng.uniform(0.1, 0.22))
            onset = at + float(rng.uniform(0.1, 0.9)) * (speech.offset - at - rise - fall)
            upper = UPPER[int(rng.integers(len(UPPER)))]
            shown += [speech, Episode(onset, onset + rise, onset + rise + fall, upper)]
            at = speech.offset
        else:
            if act in (SLOW, HALF):
                rise, fall, hold = (float(v) for v in rng.uniform((0.1, 0.1, 0), (0.4, 0.4, 0.3)))
            elif act in GAZES:
                rise, fall, hold = 0.06, 0.06, float(rng.uniform(0.3, 0.8))
            elif act == BLINK:
                rise, fall, hold = 0.08, 0.15, 0.02
            else:
                rise, fall, hold = (
                    float(rng.uniform(0.08, 0.17)),
                    float(rng.uniform(0.1, 0.22)),
                    0.03,
                )
            apex = at + rise + hold / 2
            shown.append(Episode(at, apex, apex + fall + hold / 2, act, hold))
            at = shown[-1].offset
        at += float(rng.uniform(0.4, 1.2))
    return shown
