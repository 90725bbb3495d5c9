"""What emotion action units may stand for: a hint, with how little it is worth.

A face tells less of what is felt than is often believed (Barrett et al., Psychological Science in
the Public Interest 20, 2019): the same units come with several emotions and with none. So each
hint carries a probability, and most of it stays with "not told" unless several units agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .describe import Described

NOT_TOLD = "not told"
#: Units that are held to come with an emotion, and how much each speaks for it (after EMFACS,
#: Friesen and Ekman 1983, and the coding of CASME II, Yan et al. 2014).
SPEAKS_FOR: dict[str, dict[int, float]] = {
    "happiness": {12: 1.0, 6: 0.7},
    "disgust": {9: 1.0, 10: 0.8, 4: 0.3, 7: 0.3},
    "surprise": {1: 0.7, 2: 0.8, 5: 0.5, 26: 0.4, 25: 0.2},
    "sadness": {1: 0.8, 4: 0.3, 15: 0.8, 17: 0.3},
    "anger": {4: 0.7, 7: 0.4, 24: 0.6, 5: 0.3},
    "fear": {1: 0.5, 2: 0.3, 4: 0.4, 5: 0.5, 20: 0.8},
    "contempt": {14: 0.9},
    "repression": {14: 0.5, 15: 0.4, 17: 0.6, 24: 0.4},
}
#: Units not seen when an emotion is felt (EMFACS): each speaks against it as much as one of
#: its own for it. Others that do not belong to it speak against it by `UNRELATED`.
SPEAKS_AGAINST: dict[str, tuple[int, ...]] = {"happiness": (4, 9, 15)}
UNRELATED = 0.4
#: What "not told" starts with: more than one certain unit that fits an emotion well.
DOUBT = 1.3
#: Probabilities follow the exponential of this multiple of what speaks for an emotion.
SHARPNESS = 1.6


@dataclass(frozen=True)
class Hint:
    """An emotion (or `NOT_TOLD`), its probability 0..1, and the units that speak for it."""

    emotion: str
    probability: float
    units: tuple[int, ...]


def emotion_hints(described: Sequence[Described]) -> list[Hint]:
    """Return the hints of the units in a clip, the likeliest first; they add up to 1."""
    sure = {d.unit: d.confidence for d in described}
    scores: dict[str, float] = {NOT_TOLD: DOUBT}
    units: dict[str, tuple[int, ...]] = {NOT_TOLD: ()}
    for emotion, weights in SPEAKS_FOR.items():
        agreeing = tuple(sorted(u for u in weights if u in sure))
        if not agreeing:
            continue
        fits = sum(weights[u] * sure[u] for u in agreeing)
        # What does not belong to the emotion speaks against it.
        opposed = SPEAKS_AGAINST.get(emotion, ())
        against = sum(
            c * (1.0 if u in opposed else UNRELATED) for u, c in sure.items() if u not in weights
        )
        scores[emotion], units[emotion] = fits - against, agreeing
    likely = np.exp(SHARPNESS * np.array(list(scores.values())))
    likely /= likely.sum()
    hints = [
        Hint(emotion, float(p), units[emotion]) for emotion, p in zip(scores, likely, strict=True)
    ]
    return sorted(hints, key=lambda h: -h.probability)
