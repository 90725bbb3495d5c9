"""A real actor's smile and brow lowering are found, and told rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
from microface.server.clips.describe import describe
from microface.server.clips.measure import measure
from microface.server.clips.read import read_clip
from microface.server.clips.spot import spot
from microface.server.engine.runtime import OnnxRuntime

pytestmark = pytest.mark.slow


def test_smile_between_blinks(shared: Path) -> None:
    clip = read_clip(shared / "clips" / "smile.mp4")
    measured = measure(clip, OnnxRuntime(threads=1).encode)
    found = spot(measured.flows, clip.times, measured.poses, measured.trust, measured.eyes)
    blinks = [s.apex for s in found if s.kind == "blink"]
    assert blinks == pytest.approx([5 / 24, 45 / 24], abs=0.05)
    smile = next(s for s in found if s.kind in ("micro", "macro"))
    assert smile.kind == "macro"
    assert {"lips", "nose"} == set(smile.regions[:2])
    assert not any(s.kind == "speech" for s in found)
    assert smile.onset == pytest.approx(0.1, abs=0.08)  # in a blink
    assert 0.5 < smile.apex < 1.0
    described = describe(measured.flows, clip.times, measured.trust, measured.poses)
    units = {d.unit: d.side for d in described}
    assert units[12] == units[6] == "both"
    # A smile is one before it has ended, too.
    begun = slice(0, 24)
    maps = (part[begun] for part in (measured.flows, clip.times, measured.trust, measured.poses))
    assert 12 in {d.unit for d in describe(*maps)}


def test_lowered_brows(shared: Path) -> None:
    clip = read_clip(shared / "clips" / "frown.mp4")
    measured = measure(clip, OnnxRuntime(threads=1).encode)
    found = spot(measured.flows, clip.times, measured.poses, measured.trust, measured.eyes)
    macro = next(s for s in found if s.kind == "macro")
    assert "brows" in macro.regions
    assert macro.apex < 1.75
    described = describe(measured.flows, clip.times, measured.trust, measured.poses)
    told = {d.unit: d for d in described}
    assert told[4].side == "both"
    assert "down" in told[4].evidence.direction
    # From 1.7 s on the head is turned, from 2.3 s a hand hides the mouth: neither bears witness.
    assert all(unit.times[unit.apex] < 1.75 for unit in described)
