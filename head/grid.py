"""The skin's topology: a grid of quads round the head with slits for the mouth and the eyes.

Rows run from the neck's hem (0) to the crown (a single vertex); columns run once round the head,
the middle of the face at `MIDDLE`. Where a slit opens, a row has two vertices per column, one for
the part above and one for the part below. A pocket of further rows hangs inside each slit: the
wet rim of the lids, and the lips' inside with the mouth's hollow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .arrays import Ints

# Columns counted from the middle of the face towards the subject's left.
EYE_INNER, MOUTH_CORNER, EYE_OUTER, SIDE, BACK = 9, 13, 25, 37, 45
MIDDLE = BACK
COLUMNS = 2 * BACK
# Rows.
CHIN, LIP_LOW, MOUTH, LIP_HIGH, NOSE_BASE, NOSE_TIP = 16, 26, 33, 40, 45, 54
EYE, BROW, HAIRLINE, CROWN = 71, 87, 97, 109
MOUTH_DEPTH, EYE_DEPTH = 9, 3


@dataclass(frozen=True)
class Slit:
    """One opening. `columns` (n,) run from corner to corner; `upper` and `lower` (depth + 1, n)
    are vertices from the rim (0) inwards, alike at both corners, and for a closed pocket also in
    the last row.
    """

    row: int
    columns: Ints
    upper: Ints
    lower: Ints
    closed: bool


@dataclass(frozen=True)
class Grid:
    """Vertex numbers of the skin.

    `above` and `below` (CROWN + 1, COLUMNS): the vertex at a row and column as seen from the faces
    above and below that row; they differ inside slits only. `faces` (F, 4), -1 ends a triangle.
    `corner_uv` numbers the texture vertices of those faces; `cells` (F, 2) holds each outer face's
    row and column (-1 in pockets).
    """

    count: int
    above: Ints
    below: Ints
    slits: dict[str, Slit] = field(repr=False)

    @property
    def outer(self) -> Ints:
        """Every vertex of the grid proper, pockets left out."""
        return np.asarray(np.unique(np.concatenate([self.above.ravel(), self.below.ravel()])))


def column(offset: int) -> int:
    """Return the index of the column `offset` steps to the subject's left of the middle."""
    return (MIDDLE + offset) % COLUMNS


def build_grid() -> Grid:
    """Return the skin's grid; it is the same for every identity."""
    above = np.arange(CROWN * COLUMNS, dtype=np.int64).reshape(CROWN, COLUMNS)
    crown = np.full((1, COLUMNS), CROWN * COLUMNS, dtype=np.int64)
    above = np.concatenate([above, crown])
    below = above.copy()
    count = CROWN * COLUMNS + 1
    spans = {
        "mouth": (MOUTH, -MOUTH_CORNER, MOUTH_CORNER, MOUTH_DEPTH, True),
        "eye_left": (EYE, EYE_INNER, EYE_OUTER, EYE_DEPTH, False),
        "eye_right": (EYE, -EYE_OUTER, -EYE_INNER, EYE_DEPTH, False),
    }
    slits: dict[str, Slit] = {}
    for name, (row, first, last, depth, closed) in spans.items():
        columns = np.array([column(offset) for offset in range(first, last + 1)])
        inside = columns[1:-1]
        below[row, inside] = np.arange(count, count + len(inside))
        count += len(inside)
        upper = [above[row, columns]]
        lower = [below[row, columns]]
        for step in range(1, depth + 1):
            shut = closed and step == depth
            top = np.arange(count, count + len(columns))
            count += len(columns)
            bottom = top.copy()
            if not shut:
                bottom[1:-1] = np.arange(count, count + len(inside))
                count += len(inside)
            upper.append(top)
            lower.append(bottom)
        slits[name] = Slit(row, columns, np.array(upper), np.array(lower), closed)
    return Grid(count, above, below, slits)


def outer_faces(grid: Grid) -> tuple[Ints, Ints]:
    """Return the grid's faces (F, 4) and the cell (F, 2) of each: its lower row and left column."""
    faces, cells = [], []
    for row in range(CROWN):
        for col in range(COLUMNS):
            after = (col + 1) % COLUMNS
            low = grid.above[row]
            high = grid.below[row + 1]
            if row == CROWN - 1:
                faces.append((low[col], low[after], high[col], -1))
            else:
                faces.append((low[col], low[after], high[after], high[col]))
            cells.append((row, col))
    return np.array(faces), np.array(cells)


def pocket_faces(slit: Slit) -> tuple[Ints, Ints]:
    """Return a pocket's faces (F, 4) and, for each, its (part, step, place) with part 0 above.

    They go on from the outer faces at the rim and look into the hollow.
    """
    faces, cells = [], []
    depth, n = slit.upper.shape
    for step in range(depth - 1):
        for place in range(n - 1):
            u, v = slit.upper, slit.lower
            faces.append(
                (u[step, place], u[step + 1, place], u[step + 1, place + 1], u[step, place + 1])
            )
            cells.append((0, step, place))
            faces.append(
                (v[step, place], v[step, place + 1], v[step + 1, place + 1], v[step + 1, place])
            )
            cells.append((1, step, place))
    return np.array(faces), np.array(cells)


def mirror_columns() -> Ints:
    """Return, for each column, the one on the other side of the face, (COLUMNS,)."""
    return np.array([(2 * MIDDLE - col) % COLUMNS for col in range(COLUMNS)])
