"""Where the brow landmarks of a head are, from its brows' hair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .families import Floats


def brow_landmarks(places: Floats, hair: Floats) -> NDArray[np.int64]:
    """Return the rows (10,) of the Multi-PIE brow points 17-26 among `places` (n, 3).

    `hair` (n,) weighs how much of the brow is at each place. The points lie along the middle of
    each brow at even steps: from the subject's right outer end inwards, then outwards.
    """
    rows: list[int] = []
    for side in (-1, 1):
        hairy = np.flatnonzero((side * places[:, 0] > 0.3) & (hair > 0.12 * hair.max()))
        x = places[hairy, 0]
        low, high = float(x.min()), float(x.max())
        for share in np.linspace(0.06, 0.94, 5):
            middle = low + share * (high - low)
            near = hair[hairy] * np.exp(-(((x - middle) / (0.08 * (high - low))) ** 2))
            target = (places[hairy] * near[:, None]).sum(0) / near.sum()
            target[0] = middle
            rows.append(int(hairy[np.linalg.norm(places[hairy] - target, axis=1).argmin()]))
    return np.array(rows)
