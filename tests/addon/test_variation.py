"""What may be changed about a clip: from the panel and the API to what the server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from microface import register, unregister
from microface.addon import api
from microface.addon.interface.desk import desk
from microface.addon.interface.variation import asked_of
from microface.errors import InputError


@pytest.fixture
def settings() -> Iterator[Any]:
    register()
    yield bpy.context.scene.microface
    unregister()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path / "lift"
    folder.mkdir()
    for index in range(4):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((64, 64, 3), 40 * index, np.uint8))
    return folder


def test_untouched_settings_ask_for_the_clip_alone(settings: Any) -> None:
    asked = asked_of(settings)
    assert asked == api.Performance("builtin:brow-lower")


def test_settings_become_words(settings: Any, tmp_path: Path) -> None:
    change = settings.variation
    change.brows, change.right = 2.0, 0.0
    change.stretch, change.apex = 0.5, 0.12
    change.neutral, change.neutral_frame = "FRAME", 7
    change.use_second, change.part, change.share = True, "UPPER", 0.25
    asked = asked_of(settings)
    assert asked.gains == "brows=2, right=0" and asked.timing == "factor=0.5, apex=0.12"
    assert asked.rest == 7 and asked.second == "builtin:lip-corner-left"
    assert asked.mix == "brows=0.25, lids=0.25" and asked.align == "moments"
    change.second_source, change.second_path = "FILE", str(tmp_path / "absent.mp4")
    with pytest.raises(InputError, match="absent"):
        asked_of(settings)


def test_the_operator_asks_what_the_api_asks(
    settings: Any, mask: Any, clip: Path, lifting_server: str
) -> None:
    by_api = api.generate(
        mask, clip, Fraction(100), server=lifting_server, resolution=128,
        gains="lips=2", timing="factor=2", rest=1, second=clip, second_fps=Fraction(50), mix="0.5",
        face="right", spectacles="move",
    )  # fmt: skip
    assert by_api.times == pytest.approx(np.arange(4) / 50) and by_api.fps == 50
    settings.character, settings.server = mask, lifting_server
    settings.clip_source, settings.clip_path, settings.clip_fps = "FILE", str(clip), "100"
    settings.resolution = 128
    change = settings.variation
    change.lips, change.stretch = 2.0, 2.0
    change.neutral, change.neutral_frame = "FRAME", 1
    change.use_second, change.second_source = True, "FILE"
    change.second_path, change.second_fps = str(clip), "50"
    change.face, change.spectacles = "right", "move"
    assert bpy.ops.microface.generate() == {"FINISHED"}
    by_operator = desk().done[mask.name].result()
    asked = by_operator.result["asked"]
    assert asked == by_api.result["asked"] and asked["neutral_frame"] == 1
    assert asked["face"] == "right" and asked["spectacles"] == "move"
    assert np.array_equal(by_operator.times, by_api.times)


def test_what_makes_no_sense_is_refused_before_anything_is_rendered(mask: Any, clip: Path) -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {"strength": 0.0}, {"timing": "apex=soon"}, {"gains": "ears=1"}, {"mix": "2"},
        {"face": "middle"}, {"spectacles": "off"},
    )  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(InputError):
            api.generate(mask, clip, Fraction(100), server="tcp://127.0.0.1:9", **wrong)
