"""Tell which action units a steadied clip shows, on which side, how strongly, and by what.

Units are taken one after the other, each time the one that explains most of the motion that is
left, and, after the first, most of it where the unit acts (matching pursuit over all frames at
once: Tropp, Gilbert and Strauss 2006), until none explains enough; both sides of a unit are tried
together and apart.
Numbers and names are FACS's (Ekman, Friesen and Hager 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .basis import Side
from .describe_amounts import Floats, amounts_of, coarse_rows, fields, pieces
from .sampling import Reals
from .spot_curves import region_at, witnesses

#: Frames that units are chosen by, at most.
CHOSEN_BY_FRAMES = 48
#: A unit must explain this share of all motion, and this much in squared pixels a frame, summed
#: over the coarse cells, at the strongest frames.
LEAST_SHARE, LEAST_ENERGY = 0.045, 1.0
#: A unit that explains this share of what moves where it acts has to explain but this share of
#: that: brows are small beside lips, and no mistake about lips looks as brows do.
NEARLY_ALL, LESS_ASKED = 0.8, 0.2
MOST_UNITS = 8
#: A side that moves less than this share of the other does not count.
ONE_SIDED = 0.3
#: An amount that peaks below this is no more than a trace of the measurement.
LEAST_AMOUNT = 0.02


@dataclass(frozen=True)
class Evidence:
    """What speaks for a unit: the skin at `place` moves by `pixels` of the 256-pixel crop,
    `direction` such as `up and outwards`, at its peak; without the unit `share` 0..1 more of the
    clip's motion would be left unexplained."""

    place: str
    pixels: float
    direction: str
    share: float

    def __str__(self) -> str:
        return (
            f"{self.place} moves {self.direction} by {self.pixels:.2f} pixels; "
            f"{self.share:.0%} of the motion is explained by it alone"
        )


@dataclass(frozen=True)
class Described:
    """One action unit in a clip.

    `unit` is FACS's number, `side` the subject's own; `times` (T,) seconds and `intensity` (T,)
    0..1 of a full contraction (1 is as much or more), by the stronger side; `left` and `right` (T,)
    by side; held where the head is turned too far to tell. `apex` is the frame at which it is
    strongest, the evidence is of that frame. `confidence` 0..1.
    """

    unit: int
    side: Side
    times: Floats
    intensity: Floats
    left: Floats
    right: Floats
    apex: int
    confidence: float
    evidence: Evidence

    @property
    def peak(self) -> float:
        """The intensity at the apex."""
        return float(self.intensity[self.apex])


def describe(
    flows: Reals, times: Reals, trust: Reals | None = None, poses: Reals | None = None
) -> list[Described]:
    """Return the units in steadied flows (T, 64, 64, 2) at `times` (T,) seconds, strongest first.

    `trust` (T, 64, 64) 0..1, where given, says how far to believe each place, `poses` (T, 6) how
    the head is turned. Blinks and gaze are explained as well, and not told: `spot` tells them.
    """
    rows = coarse_rows(flows, trust)
    seconds = np.asarray(times, np.float64)
    energy = np.concatenate([(rows[part] ** 2).sum(1) for part in pieces(len(rows))])
    witness = witnesses(poses, len(rows))
    asked_of = np.argsort(-energy[witness])[:CHOSEN_BY_FRAMES]
    strongest = np.sort(np.flatnonzero(witness)[asked_of])
    chosen, gains = _chosen(rows[strongest].astype(np.float64))
    known = fields()
    # Which side moves is told by the amounts: both are asked, whichever came in.
    chosen = [_whole(group) for group in chosen]
    asked = np.array(sorted(k for group in chosen for k in group), np.intp)
    amounts = np.minimum(1.0, amounts_of(rows, asked))
    for amount in amounts.T:
        amount[~witness] = np.interp(seconds[~witness], seconds[witness], amount[witness])
    found = []
    for group, gain in zip(chosen, gains, strict=True):
        unit = known.basis.units[group[0]]
        if unit in (0, 45):
            continue
        by_side = {known.basis.sides[k]: amounts[:, k] for k in group}
        nothing = np.zeros(len(rows))
        left = by_side.get("both", by_side.get("left", nothing))
        right = by_side.get("both", by_side.get("right", nothing))
        intensity = np.maximum(left, right)
        if intensity.max() < LEAST_AMOUNT:
            continue
        side = _side(left, right)
        share = gain / max(1e-12, float(energy[strongest].sum()))
        apex = int(np.where(witness, intensity, -1).argmax())
        evidence = _evidence(group, amounts[apex], share)
        # Twice what is asked for is more likely than not right.
        sure = 1 - np.exp(-0.7 * gain / max(1e-12, _asked(rows[strongest])))
        found.append(
            Described(unit, side, seconds, intensity, left, right, apex, float(sure), evidence)
        )
    return sorted(found, key=lambda d: -d.evidence.share)


def _asked(rows: Reals) -> float:
    """Return what a unit has to explain, in squared pixels over all frames."""
    total = float((rows**2).sum())
    return max(LEAST_SHARE * total, LEAST_ENERGY * len(rows) / 4)


def _groups() -> list[tuple[int, ...]]:
    """Return the fields that may come in together: sides apart, and both."""
    known = fields().basis
    groups: list[tuple[int, ...]] = [(k,) for k in range(len(known.names))]
    for k, side in enumerate(known.sides):
        if side == "left":
            groups.append((k, k + 1))
    return groups


def _chosen(rows: Reals) -> tuple[list[tuple[int, ...]], list[float]]:
    """Return the groups of fields that explain rows (T, R), and what each one alone explains."""
    asked = _asked(rows)
    groups: list[tuple[int, ...]] = []
    left = _left(rows, groups)
    while len(groups) < MOST_UNITS:
        used = {k for group in groups for k in group}
        best: tuple[float, tuple[int, ...], Floats] | None = None
        for group in _groups():
            if used & set(group):
                continue
            now = _left(rows, [*groups, group])
            # A second side has to earn its place like a second unit, if a cheaper one.
            gain = float((left - now).sum()) - 0.25 * asked * (len(group) - 1)
            # The lips move much further than the brows. What brings the brows down while the
            # lips move is what explains the brows, not what takes a little off everywhere; the
            # first unit takes off most, wherever others act as well.
            fit = _fit(left, now, group)
            worth = gain * fit if groups else gain
            enough = gain >= (LESS_ASKED * asked if fit >= NEARLY_ALL else asked)
            if enough and (best is None or worth > best[0]):
                best = (worth, group, now)
        if best is None:
            break
        groups.append(best[1])
        left = best[2]
    groups = _merged(groups)
    left = _left(rows, groups)
    kept, gains = [], []
    for group in groups:
        without = _left(rows, [other for other in groups if other is not group])
        gain = float((without - left).sum())
        sure = _fit(without, left, group) >= NEARLY_ALL / 2
        if gain >= asked / 2 * (LESS_ASKED if sure else 1):
            kept.append(group)
            gains.append(gain)
    return kept, gains


def _left(rows: Reals, groups: Sequence[tuple[int, ...]]) -> Floats:
    """Return the squared pixels (R,) that the groups leave unexplained in rows (T, R), by place."""
    columns = np.array(sorted({k for group in groups for k in group}), np.intp)
    amounts = amounts_of(rows, columns)[:, columns]
    left = rows - amounts @ fields().columns[:, columns].T
    return np.asarray(np.einsum("tr,tr->r", left, left), np.float64)


def _fit(before: Floats, after: Floats, group: tuple[int, ...]) -> float:
    """Return which share of squared pixels (R,) that were left before is not left after, where a
    group of fields acts."""
    acts = (fields().columns[:, list(group)] ** 2).sum(1)
    return 1 - float(after @ acts) / max(1e-12, float(before @ acts))


def _merged(groups: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the groups with the two sides of a unit in one."""
    merged: dict[tuple[int, ...], set[int]] = {}
    for group in groups:
        merged.setdefault(_whole(group), set()).update(group)
    return [tuple(sorted(group)) for group in merged.values()]


def _whole(group: tuple[int, ...]) -> tuple[int, ...]:
    """Return the fields of both sides of a unit."""
    side = fields().basis.sides[group[0]]
    if side == "both":
        return group
    first = group[0] - (side == "right")
    return (first, first + 1)


def _side(left: Floats, right: Floats) -> Side:
    most, other = float(left.max()), float(right.max())
    if most < ONE_SIDED * other:
        return "right"
    return "left" if other < ONE_SIDED * most else "both"


def _evidence(group: tuple[int, ...], amounts: Floats, share: float) -> Evidence:
    """Return where the group's motion is greatest, how far it goes, and where to."""
    known = fields().basis
    moved = np.einsum("k,kijc->ijc", amounts[list(group)], known.fields[list(group)])
    length = np.hypot(moved[..., 0], moved[..., 1])
    row, column = np.unravel_index(int(length.argmax()), length.shape)
    place, outwards = region_at(int(row), int(column))
    dx, dy = (float(v) for v in moved[row, column])
    words = []
    if abs(dy) > 0.4 * length.max():
        words.append("down" if dy > 0 else "up")
    if abs(dx) > 0.4 * length.max():
        words.append("outwards" if dx * outwards > 0 else "inwards")
    return Evidence(place, float(length.max()), " and ".join(words), float(share))
