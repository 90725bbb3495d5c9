"""What a mouth does that speaks: vowels, and consonants that close it, three to six times a second.

Jaw and lips go from posture to posture by smooth steps. A vowel's jaw drops by up to 13 pixels of
the face crop, a centimetre on an adult; syllables differ in length and strength, and words in
between pauses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Amounts of expressions (`models.heads.expressions`) of a vowel that is spoken clearly.
VOWELS: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.32},
    {"jawOpen": 0.2, "mouthStretchLeft": 0.3, "mouthStretchRight": 0.3},
    {"jawOpen": 0.1, "mouthStretchLeft": 0.4, "mouthStretchRight": 0.4},
    {"jawOpen": 0.22, "mouthFunnel": 0.4},
    {"jawOpen": 0.1, "mouthPucker": 0.5},
)
#: A consonant leaves this much of the vowel before it, or presses the lips.
CONSONANTS: tuple[float | None, ...] = (0.2, 0.35, 0.5, None)
PRESSED = {"mouthPressLeft": 0.25, "mouthPressRight": 0.25}
#: Syllables a second; how much a syllable's length and strength vary.
RATES = (3.0, 6.0)
LENGTHS, STRENGTHS = (0.75, 1.3), (0.5, 1.0)
#: How often a word ends after a syllable, and how long the pause is, in seconds.
WORD_ENDS, PAUSES = 0.2, (0.08, 0.2)


@dataclass(frozen=True)
class Speech:
    """Somebody speaks from `onset` to `offset` (seconds): `postures` are amounts at times, in their
    order, the first and the last one at rest."""

    onset: float
    offset: float
    postures: tuple[tuple[float, dict[str, float]], ...]
    kind = "speech"

    def weights(self, seconds: float) -> dict[str, float]:
        """Return the amounts of expressions at a time, none before and after."""
        for (start, before), (end, after) in zip(self.postures, self.postures[1:], strict=False):
            if start <= seconds < end:
                u = (seconds - start) / (end - start)
                part = u * u * (3 - 2 * u)
                names = dict.fromkeys([*before, *after])
                return {
                    n: (1 - part) * before.get(n, 0.0) + part * after.get(n, 0.0) for n in names
                }
        return {}


def speaking(rng: np.random.Generator, onset: float, seconds: float) -> Speech:
    """Return speech of about so many seconds that sets in at `onset`."""
    length = 1 / float(rng.uniform(*RATES))
    postures: list[tuple[float, dict[str, float]]] = [(onset, {})]
    at, word_over = onset, False
    while at < onset + seconds:
        if word_over:
            at += float(rng.uniform(*PAUSES))
            postures.append((at, {}))
        lasts = length * float(rng.uniform(*LENGTHS))
        strength = float(rng.uniform(*STRENGTHS))
        vowel = VOWELS[int(rng.integers(len(VOWELS)))]
        spoken = {name: strength * amount for name, amount in vowel.items()}
        postures.append((at + lasts / 2, spoken))
        at += lasts
        word_over = at >= onset + seconds or rng.uniform() < WORD_ENDS
        left = CONSONANTS[int(rng.integers(len(CONSONANTS)))]
        if word_over:
            closed = {}
        elif left is None:
            closed = PRESSED
        else:
            closed = {name: left * amount for name, amount in spoken.items()}
        postures.append((at, closed))
    return Speech(onset, at, tuple(postures))
