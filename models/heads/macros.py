"""Identities of the MakeHuman family: sex, age, origin and build, then details."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def makehuman_weights(
    rng: np.random.Generator,
    names: list[str],
    kinds: NDArray[np.generic],
    pairs: NDArray[np.generic],
    *,
    plain: bool = False,
) -> NDArray[np.float64]:
    """Draw the weights (N,) of all identity targets: a full macro set, then details.

    `plain` gives the plain average young person of both sexes instead.
    """
    female = 0.5 if plain else float(np.clip(rng.beta(0.5, 0.5), 0, 1))
    young = 1.0 if plain else float(rng.choice([1.0, rng.uniform(0.4, 1.0)]))
    ethnic = np.full(3, 1 / 3) if plain else rng.dirichlet((0.6, 0.6, 0.6))
    extreme = [0.0, 0.0] if plain else rng.uniform(-0.8, 0.8, 2)
    factors = {"female": female, "male": 1 - female, "young": young, "old": 1 - young}
    factors.update(zip(("african", "asian", "caucasian"), map(float, ethnic), strict=True))
    for kind, value in zip(("muscle", "weight"), extreme, strict=True):
        factors["min" + kind] = max(0.0, -float(value))
        factors["max" + kind] = max(0.0, float(value))
        factors["average" + kind] = 1 - abs(float(value))
    weights = np.zeros(len(names))
    for row, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if str(kind) == "macro":
            words = [w for w in name.split("-") if w != "universal"]
            weights[row] = float(np.prod([factors[w] for w in words]))
    if plain:
        return weights
    drawn: dict[str, float] = {}
    for low, high in np.asarray(pairs, np.int64):
        name = names[high]
        narrow = "asym" in name or "eyebrows" in name
        value = float(np.clip(rng.normal(0, 0.05 if narrow else 0.18), -0.5, 0.5))
        # The two sides of a symmetric feature share one number.
        stem = name.replace("/l-", "/").replace("/r-", "/")
        stem = stem[2:] if stem.startswith(("l-", "r-")) else stem
        value = drawn.setdefault(stem, value)
        weights[high if value > 0 else low] = abs(value)
    return weights
