"""What the answers to hard questions come to: rows with intervals, and the page they stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..heads.style import STYLES
from . import measures
from .hard_scenes import STRENGTHS, TURN, USUAL

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

#: Heights on the chart, centimetres, above which the upper face and below which the lower one is.
UPPER, LOWER = 0.8, -5.0
#: Half the width, centimetres, of the face's middle, which belongs to no side.
MIDDLE = 0.5
DRAWS = 1000


@dataclass(frozen=True)
class Answer:
    """An answer on the motion grid: `flow` and the carried `truth` (64, 64, 2), backward, pixels at
    256; `known` (64, 64) where the truth holds; `face` (64, 64); `chart` (64, 64, 3), centimetres.
    """

    question: str
    scene: int
    flow: Floats
    truth: Floats
    known: Flags
    face: Flags
    chart: Floats

    @property
    def moving(self) -> Flags:
        """Where the truth moves and holds, (64, 64)."""
        return measures.moving_region(self.truth, self.known)


@dataclass(frozen=True)
class Row:
    """A line of the table: its value with a 95 % interval, and what is wanted, if anything."""

    question: str
    measure: str
    value: float
    low: float
    high: float
    wanted: str = ""

    @property
    def cell(self) -> str:
        """The value with its interval, as text."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


Measure = Callable[[Answer], tuple[float, float]]
Statistic = Callable[[Floats], float]


def ratio(pairs: Floats) -> float:
    """Return the sum of the first of pairs (P, 2) over that of the second; NaN for nothing."""
    over, under = pairs.sum(axis=0)
    return float(over / under) if under else float("nan")


def slope(pairs: Floats) -> float:
    """Return the slope of the second of gain curves' pairs (scenes * strengths, 2) against the
    first: the mean of the scenes' own."""
    return float(np.mean([np.polyfit(curve[:, 0], curve[:, 1], 1)[0] for curve in _curves(pairs)]))


def correlation(pairs: Floats) -> float:
    """Return Pearson's r of gain curves' pairs (scenes * strengths, 2): the mean of the scenes'."""
    return float(np.mean([np.corrcoef(curve.T)[0, 1] for curve in _curves(pairs)]))


def _curves(pairs: Floats) -> Floats:
    return pairs.reshape(-1, len(STRENGTHS), 2)


def row(
    found: Sequence[Answer],
    question: str,
    title: str,
    measure: Measure,
    statistic: Statistic = ratio,
    wanted: str = "",
) -> Row:
    """Return a statistic of what answers measure, with the interval that drawing whole scenes again
    with replacement gives."""
    values = np.array([measure(answer) for answer in found])
    scenes = np.array([answer.scene for answer in found])
    each = [np.flatnonzero(scenes == scene) for scene in np.unique(scenes)]
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS if len(each) > 1 else 1):
        chosen = rng.integers(0, len(each), len(each))
        drawn.append(statistic(values[np.concatenate([each[k] for k in chosen])]))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Row(question, title, statistic(values), float(low), float(high), wanted)


def error(answer: Answer) -> tuple[float, float]:
    """Sums of end-point error and of true motion."""
    return measures.endpoint_sums(answer.flow, answer.truth, answer.moving)


def cosine(answer: Answer) -> tuple[float, float]:
    """Sums of the direction's cosine, weighted, and of its weights."""
    return measures.cosine_sums(answer.flow, answer.truth, answer.moving)


def gain(answer: Answer) -> tuple[float, float]:
    """Sums of motion along the true one, and of the true one."""
    return measures.gain_sums(answer.flow, answer.truth, answer.moving)


def gain_above(answer: Answer) -> tuple[float, float]:
    """`gain` in the upper face."""
    region = answer.moving & (answer.chart[..., 1] > UPPER)
    return measures.gain_sums(answer.flow, answer.truth, region)


def gain_below(answer: Answer) -> tuple[float, float]:
    """`gain` in the lower face."""
    region = answer.moving & (answer.chart[..., 1] < LOWER)
    return measures.gain_sums(answer.flow, answer.truth, region)


def stirring(answer: Answer) -> tuple[float, float]:
    """Sum of motion over the face, and its cells."""
    length = np.linalg.norm(answer.flow, axis=-1)[answer.face]
    return float(length.sum()), float(length.size)


def stirring_most(answer: Answer) -> tuple[float, float]:
    """The motion that 95 % of the face's cells stay under, and 1."""
    length = np.linalg.norm(answer.flow, axis=-1)[answer.face]
    return float(np.percentile(length, 95)), 1.0


def side_right(answer: Answer) -> tuple[float, float]:
    """1 where the motion is on the side where it should be, and 1; (0, 0) for a truth that is not
    one-sided."""
    across = answer.chart[..., 0] / 10
    return measures.sided_sums(answer.flow, answer.truth, across, answer.moving)


def true_other_side(answer: Answer) -> tuple[float, float]:
    """`other_side` of the truth."""
    return other_side(replace(answer, flow=answer.truth))


def other_side(answer: Answer) -> tuple[float, float]:
    """Mean motion of the half of the face that should rest, and of the other half."""
    length, size = (np.linalg.norm(f, axis=-1) for f in (answer.flow, answer.truth))
    x, seen = answer.chart[..., 0], answer.face & answer.known
    halves = [seen & (x < -MIDDLE), seen & (x > MIDDLE)]
    rest, moving = sorted(halves, key=lambda half: float(size[half].sum()))
    return float(length[rest].mean()), float(length[moving].mean())


def amplitude(answer: Answer) -> tuple[float, float]:
    """True and produced amplitude, pixels: root mean squares over where the truth is known, the
    produced one along the true motion."""
    made, size = measures.gain_sums(answer.flow, answer.truth, answer.known)
    cells = max(int(answer.known.sum()), 1)
    return float(np.sqrt(size / cells)), float(made / max(np.sqrt(size * cells), 1e-9))


def within_strongest(found: Sequence[Answer]) -> list[Answer]:
    """Return the answers of gain curves, each known only where its scene's strongest one moves."""
    kept = []
    for scene in sorted({answer.scene for answer in found}):
        own = [a for a in found if a.scene == scene and a.question.startswith("gain ")]
        strongest = next(a for a in own if a.question == f"gain {STRENGTHS[-1]:g}")
        region = np.logical_and.reduce([strongest.moving, *(a.known for a in own)])
        kept += [replace(a, known=region) for a in own]
    return kept


def whole_gain(answer: Answer) -> tuple[float, float]:
    """`gain` over all that is known, however little it moves."""
    return measures.gain_sums(answer.flow, answer.truth, answer.known)


def rows(found: Sequence[Answer]) -> list[Row]:
    """Return the table's rows."""

    def of(question: str) -> list[Answer]:
        return [a for a in found if a.question == question]

    curve = within_strongest(found)
    table = [
        row(curve, "gain curve", "slope", amplitude, slope, "0.9 to 1.1"),
        row(curve, "", "Pearson r", amplitude, correlation),
    ]
    for strength in STRENGTHS:
        level = [a for a in curve if a.question == f"gain {strength:g}"]
        true = float(np.mean([amplitude(a)[0] for a in level]))
        table.append(row(level, "", f"gain at {strength:g} ({true:.2f} px)", whole_gain))
    alone = of("one side")
    table += [
        row(alone, "one side alone", "side right, share", side_right, wanted="at least 0.98"),
        row(alone, "", "motion of the resting side over the moving", other_side),
        row(alone, "", "the same in truth", true_other_side),
        row(of("two units"), "two units at once", "gain, upper face", gain_above),
        row(of("two units"), "", "gain, lower face", gain_below),
    ]
    for question, title in (
        ("still", "still, noise and flicker"),
        ("head shake", "head shake, 3 times what steadying leaves"),
        ("odd form at rest", "face of odd form at rest"),
    ):
        table += [
            row(of(question), title, "mean motion, px", stirring, wanted="under 0.05"),
            row(of(question), "", "95 % of the face under, px", stirring_most),
        ]
    return table


def conditions(found: Sequence[Answer]) -> list[tuple[str, list[Row]]]:
    """Return for each condition that an expression is met under its title, and its rows of
    end-point error, cosine and gain."""
    titles = {f"gain {USUAL:g}": f"plain, strength {USUAL:g}", "odd form": "face of odd form"}
    for side in ("source", "character", "both"):
        titles[f"{side} turned"] = f"{side} turned by {TURN:g} degrees"
    titles |= {"grey character": "RGB source, grey character"}
    titles |= {"grey source": "grey source, RGB character"}
    titles |= {f"{style} character": f"{style} character" for style in STYLES}
    measured = {"end-point error / motion": error, "cosine": cosine, "gain": gain}
    listed = []
    for question, title in titles.items():
        asked = [a for a in found if a.question == question]
        listed.append((title, [row(asked, title, m, of) for m, of in measured.items()]))
    return listed


def as_markdown(found: Sequence[Answer]) -> str:
    """Return two Markdown tables: what is asked, and one expression under all conditions."""
    lines = ["| question | measure | value (95 %) | wanted |", "|---|---|---|---|"]
    lines += [f"| {r.question} | {r.measure} | {r.cell} | {r.wanted} |" for r in rows(found)]
    lines += ["", "| condition | end-point error / motion | cosine | gain |", "|---|---|---|---|"]
    lines += [
        f"| {title} | " + " | ".join(r.cell for r in each) + " |"
        for title, each in conditions(found)
    ]
    return "\n".join(lines) + "\n"
