"""The measures, each a plain function of arrays."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

#: True motion, pixels at 256, from which a pixel belongs to the moving region.
MOVING = 0.2
#: True motion, pixels, under which (for this far around, pixels) a pixel belongs to the still one.
STILL, STILL_AROUND = 0.05, 7
#: How far from what moves, pixels, hair and clothes are watched.
BESIDE = 12
#: Peak true motion, pixels, from which a pair counts as one with an expression.
EXPRESSIVE = 0.4
#: A truth is one-sided where the weaker side of the face has at most this share of the stronger
#: one's energy, off the middle by this much, decimetres.
ONE_SIDED, OFF_MIDDLE = 0.15, 0.05
#: Edge strength, of 1, that counts as an edge, and how far off, pixels, one may lie.
EDGE, EDGE_AROUND = 0.2, 1
#: How near an edge, pixels, errors count as errors at edges.
NEAR_EDGE = 3


def moving_region(flow: Floats, visible: Flags) -> Flags:
    """Return where the true `flow` (H, W, 2) moves and is known, (H, W)."""
    return np.asarray(np.linalg.norm(flow, axis=-1) > MOVING) & visible


def about(region: Flags, pixels: int) -> Flags:
    """Return `region` (H, W) and what lies within so many pixels of it, across and down."""
    side = 2 * pixels + 1
    wider = cv2.dilate(region.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray(wider > 0)


def still_region(flow: Floats) -> Flags:
    """Return where nothing truly moves, nor near it, (H, W)."""
    return ~about(np.linalg.norm(flow, axis=-1) > STILL, STILL_AROUND)


def swimming_sums(flow: Floats, truth: Floats, fixed: Flags) -> tuple[float, float]:
    """Return the summed motion, pixels, of what is `fixed` (H, W), hair and clothes, beside what
    truly moves, and how many pixels show it."""
    moves = np.linalg.norm(truth, axis=-1) > MOVING
    region = about(moves, BESIDE) & fixed & ~moves
    return float(np.linalg.norm(flow, axis=-1)[region].sum()), float(region.sum())


def endpoint_sums(flow: Floats, truth: Floats, region: Flags) -> tuple[float, float]:
    """Return the sums over `region` of end-point error and of true motion; their ratio is the
    relative error, 1 for a static copy."""
    error = np.linalg.norm(flow - truth, axis=-1)[region].sum()
    return float(error), float(np.linalg.norm(truth, axis=-1)[region].sum())


def near_edges(edges: Floats, region: Flags) -> Flags:
    """Return the part (H, W) of `region` within `NEAR_EDGE` pixels of an edge of `edges`."""
    return about(edges > EDGE, NEAR_EDGE) & region


def picture_sums(
    image: NDArray[np.uint8], truth: NDArray[np.uint8], region: Flags
) -> tuple[float, float]:
    """Return the sum of absolute differences (of 255) over `region`, and the number of values."""
    difference = np.abs(image.astype(np.float32) - truth.astype(np.float32))[region]
    return float(difference.sum()), float(difference.size)


def cosine_sums(flow: Floats, truth: Floats, region: Flags) -> tuple[float, float]:
    """Return the sum of the direction's cosine weighted by true motion, and of the weights."""
    size = np.linalg.norm(truth, axis=-1)[region]
    along = (flow * truth).sum(-1)[region] / np.maximum(np.linalg.norm(flow, axis=-1)[region], 1e-6)
    return float(along.sum()), float(size.sum())


def gain_sums(flow: Floats, truth: Floats, region: Flags) -> tuple[float, float]:
    """Return sums whose ratio is the amplitude produced along the true motion, over the true."""
    return float((flow * truth)[region].sum()), float((truth * truth)[region].sum())


def sided_sums(flow: Floats, truth: Floats, across: Floats, region: Flags) -> tuple[float, float]:
    """Return (1 or 0, 1) for whether `flow` moves the side that `truth` moves; (0, 0) where the
    truth is not one-sided.

    `across` (H, W) is the place from side to side of the face, 0 in its middle.
    """
    sides = [region & (across < -OFF_MIDDLE), region & (across > OFF_MIDDLE)]
    true, made = ([float(np.square(x)[side].sum()) for side in sides] for x in (truth, flow))
    if max(true) * ONE_SIDED < min(true) or max(true) == 0:
        return 0.0, 0.0
    return float(made[0] != made[1] and (made[0] > made[1]) == (true[0] > true[1])), 1.0


def psnr_sums(
    image: NDArray[np.uint8], truth: NDArray[np.uint8], region: Flags
) -> tuple[float, float]:
    """Return the sum of squared errors (of 1) over `region`, and the number of values."""
    difference = (image.astype(np.float32) - truth.astype(np.float32))[region] / 255
    return float(np.square(difference).sum()), float(difference.size)


def psnr(mean_square: float) -> float:
    """Return decibels for a mean squared error of values of 1; at most 99."""
    return float(min(99.0, -10 * np.log10(max(mean_square, 1e-10))))


def similarity_map(image: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Floats:
    """Return the structural similarity of each pixel (H, W) of two RGB pictures' luminance.

    Wang et al., IEEE TIP 13(4), 2004: Gaussian window of 1.5 pixels, K1 0.01, K2 0.03.
    """
    a, b = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255 for x in (image, truth))

    def blur(x: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), dtype=np.float32)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    cov = blur(a * b) - mean_a * mean_b
    first, second = 0.01**2, 0.03**2
    above = (2 * mean_a * mean_b + first) * (2 * cov + second)
    return np.asarray(above / ((mean_a**2 + mean_b**2 + first) * (var_a + var_b + second)))


def edge_counts(found: Floats, truth: Floats) -> tuple[float, float, float, float]:
    """Return hits among found edges, found edges, hits among true edges, true edges (pixels)."""
    ours, theirs = found > EDGE, truth > EDGE
    near_ours, near_theirs = (about(x, EDGE_AROUND) for x in (ours, theirs))
    return (
        float((ours & near_theirs).sum()),
        float(ours.sum()),
        float((theirs & near_ours).sum()),
        float(theirs.sum()),
    )


def f_score(counts: Sequence[float]) -> float:
    """Return the harmonic mean of precision and recall of summed `edge_counts`."""
    precision = counts[0] / max(counts[1], 1.0)
    recall = counts[2] / max(counts[3], 1.0)
    return 2 * precision * recall / max(precision + recall, 1e-9)


def drawn_sums(
    values: Floats, groups: Sequence[object], draws: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums (C,) of `values` (P, C), and of each draw (draws, C) of whole groups.

    Whole groups (identities) are drawn again with replacement, because their pairs go together.
    """
    names = sorted({str(g) for g in groups})
    where = {name: i for i, name in enumerate(names)}
    sums = np.zeros((len(names), values.shape[1]), np.float64)
    np.add.at(sums, [where[str(g)] for g in groups], values.astype(np.float64))
    rng = np.random.default_rng(seed)
    return sums.sum(0), sums[rng.integers(0, len(names), (draws, len(names)))].sum(1)


def bootstrap(
    values: Floats, groups: Sequence[object], draws: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """Return the pooled ratio of columns (P, 2) `values`, and its 95 % interval."""
    whole, drawn = drawn_sums(values, groups, draws, seed)
    ratios = drawn[:, 0] / np.maximum(drawn[:, 1], 1e-9)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(whole[0] / max(whole[1], 1e-9)), float(low), float(high)


def bootstrap_change(
    before: Floats, after: Floats, groups: Sequence[object], draws: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """Return by how much the pooled ratio of `after` (P, 2) is above that of `before`, of the same
    pairs, and the 95 % interval of that."""
    whole, drawn = drawn_sums(np.concatenate((before, after), axis=1), groups, draws, seed)

    def change(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        floor = np.maximum(sums, 1e-9)
        return np.asarray(sums[..., 2] / floor[..., 3] - sums[..., 0] / floor[..., 1])

    low, high = np.percentile(change(drawn), [2.5, 97.5])
    return float(change(whole)), float(low), float(high)
