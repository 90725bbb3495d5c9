"""Tell which action units a steadied clip shows, on which side, how strongly, and by what.

Units are taken one after the other, each time the one that explains most of the motion that is
left (matching pursuit over all frames at once: Tropp, Gilbert and Strauss 2006), until none
explains enough; both sides of a unit are tried together and apart. Numbers and names are FACS's
(Ekman, Friesen and Hager 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .basis import Side
from .describe_amounts import Floats, amounts_of, coarse_rows, fields, pieces
from .sampling import Reals

#: Frames that units are chosen by, at most.
CHOSEN_BY_FRAMES = 48
#: A unit must explain this share of all motion, and this much in squared pixels a frame, summed
#: over the coarse cells, at the strongest frames.
LEAST_SHARE, LEAST_ENERGY = 0.03, 1.0
MOST_UNITS = 8
#: A side that moves less than this share of the other does not count.
ONE_SIDED = 0.3
#: An amount that peaks below this is no more than a trace of the measurement.
LEAST_AMOUNT = 0.02
#: A frame in which the head is turned further than this, out of the plane and from the neutral,
#: bears no witness: steadying leaves too much of the turn in it.
TURNED_DEGREES = 15.0


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
            f"{self.share:.0%} of the motion is explained by nothing else"
        )


@dataclass(frozen=True)
class Described:
    """One action unit in a clip.

    `unit` is FACS's number, `side` the subject's own; `times` (T,) seconds and `intensity` (T,)
    0..1 of a full contraction (1 is as much or more), by the stronger side; `left` and `right` (T,)
    by side. `apex` is the frame at which it is strongest, among those in which the head is not
    turned far; the evidence is of that frame. `confidence` 0..1.
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
    strongest = np.sort(np.argsort(-energy)[:CHOSEN_BY_FRAMES])
    chosen, gains = _chosen(rows[strongest].astype(np.float64))
    known = fields()
    # Which side moves is told by the amounts: both are asked, whichever came in.
    chosen = [_whole(group) for group in chosen]
    asked = np.array(sorted(k for group in chosen for k in group), np.intp)
    amounts = np.minimum(1.0, amounts_of(rows, asked))
    witness = _witnesses(poses, len(rows))
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


def _witnesses(poses: Reals | None, count: int) -> NDArray[np.bool_]:
    """Return the frames (T,) that may bear witness: those in which the head is not turned far."""
    if poses is None:
        return np.ones(count, np.bool_)
    pose = np.asarray(poses, np.float64)
    near = np.hypot(pose[:, 0], pose[:, 1]) <= np.radians(TURNED_DEGREES)
    return np.asarray(near if near.any() else ~near)


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
        best: tuple[float, tuple[int, ...]] | None = None
        for group in _groups():
            if used & set(group):
                continue
            # A second side has to earn its place like a second unit, if a cheaper one.
            gain = left - _left(rows, [*groups, group]) - 0.25 * asked * (len(group) - 1)
            if best is None or gain > best[0]:
                best = (gain, group)
        if best is None or best[0] < asked:
            break
        groups.append(best[1])
        left = _left(rows, groups)
    groups = _merged(groups)
    gains = [_left(rows, [g for g in groups if g is not group]) - left for group in groups]
    kept = [(g, gain) for g, gain in zip(groups, gains, strict=True) if gain >= asked / 2]
    return [g for g, _ in kept], [gain for _, gain in kept]


def _left(rows: Reals, groups: Sequence[tuple[int, ...]]) -> float:
    """Return the squared pixels that the groups leave unexplained in rows (T, R)."""
    columns = np.array(sorted({k for group in groups for k in group}), np.intp)
    amounts = amounts_of(rows, columns)[:, columns]
    return float(((rows - amounts @ fields().columns[:, columns].T) ** 2).sum())


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
    from .spot_curves import region_at

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
