"""Building blocks of shape keys: smooth weights over the skin that end in exact zeros."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import grid as g
from .arrays import Floats
from .measures import Measures
from .sculpt import Distance, gradient, head_form
from .skin import Skin


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """Hermite step from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


@dataclass(frozen=True)
class Face:
    """The neutral skin with what every shape key asks of it.

    `over` (V,) is the height above the mouth's line, `along` (V,) is |x| over half the mouth's
    width, `upper` and `lower` (V,) mark what belongs to the upper and the lower half of the mouth
    (lip, its inside, and the skin beyond).
    """

    m: Measures
    skin: Skin
    form: Distance
    p: Floats
    over: Floats
    along: Floats
    upper: Floats
    lower: Floats
    mirror: npt.NDArray[np.int64]

    def patch(self, centre: tuple[float, float], radii: tuple[float, float]) -> Floats:
        """Weight 1 at `centre` (x, y), 0 outside the ellipse of `radii`; front of the head only."""
        q = (self.p[:, :2] - np.array(centre)) / np.array(radii)
        bump = np.clip(1.0 - np.sum(q * q, axis=1), 0.0, 1.0) ** 2
        return np.asarray(bump * smoothstep(-6.0, -3.0, self.p[:, 2]))

    def left(self, width: float = 0.9) -> Floats:
        """1 on the subject's left, 0 on the right, soft over `width` cm about the middle."""
        return smoothstep(-width, width, self.p[:, 0])

    def slide(self, move: Floats, share: float) -> Floats:
        """Bend `move` (V, 3) so that skin slides along the form, by `share` of the way."""
        busy = np.abs(move).max(axis=1) > 1e-6
        start = self.p[busy]
        end = start + move[busy]
        slip = self.form(end) - self.form(start)
        out = move.copy()
        out[busy] -= share * gradient(self.form, end) * slip[:, None]
        return out

    def carry_pocket(self, move: Floats) -> Floats:
        """Let the mouth's pocket follow its rim, less and less inwards."""
        out = move.copy()
        slit = self.skin.grid.slits["mouth"]
        for step, share in enumerate((1.0, 1.0, 0.97, 0.9, 0.75, 0.45, 0.2, 0.0, 0.0, 0.0)):
            if step:
                out[slit.upper[step]] = share * move[slit.upper[0]]
                out[slit.lower[step]] = share * move[slit.lower[0]]
        return out

    def mirrored(self, move: Floats) -> Floats:
        """The same movement (V, 3) on the other side of the face."""
        return np.asarray(move[self.mirror] * np.array([-1.0, 1.0, 1.0]))


def mirror_vertices(grid: g.Grid) -> npt.NDArray[np.int64]:
    """For each skin vertex the one on the other side of the face, (V,)."""
    other = np.arange(grid.count)
    columns = g.mirror_columns()
    other[grid.above] = grid.above[:, columns]
    other[grid.below] = grid.below[:, columns]
    twins = {"mouth": "mouth", "eye_left": "eye_right", "eye_right": "eye_left"}
    for name, twin in twins.items():
        mine, theirs = grid.slits[name], grid.slits[twin]
        other[mine.upper] = theirs.upper[:, ::-1]
        other[mine.lower] = theirs.lower[:, ::-1]
    return other


def face_of(m: Measures, skin: Skin) -> Face:
    """Return the face's fields for shape keys."""
    p = skin.points
    over = p[:, 1] - m.mouth_line(p[:, 0])
    upper = np.where(skin.side != 0, skin.side > 0, over >= 0.0).astype(float)
    return Face(
        m=m,
        skin=skin,
        form=head_form(m),
        p=p,
        over=over,
        along=np.abs(p[:, 0]) / m.mouth_half,
        upper=upper,
        lower=1.0 - upper,
        mirror=mirror_vertices(skin.grid),
    )


def toward(weight: Floats, x: float, y: float, z: float) -> Floats:
    """A movement (V, 3) along (x, y, z) cm, scaled by `weight` (V,)."""
    return np.asarray(weight[:, None] * np.array([x, y, z]))
