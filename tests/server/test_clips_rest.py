"""A clip that never rests is measured from another one, and of several faces one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.commands import main
from microface.errors import InputError
from microface.server.clips.augmented.sources import library_sources
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.choose import place_among
from microface.server.clips.clip import Clip
from microface.server.clips.describe import describe
from microface.server.clips.face import FaceBox, find_faces
from microface.server.clips.library.consent import Consent
from microface.server.clips.library.library import ClipLibrary
from microface.server.clips.measure import Measured, measure
from microface.server.engine.pipeline import retarget
from microface.server.engine.runtime import OnnxRuntime
from microface.server.protocol.faces import FaceChoice, parse_face

#: Frames of a left smile in which it never falls below half of its height.
SMILING = range(19, 33, 2)


def part(frames: Sequence[int]) -> Clip:
    whole = builtin_clip("lip-corner-left")
    times = whole.times[list(frames)]
    return replace(whole, frames=[whole.frames[k] for k in frames], times=times - times[0])


def moved(frame: np.ndarray) -> np.ndarray:
    """Return a picture of another day: nearer, tilted, elsewhere, darker."""
    affine = cv2.getRotationMatrix2D((160, 160), 5, 1.2) + np.array([[0, 0, 70], [0, 0, 40]])
    picture = cv2.warpAffine(frame, affine, (460, 420), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture * 0.93, np.uint8)


def resting() -> Clip:
    clip = part(range(6))
    return replace(clip, frames=[moved(np.asarray(frame)) for frame in clip.frames])


@pytest.fixture(scope="module")
def runtime() -> OnnxRuntime:
    return OnnxRuntime(threads=1)


@pytest.fixture(scope="module")
def true(runtime: OnnxRuntime) -> Measured:
    """The smile measured from a frame of its own clip at rest, which comes first."""
    return measure(part([0, *SMILING]), runtime.encode)


def test_alone_it_shows_little(runtime: OnnxRuntime, true: Measured) -> None:
    clip = part(SMILING)
    alone = measure(clip, runtime.encode)
    assert not alone.start.neutral.apart
    (wanted,) = describe(true.flows, part([0, *SMILING]).times, true.trust)
    assert all(d.peak < wanted.peak / 3 for d in describe(alone.flows, clip.times, alone.trust))


@pytest.mark.parametrize("frames", [6, 1], ids=["clip", "picture"])
def test_another_clips_neutral_tells_all(runtime: OnnxRuntime, true: Measured, frames: int) -> None:
    clip, rest = part(SMILING), resting()
    rest = replace(rest, frames=rest.frames[:frames], times=rest.times[:frames])
    measured = measure(clip, runtime.encode, rest=rest)
    assert measured.start.neutral.apart
    away = np.asarray(measured.flows, float) - true.flows[1:]
    assert np.sqrt((away**2).sum(-1).mean()) < 0.06
    (unit,) = describe(measured.flows, clip.times, measured.trust)
    (wanted,) = describe(true.flows, part([0, *SMILING]).times, true.trust)
    assert (unit.unit, unit.side) == (12, "left")
    assert unit.peak == pytest.approx(wanted.peak, rel=0.06)


def test_a_neutral_without_a_face_is_refused(runtime: OnnxRuntime) -> None:
    grey = np.full((200, 200, 3), 90, np.uint8)
    with pytest.raises(InputError, match="neutral lip-corner-left"):
        rest = replace(resting(), frames=[grey], times=np.zeros(1), name="lip-corner-left")
        measure(part(SMILING), runtime.encode, rest=rest)


def write(folder: Path, frames: Sequence[np.ndarray]) -> Path:
    folder.mkdir()
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{index}.png"), np.asarray(frame)[..., ::-1])
    return folder


def test_the_commands_take_it_and_the_library_keeps_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write(tmp_path / "smiling", part(SMILING).frames)
    rest = write(tmp_path / "resting", resting().frames)
    given = [str(clip), "--fps", "50"]
    library = ["--library", str(tmp_path / "library")]
    assert main(["clip", "import", *library, *given]) == 0
    assert main(["clip", "import", *library, *given, "--neutral", str(rest)]) == 0
    assert "0 clips imported" in capsys.readouterr().out.splitlines()[1]
    with ClipLibrary(tmp_path / "library") as opened:
        (entry,) = opened.find()
    assert main(["clip", "describe", *library, entry.id[:8]]) == 0
    assert "AU12  lip corner puller  left" in capsys.readouterr().out
    absent = [*given, "--neutral", str(tmp_path / "absent.png")]
    assert main(["clip", "import", *library, *absent]) == 2
    assert "no neutral at" in capsys.readouterr().err


def two_faces() -> np.ndarray:
    head = np.asarray(builtin_clip("brow-lower").frames[0])
    both = np.full((360, 620, 3), 90, np.uint8)
    both[20:340, :320] = head
    both[70:310, 350:590] = cv2.resize(head, (240, 240), interpolation=cv2.INTER_AREA)
    return both


@pytest.fixture(scope="module")
def faces(runtime: OnnxRuntime) -> list[FaceBox]:
    return find_faces(two_faces(), runtime.encode)


@pytest.mark.parametrize(
    ("words", "x"),
    [("largest", 160), ("left", 160), ("right", 470), ("1", 160), ("2", 470), ("500,200", 470)],
)
def test_a_face_is_chosen_in_words(faces: list[FaceBox], words: str, x: float) -> None:
    assert place_among(parse_face(words), faces, "the clip")[0] == pytest.approx(x, abs=14)


@pytest.mark.parametrize(("words", "told"), [("3", "no face 3"), ("10,10", "no face at 10,10")])
def test_a_face_that_is_not_there_is_refused(faces: list[FaceBox], words: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        place_among(parse_face(words), faces, "the clip")


def test_words_for_a_face() -> None:
    assert parse_face("12.5,7") == FaceChoice(place=(12.5, 7))
    assert parse_face("right") == FaceChoice(order=-1)
    for wrong in ("middle", "1,2,3", "-1", "0", "", "nan,1", "9" * 50, "٢"):
        with pytest.raises(InputError, match="largest, left, right"):
            parse_face(wrong)


@pytest.mark.slow
def test_the_library_keeps_whose_face_is_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write(tmp_path / "two", [two_faces()] * 3)
    library = ["--library", str(tmp_path / "library")]
    given = ["clip", "import", *library, str(clip), "--fps", "100"]
    assert main([*given, "--subject", "ann"]) == 0
    for words in ("right", "2", "480,200"):  # the same face, and so the same entry
        assert main([*given, "--subject", "ben", "--face", words]) == 0
    assert main([*given, "--face", "3"]) == 2
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines() if "imported" in line] == list("11000")
    assert "no face 3 in the clip two" in err
    with ClipLibrary(tmp_path / "library") as opened:
        ann, ben = opened.find()
        assert (ann.face, ann.sha256) == (None, ben.sha256)
        assert ben.face == pytest.approx((470, 190), abs=14)
        opened.set_consent("", "ben", Consent("all", "", None, "0" * 64))
        (source,), _ = library_sources(opened, [ben])
    asked = parse_face(source.face)
    assert asked.place == ben.face
    assert main(["clip", "spot", *library, ben.id[:8]]) == 0
    assert "the one that was asked for, about (4" in capsys.readouterr().err
    # What is said at the command counts more; the library's measure is of its own face.
    assert main(["clip", "inspect", *library, ben.id[:8], "--face", "left", "--json"]) == 0
    assert "the one that was asked for, about (1" in capsys.readouterr().out
    (tmp_path / "library" / "index.sqlite").unlink()
    with ClipLibrary(tmp_path / "library") as opened:
        assert opened.find() == [ann, ben]
        assert opened.profile(ben) is None


def test_a_clip_is_retargeted_from_the_face_that_is_meant(runtime: OnnxRuntime) -> None:
    clip = replace(part(range(2)), frames=[two_faces()] * 2)
    neutral = np.asarray(builtin_clip("brow-lower").frames[0])
    work = retarget(neutral, clip, 1.0, runtime, face=parse_face("right"))
    assert work.summary()["faces"]["source"]["x"] == pytest.approx(470, abs=14)
    with pytest.raises(InputError, match="no face 3"):
        retarget(neutral, clip, 1.0, runtime, face=parse_face("3"))


@pytest.mark.slow
def test_the_commands_say_which_face_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write(tmp_path / "two", [two_faces()] * 3)
    given = [str(clip), "--fps", "100"]
    assert main(["clip", "spot", *given]) == 0
    assert "2 faces are seen; the largest, about (1" in capsys.readouterr().err
    assert main(["clip", "inspect", *given, "--face", "right", "--json"]) == 0
    assert "2 faces are seen; the one that was asked for, about (4" in capsys.readouterr().out
    assert main(["clip", "describe", *given, "--face", "3"]) == 2
    assert "no face 3" in capsys.readouterr().err
