"""The main job, from nothing, as a person runs it."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import resource
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

CLIP = "lip-corner-left"


def marked_processes(mark: str) -> list[psutil.Process]:
    """Processes that inherited the mark from the command."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("MICROFACE_TEST_MARK") == mark:
                found.append(process)
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo of a one-sided smile, small."""
    out = tmp_path_factory.mktemp("demo") / "out"
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", "microface", "demo", "--out", str(out)]
    outcome = subprocess.run(
        [*command, "--clip", f"builtin:{CLIP}", "--resolution", "192"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env=os.environ | {"MICROFACE_TEST_MARK": mark},
    )
    assert outcome.returncode == 0, outcome.stderr
    assert str(out / "report.html") in outcome.stdout
    assert not marked_processes(mark)
    return out


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_it_leaves_everything_it_names(demo: Path) -> None:
    for name in ("report.html", "ada.blend", "ada.csv", "preview.gif", "apex.png"):
        assert (demo / name).stat().st_size > 1000, name
    textures = sorted((demo / "ada_microface" / "texture").rglob("*.png"))
    edges = sorted((demo / "ada_microface" / "edges" / "screen").glob("*.png"))
    assert len(textures) == len(edges) == 50
    with Image.open(demo / "preview.gif") as preview:
        assert preview.n_frames == 50  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_weights_are_those_of_the_clip(demo: Path) -> None:
    with (demo / "ada.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    peaks = {name: max(abs(float(row[name])) for row in rows) for name in rows[0] if name != "time"}
    assert len(rows) == 50
    assert float(rows[1]["time"]) == pytest.approx(0.01)
    assert max(peaks, key=lambda name: peaks[name]) == "mouthSmileLeft"
    assert peaks["mouthSmileRight"] < 0.25 * peaks["mouthSmileLeft"]
    curve = np.array([float(row["mouthSmileLeft"]) for row in rows])
    assert abs(curve.argmax() - 25) <= 3


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_the_baked_render_is_nearer_than_a_static_copy(demo: Path) -> None:
    record = json.loads((demo / "figures.json").read_text())
    figures = record["figures"]
    assert figures["moving_psnr_baked"] > figures["moving_psnr_static"]
    assert figures["truth_correlation"] > 0.9
    assert set(record["hashes"]) >= {"clip"}


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_it_needs_less_than_4_gb(demo: Path) -> None:
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert kilobytes < 4 * 2**20
