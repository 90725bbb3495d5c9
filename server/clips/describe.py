"""Tell which action units a steadied clip shows, on which side, how strongly, and by what.

Which units there are is chosen by the strongest frames (`describe_choice.py`), which also show how
the face's own motion differs from the average one (`describe_own.py`).
Numbers and names are FACS's (Ekman, Friesen and Hager 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .basis import Side
from .describe_amounts import Floats, Rows, coarse_rows, fields, pieces
from .describe_choice import chosen
from .describe_left import Group, Sought, whole
from .describe_own import amounts_in, without_head
from .describe_price import dearness
from .describe_strays import reaches
from .recognise import chances
from .sampling import Reals
from .spot_curves import region_at, witnesses
from .spot_time import smooth

#: Frames that units are chosen by, at most.
CHOSEN_BY_FRAMES = 48
#: A side that moves less than this share of the other does not count.
ONE_SIDED = 0.3
#: An amount that peaks below this is no more than a trace of the measurement.
LEAST_AMOUNT = 0.02
#: What eyes do by themselves, gaze and blinks: it explains motion, and `spot` tells it.
OF_EYES = frozenset((0, 45))
#: A unit that is less sure than this may be another.
SURE = 0.9
#: How fast a unit grows sure with what it explains, and with how far its rival falls behind, in
#: shares of what a unit has to explain.
SURE_BY_GAIN, SURE_BY_MARGIN = 0.7, 2.8


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
    strongest, the evidence is of that frame. `confidence` 0..1; of a unit that is not
    sure, the units `instead` explain the clip next best in its place.
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
    instead: tuple[int, ...] = ()

    @property
    def peak(self) -> float:
        """The intensity at the apex."""
        return float(self.intensity[self.apex])


def describe(
    flows: Reals,
    times: Reals,
    trust: Reals | None = None,
    poses: Reals | None = None,
    points: Reals | None = None,
) -> list[Described]:
    """Return the units in steadied flows (T, 64, 64, 2) at `times` (T,) seconds, strongest first.

    `trust` (T, 64, 64) 0..1, where given, says how far to believe each place, `poses` (T, 6) how
    the head is turned, `points` (30, 2) where the neutral's keypoints lie, in [-1, 1] of the crop
    (an average face's if None). Blinks and gaze are explained as well, and not told: `spot` tells
    them.
    """
    rows = coarse_rows(flows, trust)
    seconds = np.asarray(times, np.float64)
    witness = witnesses(poses, len(rows))
    frames = _most_moving(rows, witness)
    strongest = without_head(rows[frames])
    sought = Sought(strongest, dearness(chances(flows, seconds, frames, points)))
    choices = chosen(sought)
    known = fields().basis
    # Which side moves is told by the amounts: both are asked, whichever came in.
    groups = [whole(choice.group) for choice in choices]
    face = sought.explained(groups)
    amounts = np.zeros((len(rows), len(known.names)))
    # The highest of noisy amounts is more than the peak.
    found_in = smooth(amounts_in(rows, face), seconds)
    amounts[:, sorted(k for group in groups for k in group)] = found_in
    for amount in amounts.T:
        amount[~witness] = np.interp(seconds[~witness], seconds[witness], amount[witness])
    found = []
    for group, choice in zip(groups, choices, strict=True):
        unit = known.units[group[0]]
        if unit in OF_EYES:
            continue
        by_side = {known.sides[k]: amounts[:, k] for k in group}
        nothing = np.zeros(len(rows))
        left = by_side.get("both", by_side.get("left", nothing))
        right = by_side.get("both", by_side.get("right", nothing))
        intensity = np.maximum(left, right)
        if intensity.max() < LEAST_AMOUNT:
            continue
        side = _side(left, right)
        share = choice.gain / max(1e-12, sought.energy)
        apex = int(np.where(witness, intensity, -1).argmax())
        evidence = _evidence(group, amounts[apex], share)
        # Twice what is asked for is more likely than not right, and so is what no rival comes near.
        ahead = min(SURE_BY_GAIN * choice.gain, SURE_BY_MARGIN * max(0.0, choice.rival.margin))
        sure = 1 - float(np.exp(-ahead / max(1e-12, sought.price)))
        rivals = choice.rival.groups if sure < SURE else ()
        instead = {known.units[other[0]] for other in rivals} - OF_EYES
        found.append(
            Described(
                unit, side, seconds, intensity, left, right, apex, sure, evidence,
                tuple(sorted(instead)),
            )
        )  # fmt: skip
    return sorted(found, key=lambda d: -d.evidence.share)


def strongest_rows(flows: Reals, trust: Reals | None = None, poses: Reals | None = None) -> Floats:
    """Return weighted rows (N, R) of the frames that move most, by which units are chosen."""
    rows = coarse_rows(flows, trust)
    return without_head(rows[_most_moving(rows, witnesses(poses, len(rows)))])


def _most_moving(rows: Rows, witness: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the frames that units are chosen by, in order."""
    energy = np.concatenate([(rows[part] ** 2).sum(1) for part in pieces(len(rows))])
    most = np.argsort(-energy[witness])[:CHOSEN_BY_FRAMES]
    return np.sort(np.flatnonzero(witness)[most])


def _side(left: Floats, right: Floats) -> Side:
    most, other = float(left.max()), float(right.max())
    if most < ONE_SIDED * other:
        return "right"
    return "left" if other < ONE_SIDED * most else "both"


def _evidence(group: Group, amounts: Floats, share: float) -> Evidence:
    """Return where the group's motion is greatest, how far it goes, and where to."""
    known = fields().basis
    some = list(group)
    moved = np.einsum("k,kijc->ijc", amounts[some] * reaches()[some], known.fields[some])
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
