"""The measures against closed forms, and the table whole on made-up pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from microface.models.evaluation import measures, methods
from microface.models.evaluation.reliability import Reliability
from microface.models.evaluation.run import Measured, Sums
from microface.models.evaluation.table import as_json, as_markdown
from numpy.typing import NDArray


def flow(amount: float = 1.0) -> NDArray[np.float32]:
    field = np.zeros((64, 64, 2), np.float32)
    field[20:40, 20:40, 0] = amount
    return field


def test_a_static_copy_s_error_ratio_is_one_and_half_the_motion_s_a_half() -> None:
    region = measures.moving_region(flow(), np.ones((64, 64), bool))
    assert region.sum() == 400
    error, motion = measures.endpoint_sums(flow(0.0), flow(), region)
    assert error / motion == pytest.approx(1.0)
    error, motion = measures.endpoint_sums(flow(0.5), flow(), region)
    assert error / motion == pytest.approx(0.5)
    along, whole = measures.gain_sums(flow(0.5), flow(), region)
    assert along / whole == pytest.approx(0.5)
    cosine, weight = measures.cosine_sums(flow(-0.5), flow(), region)
    assert cosine / weight == pytest.approx(-1.0)


def test_the_side_that_moves_is_told_where_the_truth_has_one() -> None:
    across = np.tile(np.linspace(-1, 1, 64, dtype=np.float32), (64, 1))
    everywhere = np.ones((64, 64), bool)
    one = flow() * (across < 0)[..., None]
    assert measures.sided_sums(one * 0.3, one, across, everywhere) == (1.0, 1.0)
    assert measures.sided_sums(one[:, ::-1], one, across, everywhere) == (0.0, 1.0)
    assert measures.sided_sums(one * 0, one, across, everywhere) == (0.0, 1.0)
    both = one + one[:, ::-1]
    assert measures.sided_sums(one, both, across, everywhere) == (0.0, 0.0)


def test_the_still_region_keeps_away_from_what_moves() -> None:
    still = measures.still_region(flow())
    assert not still[14:46, 14:46].any()
    assert still[:12].all()


def test_hair_swims_where_it_moves_beside_what_moves() -> None:
    hair = np.zeros((64, 64), bool)
    hair[:, 36:60] = True
    swept = np.zeros((64, 64, 2), np.float32)
    swept[20:40, 40:60, 1] = 0.5
    moved, pixels = measures.swimming_sums(swept, flow(), hair)
    # 12 pixels about the square, but for the square itself.
    assert pixels == 44 * 16 - 20 * 4
    assert moved == pytest.approx(0.5 * 20 * 12)
    assert measures.swimming_sums(flow(), flow(), hair)[0] == 0


def test_psnr_and_similarity_of_known_pictures() -> None:
    image = np.full((64, 64, 3), 100, np.uint8)
    everywhere = np.ones((64, 64), bool)
    squares, count = measures.psnr_sums(image, np.full_like(image, 110), everywhere)
    assert measures.psnr(squares / count) == pytest.approx(-20 * math.log10(10 / 255), abs=1e-3)
    assert measures.psnr(0.0) == 99.0
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    assert measures.similarity_map(noise, noise).mean() == pytest.approx(1.0, abs=1e-4)
    assert measures.similarity_map(noise, noise[::-1].copy()).mean() < 0.2


def test_edges_a_pixel_off_count_and_others_do_not() -> None:
    truth = np.zeros((32, 32), np.float32)
    truth[:, 10] = 1
    near, far = np.roll(truth, 1, axis=1), np.roll(truth, 5, axis=1)
    assert measures.f_score(measures.edge_counts(near, truth)) == pytest.approx(1.0)
    assert measures.f_score(measures.edge_counts(far, truth)) == 0.0


def test_the_interval_covers_the_ratio_and_narrows_with_groups() -> None:
    rng = np.random.default_rng(1)
    values = np.stack((rng.normal(0.5, 0.2, 400), np.ones(400)), -1).astype(np.float32)
    few = measures.bootstrap(values, [i % 5 for i in range(400)])
    many = measures.bootstrap(values, list(range(400)))
    for whole, low, high in (few, many):
        assert low < whole < high and whole == pytest.approx(0.5, abs=0.03)


def test_the_table_names_every_method_and_says_when_there_is_nothing_to_say() -> None:
    sums = {}
    for name in methods.METHODS:
        one = Sums()
        for column in (
            "claimed",
            "carried",
            "carried_shown",
            "carried_cosine",
            "carried_gain",
            "side",
            "measured",
            "cosine",
            "gain",
            "shown_gain",
            "leak",
            "swim",
            "still",
        ):
            getattr(one, column).extend([(1.0, 2.0), (3.0, 4.0)])
        one.moving.extend([(1.0, 100.0)] * 2)
        one.similarity.extend([(1.0, 2.0)] * 2)
        one.rest.extend([(0.0, 1.0)] * 2)
        one.edges.extend([(1.0, 2.0, 1.0, 2.0)] * 2)
        sums[name] = one
    pairs = Measured(sums, ["a", "b"], [True, True], [True, True], [0.5, 2.0])
    report = as_json(pairs, {"parameters": 1})
    text = as_markdown(report)
    assert "| static copy | classical | served flow | ours | true frame |" in text
    assert "0.667" in text and "–" in text


def test_doubt_that_is_right_is_calibrated_and_half_of_it_is_not() -> None:
    rng = np.random.default_rng(2)
    doubt = rng.uniform(0.02, 2.5, (64, 64)).astype(np.float32)
    # A Laplace distribution in the plane: the length is a gamma variable of two, of mean 2 b.
    size, angle = rng.gamma(2, doubt / 2), rng.uniform(0, 2 * np.pi, doubt.shape)
    off = np.stack((size * np.cos(angle), size * np.sin(angle)), -1).astype(np.float32)
    everywhere = np.ones(doubt.shape, bool)
    right, half = Reliability(), Reliability()
    for each, claimed in ((right, doubt), (half, doubt / 2)):
        each.add(claimed, off, np.zeros_like(off), everywhere)
    assert right.off < 0.06
    assert half.off == pytest.approx(0.5, abs=0.05)
    assert len(right.rows()) == 7
    assert "| error expected, px |" in right.table()
