"""What is recognised: action units, most of them by side, as columns of an array.

Columns hold canonical amounts (`models.heads.expressions`): 1 is a full contraction. Lips parted
(AU25) is no column: the heads part lips by lowering the lower one and raising the upper one, which
is what AU16 and AU10 do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ..heads.expressions import RECIPES, expression_weights

Side = Literal["left", "right", "both"]

#: Recipes that are one unit to either side, and those that other units make up.
_TO_A_SIDE: dict[str, tuple[str, Side]] = {
    "AU30L": ("AU30", "left"),
    "AU30R": ("AU30", "right"),
    "mouth-left": ("mouth", "left"),
    "mouth-right": ("mouth", "right"),
}
_MADE_UP = ("AU25",)


@dataclass(frozen=True)
class Column:
    """A unit, `AU12`, and the subject's own side that does it; `both` for one without sides.

    `mouth` is the mouth drawn to a side, to which FACS gives no number.
    """

    unit: str
    side: Side

    def __str__(self) -> str:
        return self.unit if self.side == "both" else f"{self.unit} {self.side}"


def _columns() -> dict[Column, dict[str, float]]:
    """Return each column's canonical amounts by expression name."""
    found: dict[Column, dict[str, float]] = {}
    for name in RECIPES:
        left, right = expression_weights(name, 1.0, 0.0), expression_weights(name, 0.0, 1.0)
        if name in _MADE_UP:
            continue
        if name in _TO_A_SIDE:
            found[Column(*_TO_A_SIDE[name])] = left
        elif left == right:
            found[Column(name, "both")] = left
        else:
            found[Column(name, "left")], found[Column(name, "right")] = left, right
    return found


_RECIPES = _columns()
COLUMNS: tuple[Column, ...] = tuple(_RECIPES)

_OTHER: dict[Side, Side] = {"left": "right", "right": "left", "both": "both"}
#: Index of each column's partner when the picture is mirrored; its own for one without sides.
MIRROR: tuple[int, ...] = tuple(COLUMNS.index(Column(c.unit, _OTHER[c.side])) for c in COLUMNS)

_SHAPES = sorted({shape for recipe in _RECIPES.values() for shape in recipe})
_MATRIX = np.array([[recipe.get(s, 0.0) for recipe in _RECIPES.values()] for s in _SHAPES])


def amounts_of(weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Return the amounts (COLUMNS,) of the units that make up canonical amounts by expression.

    The inverse of `expression_weights`, by non-negative least squares: a shape that several units
    share goes to those that its companions speak for. Shapes that no unit has are left out.
    """
    found, _ = nnls(_MATRIX, np.array([weights.get(shape, 0.0) for shape in _SHAPES]))
    return np.where(found > 1e-3, found, 0).astype(np.float32)
