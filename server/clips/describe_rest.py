"""Tell whether the neutral holds an expression, which then is seen to fade.

A muscle only pulls. Motion that action units explain better backwards than forwards is that of a
face which leaves off what it does in the neutral.
"""

from __future__ import annotations

from .describe import OF_EYES, strongest_rows
from .describe_amounts import Floats, fields
from .describe_choice import chosen
from .describe_left import Sought, whole
from .sampling import Reals

#: Backwards so much more of the motion is explained than forwards, and this share of it at least:
#: lips that open and close by turns are explained either way.
MORE_SHARE, LEAST_EXPLAINED = 1.2, 0.4


def held_in_neutral(
    flows: Reals, trust: Reals | None = None, poses: Reals | None = None
) -> tuple[int, ...]:
    """Return the units that the neutral of steadied flows (T, 64, 64, 2) seems to hold.

    Those that explain most come first. `trust` (T, 64, 64) 0..1 says how far to believe each place,
    `poses` (T, 6) how the head is turned.
    """
    strongest = strongest_rows(flows, trust, poses)
    does, _ = _explained(strongest)
    leaves_off, units = _explained(-strongest)
    held = leaves_off > max(LEAST_EXPLAINED, MORE_SHARE * does)
    return units if held else ()


def _explained(rows: Floats) -> tuple[float, tuple[int, ...]]:
    """Return which share of rows (T, R) units explain, and which, the one that explains most
    first."""
    sought = Sought(rows)
    choices = sorted(chosen(sought), key=lambda choice: -choice.gain)
    if not choices:
        return 0.0, ()
    left = sought.remainder([whole(choice.group) for choice in choices])
    share = 1 - left / sought.energy
    units = (fields().basis.units[choice.group[0]] for choice in choices)
    return share, tuple(unit for unit in units if unit not in OF_EYES)
