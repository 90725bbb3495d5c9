"""The neutral of a long clip is of where the face rests, and of a frame that shows it."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.models.evaluation.hard_scenes import doing
from microface.models.heads.scene import composed
from microface.models.heads.sensor import expose
from microface.server.clips.face import Encode, find_face
from microface.server.clips.measure import TRIMMED_SECONDS, first_face, neutral_and_face
from microface.server.engine.runtime import OnnxRuntime

from .filmed_head import actor
from .test_clips_steady import textured

FPS = 6
#: What the face does in a film of 7 s: it talks, smiles, shuts its eyes, rests, smiles again.
ACTS = (
    "jaw smile jaw lips " * 3 + "smile " * 10 + "shut " * 6 + "rest " * 5 + "smile " * 9
).split()
UNITS = {"rest": (), "jaw": ("AU26",), "smile": ("AU12",), "shut": ("AU45",), "lips": ("AU18",)}


@cache
def light(act: str) -> np.ndarray:
    who = actor(0.008)
    drawn = who.acted(who.played(doing(UNITS[act], 0.9), ())) if UNITS[act] else who.neutral
    return composed(drawn.light, who.background)


@pytest.fixture(scope="module")
def encode() -> Encode:
    return OnnxRuntime(threads=1).encode


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [expose(actor(0.008).sensor, light(act), rng, first=True) for act in ACTS]


def chosen(frames: list[np.ndarray], fps: float, encode: Encode) -> int:
    first, face = first_face(frames, encode, "the film")
    return neutral_and_face(frames, np.arange(len(frames)) / fps, encode, first, face)[0].frame


def test_the_neutral_is_of_where_the_face_rests(film: list[np.ndarray], encode: Encode) -> None:
    """Not of the stillest expression, nor of what the face does most of the time."""
    assert len(film) / FPS > TRIMMED_SECONDS
    assert ACTS[chosen(film, FPS, encode)] == "rest"


def test_a_short_clip_was_cut_to_begin_at_rest(film: list[np.ndarray], encode: Encode) -> None:
    assert chosen(film[12:], 4 * FPS, encode) == 0


def test_a_face_that_comes_late_is_found(film: list[np.ndarray], encode: Encode) -> None:
    """Both in a long clip, most of which shows something still, and in a short one."""
    other = [textured(5)] * 24
    found = chosen([*other, *film], FPS, encode)
    assert found >= 24
    assert ACTS[found - 24] == "rest"
    rests = film[28:33]
    assert chosen([*other[:4], *rests], 4 * FPS, encode) in range(4, 7)


def test_faces_that_are_too_small_are_told(film: list[np.ndarray], encode: Encode) -> None:
    scene = np.full((480, 640, 3), 120, np.uint8)
    scene[200:236, 300:336] = cv2.resize(film[30], (36, 36), interpolation=cv2.INTER_AREA)
    with pytest.raises(InputError, match=r"too small, some [34]\d pixels wide") as raised:
        find_face(scene, encode, "the clip")
    assert "at least 60 pixels" in str(raised.value.remedy)
