"""Figures against closed forms."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from microface.report.bake import ShownBake, bake_page, figures, picture_rows
from microface.report.figures import agreement, motion_profile, psnr
from microface.report.page import render_page

TIMES = np.linspace(0, 0.3, 31)
BUMP = np.sin(np.pi * TIMES / 0.3) ** 2


def test_psnr_of_a_known_error() -> None:
    first = np.full((4, 4, 3), 100, np.uint8)
    where = np.ones((4, 4), bool)
    assert psnr(first, first + 5, where) == pytest.approx(20 * np.log10(255 / 5))
    assert psnr(first, first, where) == np.inf
    assert np.isnan(psnr(first, first, ~where))


def test_agreement_measures_gain_apex_and_leak() -> None:
    late = np.sin(np.pi * np.clip(TIMES - 0.02, 0, 0.3) / 0.3) ** 2
    solved = {"browDownLeft": 0.8 * 0.3 * BUMP, "jawOpen": 0.06 * BUMP}
    found = agreement(TIMES, solved, {"browDownLeft": 0.3 * BUMP, "eyeBlinkLeft": 0 * BUMP})
    assert found is not None
    assert found.gain == pytest.approx(0.8)
    assert found.correlation == pytest.approx(1.0)
    assert found.inactive_share == pytest.approx(0.25)
    assert found.apex_seconds == 0.0
    delayed = agreement(TIMES, {"a": late}, {"a": BUMP})
    assert delayed is not None and delayed.apex_seconds == pytest.approx(0.02)


def test_no_agreement_without_common_keys() -> None:
    assert agreement(TIMES, {"a": BUMP}, {"b": BUMP}) is None


def test_profile_is_the_mean_over_what_moves() -> None:
    motion = np.zeros((3, 8, 8, 2), np.float16)
    motion[1, :4, :, 0] = 2.0
    np.testing.assert_allclose(motion_profile(motion), [0, 2, 0])
    assert not motion_profile(motion * 0).any()


def test_report_of_a_perfect_bake() -> None:
    generator = np.random.default_rng(1)
    frames = generator.integers(0, 255, (31, 32, 32, 3), dtype=np.uint8)
    motion = np.zeros((31, 32, 32, 2), np.float16)
    motion[:, 8:16, 8:16, 1] = BUMP[:, None, None]
    shown = ShownBake(
        title="Ada",
        lead="brow-lower",
        source=frames,
        neutral=frames[0],
        generated=frames,
        edges=frames[..., 0],
        baked=frames,
        motion=motion,
        times=TIMES,
        weights={"browDownLeft": BUMP},
        truth={"browDownLeft": BUMP},
        marks={"onset": 0.0, "apex": 0.15, "offset": 0.3},
        timings={"generate": 1.25},
        hashes={"clip": "a" * 64},
    )
    found = figures(shown)
    assert found["moving_psnr_baked"] == np.inf
    assert found["truth_rmse"] == 0.0
    rows = picture_rows(shown)
    assert len(rows) == 31
    page = render_page(bake_page(shown, rows))
    for word in ("weight RMSE", "apex", "1.25 s", "browDownLeft", "static copy"):
        assert word in page


def test_a_plot_says_nothing_on_the_terminal(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.touch()  # no folder: matplotlib can keep nothing
    code = "from microface.report import plots; plots.plot_profile([0, 1], [0, 1], {})"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MPLCONFIGDIR": str(nowhere), "HOME": str(nowhere)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout + run.stderr == ""
