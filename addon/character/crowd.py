"""Which of a mesh's channels are the face's: a whole body may be of one mesh with the head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .resting import is_expression

#: So many channels with an expression's name say where the face is; fewer may be of a part of it.
ENOUGH_NAMED = 12
#: The face reaches as far from its midst as this percentage of those channels do, times this:
#: the brows of heads lie at 1.0 to 1.2 times.
PERCENTAGE, REACH = 90.0, 1.3
#: Where names tell nothing, only what lies farther off than this many times is not the face's.
FAR = 3.0


def facial(names: Sequence[str], middles: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return which channels (S,) move the face, by what they are called and where they move it.

    `middles` (S,3) are the middles of what they move, NaN of those that move nothing. Channels
    crowd in a face; what lies far from the midst of those with an expression's name, or of all
    where names tell nothing, is the body's.
    """
    moves = np.isfinite(middles).all(axis=1)
    named = moves & np.array([is_expression(name) for name in names], bool)
    told = int(named.sum()) >= ENOUGH_NAMED
    midst_of = named if told else moves
    if not midst_of.any():
        return np.asarray(moves)
    away = np.linalg.norm(middles - np.median(middles[midst_of], axis=0), axis=1)
    reach = float(np.percentile(away[midst_of], PERCENTAGE))
    return np.asarray(moves & (away <= (REACH if told else FAR) * reach))
