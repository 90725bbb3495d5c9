"""From sums to a table: Markdown for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from . import measures
from .run import Measured, Sums

Interval = tuple[float, float, float]

#: Peaks of motion, pixels, that part weak from middling and middling from strong expressions.
WEAK, STRONG = 1.0, 3.0

COLUMNS = {
    "claimed": "end-point error / motion, claimed",
    "measured": "end-point error / motion, measured from the pictures",
    "within": "claimed, within a family",
    "across": "claimed, across families",
    "carried_within": "claimed, of the carried truth, within a family",
    "carried_across": "claimed, of the carried truth, across families",
    "carried_shown_within": "measured, of the carried truth, within a family",
    "carried_shown_across": "measured, of the carried truth, across families",
    "cosine_within": "cosine, within a family",
    "cosine_across": "cosine, across families",
    "carried_cosine_within": "cosine to the carried truth, within a family",
    "carried_cosine_across": "cosine to the carried truth, across families",
    "gain": "gain, claimed",
    "shown_gain": "gain, measured",
    "carried_gain_within": "gain of the carried truth, within a family",
    "carried_gain_across": "gain of the carried truth, across families",
    "gain_weak": "the same, motion under 1 px",
    "gain_middle": "the same, motion of 1 to 3 px",
    "gain_strong": "the same, motion over 3 px",
    "side": "the moving side right, of one-sided expressions",
    "leak": "leak, px",
    "swim": "motion of hair and clothes beside what moves, px",
    "quiet": "motion where nothing moved, px",
    "still_psnr": "still PSNR, dB",
    "moving_psnr": "moving PSNR, dB",
    "ssim": "moving SSIM",
    "edge_f1": "edge F1",
}


def ratio(rows: Sequence[tuple[float, float]], groups: list[str], chosen: list[bool]) -> Interval:
    """Return the pooled ratio of the chosen pairs' rows with its 95 % interval."""
    kept = [i for i, keep in enumerate(chosen) if keep]
    if not kept:
        return (float("nan"),) * 3
    values = np.array([rows[i] for i in kept], np.float32)
    return measures.bootstrap(values, [groups[i] for i in kept])


def mapped(interval: Interval, change: Callable[[float], float]) -> Interval:
    """Return an interval with each end changed, its lower end first again."""
    whole, low, high = (change(value) for value in interval)
    return whole, min(low, high), max(low, high)


def summary(found: Measured, sums: Sums) -> dict[str, Interval]:
    """Return a method's row: for each column the value and its interval."""
    groups, lively = found.groups, found.expressive
    everything = [True] * len(groups)
    within = [a and b for a, b in zip(found.within, lively, strict=True)]
    across = [not a and b for a, b in zip(found.within, lively, strict=True)]
    size = np.array(found.amplitudes)
    weak, strong = size < WEAK, size > STRONG
    some = size >= measures.EXPRESSIVE
    quiet = [m[1] == 0 for m in found.sums["true frame"].claimed]
    f1 = measures.f_score(np.sum(np.array(sums.edges, np.float64), axis=0).tolist())
    return {
        "claimed": ratio(sums.claimed, groups, lively),
        "measured": ratio(sums.measured, groups, lively),
        "within": ratio(sums.claimed, groups, within),
        "across": ratio(sums.claimed, groups, across),
        "carried_within": ratio(sums.carried, groups, within),
        "carried_across": ratio(sums.carried, groups, across),
        "carried_shown_within": ratio(sums.carried_shown, groups, within),
        "carried_shown_across": ratio(sums.carried_shown, groups, across),
        "cosine_within": ratio(sums.cosine, groups, within),
        "cosine_across": ratio(sums.cosine, groups, across),
        "carried_cosine_within": ratio(sums.carried_cosine, groups, within),
        "carried_cosine_across": ratio(sums.carried_cosine, groups, across),
        "gain": ratio(sums.gain, groups, lively),
        "shown_gain": ratio(sums.shown_gain, groups, lively),
        "carried_gain_within": ratio(sums.carried_gain, groups, within),
        "carried_gain_across": ratio(sums.carried_gain, groups, across),
        "gain_weak": ratio(sums.carried_gain, groups, (some & weak).tolist()),
        "gain_middle": ratio(sums.carried_gain, groups, (some & ~weak & ~strong).tolist()),
        "gain_strong": ratio(sums.carried_gain, groups, strong.tolist()),
        "side": ratio(sums.side, groups, lively),
        "leak": ratio(sums.leak, groups, everything),
        "swim": ratio(sums.swim, groups, lively),
        "quiet": ratio(sums.rest, groups, quiet),
        "still_psnr": mapped(ratio(sums.still, groups, everything), measures.psnr),
        "moving_psnr": mapped(ratio(sums.moving, groups, lively), measures.psnr),
        "ssim": ratio(sums.similarity, groups, lively),
        "edge_f1": (f1, f1, f1),
    }


def as_json(found: Measured, facts: dict[str, object]) -> dict[str, object]:
    """Return everything measured, beside `facts` about the run."""
    return {
        **facts,
        "pairs": len(found.groups),
        "expressive_pairs": sum(found.expressive),
        "identity_groups": len(set(found.groups)),
        "columns": COLUMNS,
        "rows": {
            name: {
                column: {"value": value, "low": low, "high": high}
                for column, (value, low, high) in summary(found, sums).items()
            }
            for name, sums in found.sums.items()
        },
        "reliability": {
            name: {"off": sums.reliability.off, "rows": sums.reliability.rows()}
            for name, sums in found.sums.items()
            if sums.reliability is not None
        },
    }


def as_markdown(report: dict[str, object]) -> str:
    """Return the report's table: a column a method, so that it reads on a narrow page."""
    rows = report["rows"]
    assert isinstance(rows, dict)
    names = list(rows)
    lines = [
        "| | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for column, title in COLUMNS.items():
        cells = [cell(rows[name][column]) for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def cell(value: dict[str, float]) -> str:
    """Return a value with its interval."""
    if not np.isfinite(value["value"]):
        return "–"
    digits = 1 if abs(value["value"]) >= 10 else 3
    middle = f"{value['value']:.{digits}f}"
    if value["low"] == value["high"]:
        return middle
    return f"{middle} ({value['low']:.{digits}f} to {value['high']:.{digits}f})"
