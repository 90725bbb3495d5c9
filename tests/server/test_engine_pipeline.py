"""The pipeline from a clip to frames, with a stand-in for the network where it does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.clip import Clip
from microface.server.clips.face import find_face, misfit
from microface.server.clips.sampling import own_places, sample
from microface.server.clips.template import template_points
from microface.server.engine.pipeline import Cancelled, Generated, Retargeting, Second, retarget
from microface.server.engine.runtime import Animation, OnnxRuntime
from microface.server.protocol.regions import parse_mix
from microface.server.protocol.timing import parse_timing


class StandIn:
    """A network that sees an average face in every crop and hands the source's flow on."""

    hashes: Mapping[str, str] = {"encode.onnx": "0" * 64}
    batch, workers = 1, 2

    def encode(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        assert picture.shape == (256, 256, 3) and picture.dtype == np.uint8
        points = template_points()[None, :, :2] / 2.1
        points = points - points.mean(1)
        return {"points": points.astype(np.float32), "confidence": np.ones((1, 30), np.float32)}

    def prepare(self, source, character, picture) -> dict[str, object]:  # type: ignore[no-untyped-def]
        assert picture.shape == (256, 256, 3)
        return {}

    def animate(self, scene, frames, flows, strength) -> list[Animation]:  # type: ignore[no-untyped-def]
        assert all(frame.shape == (256, 256, 3) for frame in frames)
        return [self.moved(flow, strength) for flow in flows]

    def moved(self, flow: np.ndarray, strength: float) -> Animation:
        assert flow.shape == (64, 64, 2)
        backward = cv2.resize(-flow * strength, (256, 256), interpolation=cv2.INTER_CUBIC)
        nothing = np.zeros((256, 256), np.float32)
        edges = np.clip(np.hypot(backward[..., 0], backward[..., 1]), 0, 1)
        return Animation(
            backward,
            edges,
            np.zeros((256, 256, 3), np.float32),
            nothing,
            np.ones((64, 64), np.float32),
            np.full((64, 64), 0.1, np.float32),
        )


def picture(seed: int, width: int = 256, height: int = 256) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rough = rng.normal(0, 1, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), 1.5)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def clip_of(weights: list[float], fps: int = 100) -> Clip:
    rest = picture(1)
    own = own_places(256, 256)
    around = np.exp(-(((own - (150, 185)) / 16) ** 2).sum(-1))
    frames = [
        sample(rest, own - np.stack([w * around, -w * around], -1), cv2.INTER_CUBIC)
        for w in weights
    ]
    times = np.arange(len(frames)) / fps
    return Clip(frames, times, Fraction(fps), "made", "0" * 64)


WEIGHTS = [0.0, 0.0, 0.4, 1.2, 2.0, 1.6, 0.8, 0.2, 0.0, 0.0]


@pytest.fixture(scope="module")
def whole() -> tuple[Retargeting, list[Generated]]:
    work = retarget(picture(2, 300, 260), clip_of(WEIGHTS), 1.0, StandIn())
    return work, list(work)


def test_a_frame_for_every_frame(whole: tuple[Retargeting, list[Generated]]) -> None:
    work, frames = whole
    assert [f.index for f in frames] == list(range(10)) and len(work) == 10
    for frame in frames:
        assert frame.image.shape == (260, 300, 3) and frame.image.dtype == np.uint8
        assert frame.edge.shape == (260, 300) and frame.edge.dtype == np.uint8
        assert frame.flow.shape == (260, 300, 2) and frame.flow.dtype == np.float16
        assert 0 <= frame.confidence <= 1


def test_rest_is_the_neutral_bit_for_bit(whole: tuple[Retargeting, list[Generated]]) -> None:
    _, frames = whole
    assert np.array_equal(frames[0].image, picture(2, 300, 260))
    assert not frames[0].flow.any()
    assert not frames[0].edge.any()


def test_motion_arrives(whole: tuple[Retargeting, list[Generated]]) -> None:
    work, frames = whole
    scale = work.face.crop.side / work.source_face.crop.side
    peak = np.hypot(*frames[4].flow.astype(float).transpose(2, 0, 1)).max()
    assert peak == pytest.approx(2.0 * np.sqrt(2) * scale, rel=0.25)
    heights = [np.abs(f.flow.astype(float)).max() for f in frames]
    assert np.corrcoef(heights, WEIGHTS)[0, 1] > 0.98
    still = np.abs(frames[4].flow).max(-1) == 0
    assert still.mean() > 0.5
    assert np.array_equal(frames[4].image[still & (frames[4].edge == 0)].shape[1:], (3,))


def test_summary(whole: tuple[Retargeting, list[Generated]]) -> None:
    summary = whole[0].summary()
    assert summary["fps"] == "100/1"
    assert summary["apex"]["seconds"] == pytest.approx(0.0425, abs=0.006)
    assert summary["onset"]["seconds"] == pytest.approx(0.015, abs=0.008)
    assert summary["offset"]["seconds"] == pytest.approx(0.075, abs=0.01)
    assert summary["moments_from"] == "spotting"
    (note,) = summary["notes"]
    assert "2 faces are seen in the character's picture" in note  # the stand-in sees one anywhere
    assert set(summary["seconds"]) == {"align", "motion", "generate", "describe"}
    assert len(summary["times"]) == len(summary["profile"]) == len(summary["sure"]) == 10
    doubt = np.array(summary["doubt"])
    assert (
        doubt.shape == (32, 32) and doubt.min() < 0.2 and doubt.max() == pytest.approx(1, abs=0.1)
    )
    assert summary["look_at"] == [k for k, sure in enumerate(summary["sure"]) if sure < 0.4]


def test_strength_scales_motion() -> None:
    clip = clip_of([0.0, 2.0])
    peaks = []
    for strength in (0.25, 1.0):
        frames = list(retarget(picture(2), clip, strength, StandIn()))
        peaks.append(float(np.abs(frames[1].flow).max()))
    assert peaks[0] == pytest.approx(0.25 * peaks[1], rel=0.1)


@pytest.mark.parametrize("strength", [0.0, 0.01, 5.0, float("nan")])
def test_strength_out_of_range(strength: float) -> None:
    with pytest.raises(InputError, match="strength"):
        retarget(picture(2), clip_of([0.0, 1.0]), strength, StandIn())


def test_cancel_stops_between_frames() -> None:
    calls = iter([False] * 4 + [True])
    work = retarget(picture(2), clip_of(WEIGHTS), 1.0, StandIn(), cancelled=lambda: next(calls))
    frames = iter(work)
    next(frames), next(frames)
    with pytest.raises(Cancelled):
        next(frames)


@pytest.mark.parametrize(("batch", "workers"), [(1, 1), (1, 4), (4, 1)])
def test_frames_are_the_same_however_many_are_made_at_once(
    whole: tuple[Retargeting, list[Generated]], batch: int, workers: int
) -> None:
    network = StandIn()
    network.batch, network.workers = batch, workers
    frames = list(retarget(picture(2, 300, 260), clip_of(WEIGHTS), 1.0, network))
    for ours, theirs in zip(frames, whole[1], strict=True):
        assert ours.index == theirs.index and ours.confidence == theirs.confidence
        assert np.array_equal(ours.image, theirs.image)
        assert np.array_equal(ours.flow, theirs.flow)


def test_progress_counts() -> None:
    told: list[tuple[int, int]] = []
    list(
        retarget(
            picture(2),
            clip_of([0.0, 1.0, 0.0]),
            1.0,
            StandIn(),
            progress=lambda done, total: told.append((done, total)),
        )
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_misfit_knows_a_face() -> None:
    points = template_points()[:, :2] / 2.1
    distance, span = misfit(points)
    assert distance < 1e-6 and span == pytest.approx(1, abs=0.02)
    assert misfit(points * [1, -1])[0] > 0.5
    assert misfit(points @ np.array([[0, 1], [-1, 0]]))[0] > 0.5
    scattered = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    assert misfit(scattered)[0] > 0.5
    assert misfit(np.zeros((30, 2)))[0] > 0.5


def test_no_face_where_the_network_sees_none() -> None:
    class Blind(StandIn):
        def encode(self, picture: np.ndarray) -> dict[str, np.ndarray]:
            spots = np.random.default_rng(0).uniform(-1, 1, (1, 30, 2)).astype(np.float32)
            return {"points": spots, "confidence": np.ones((1, 30), np.float32)}

    for blank in (np.zeros((200, 300, 3), np.uint8), picture(5), picture(6, 640, 360)):
        with pytest.raises(InputError, match="no face"):
            find_face(blank, Blind().encode, "the picture")


class WithChart(StandIn):
    """The same, and it knows what each cell shows: a face seen from the front."""

    def encode(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        across, up = np.meshgrid(np.linspace(-8, 8, 64), np.linspace(6, -12, 64))
        chart = np.stack([across, up, 4 - 0.12 * across**2])[None] / 10
        return super().encode(picture) | {"chart": chart.astype(np.float32)}


def test_gains_change_their_side_alone() -> None:
    def moved(gains: dict[tuple[str, str], float]) -> np.ndarray:
        made = list(retarget(picture(2), clip_of(WEIGHTS), 1.0, WithChart(), gains=gains))
        return np.stack([g.flow.astype(np.float32) for g in made])

    plain = moved({})
    both = moved({(r, s): 0.5 for r in ("lips", "cheeks", "chin") for s in ("left", "right")})
    right = moved({(region, "right"): 0.0 for region in ("lips", "cheeks", "chin", "nose")})
    peak = np.abs(plain).max()
    assert 0.4 * peak < np.abs(both).max() < 0.75 * peak
    # The picture's right half is the subject's left.
    assert np.abs(right[:, :, :90]).max() < 0.1 * peak
    assert np.abs(right[:, :, 165:] - plain[:, :, 165:]).max() < 0.1 * peak


def flows_of(work: Retargeting) -> np.ndarray:
    return np.stack([made.flow.astype(np.float32) for made in work])


def test_a_clip_is_shown_at_other_times(whole: tuple[Retargeting, list[Generated]]) -> None:
    timing = parse_timing("duration=0.2, apex=0.13, fps=50")
    work = retarget(picture(2, 300, 260), clip_of(WEIGHTS), 1.0, StandIn(), timing=timing)
    heights = np.abs(flows_of(work)).max((1, 2, 3))
    plain = np.abs(np.stack([f.flow.astype(np.float32) for f in whole[1]])).max((1, 2, 3))
    summary = work.summary()
    assert summary["frames"] == len(work) == len(heights) == 11 and summary["fps"] == "50/1"
    assert summary["times"] == pytest.approx(np.arange(11) / 50)
    assert summary["apex"]["seconds"] == pytest.approx(0.13, abs=0.015)
    assert heights.max() == pytest.approx(plain.max(), rel=0.15)
    assert heights[0] == 0 and (np.diff(heights[:7]) >= 0).all()


def test_two_clips_become_one(whole: tuple[Retargeting, list[Generated]]) -> None:
    other = replace(clip_of([3 * weight for weight in WEIGHTS]), notes=("its rate varies",))
    work = retarget(
        picture(2, 300, 260),
        replace(clip_of(WEIGHTS), notes=("shown as sRGB",)),
        1.0,
        WithChart(),
        second=Second(other, parse_mix("left=0.5")),
    )
    made = np.abs(flows_of(work)).max((0, 1, 3))
    plain = np.abs(np.stack([f.flow.astype(np.float32) for f in whole[1]])).max((0, 1, 3))
    # The picture's right half is the subject's left.
    assert made[200:].max() == pytest.approx(2 * plain[200:].max(), rel=0.2)
    assert made[:100] == pytest.approx(plain[:100], abs=0.15)
    assert work.summary()["second"] == {"name": "made", "sha256": "0" * 64}
    assert work.summary()["notes"][-2:] == ["shown as sRGB", "the second clip: its rate varies"]


def notes_on(character: np.ndarray) -> list[str]:
    """Return what is told of a built-in clip's first frames on a character's picture."""
    clip = builtin_clip("brow-lower")
    short = replace(clip, frames=clip.frames[:2], times=clip.times[:2], truth={})
    work = retarget(character, short, 1.0, OnnxRuntime(threads=1))
    assert len(list(work)) == 2
    return list(work.summary()["notes"])


def test_it_tells_what_is_amiss_with_the_characters_picture() -> None:
    """Which of several faces moves, and that a face squeezed as one turned far is hardly one."""
    head = np.asarray(builtin_clip("brow-lower").frames[0])
    assert notes_on(head) == []
    both = np.full((360, 620, 3), 90, np.uint8)
    both[20:340, :320] = head
    both[70:310, 350:590] = cv2.resize(head, (240, 240), interpolation=cv2.INTER_AREA)
    (note,) = notes_on(both)
    assert note.startswith("2 faces are seen in the character's picture; the largest, about (1")
    narrow = np.full_like(head, 90)
    narrow[:, 64:256] = cv2.resize(head, (192, 320), interpolation=cv2.INTER_AREA)
    (note,) = notes_on(narrow)
    assert "hardly shows a face at rest from the front" in note


def test_steps_say_when_no_frame_is_ready_yet() -> None:
    told: list[tuple[int, int]] = []
    work = retarget(
        picture(2),
        clip_of([0.0, 1.0, 0.0]),
        1.0,
        StandIn(),
        timing=parse_timing("factor=2"),
        progress=lambda done, total: told.append((done, total)),
    )
    ready = [made is not None for made in work.steps()]
    assert ready == [False] * 3 + [True] * 5
    assert told[-1] == (8, 8) and all(done <= total for done, total in told)


def test_a_neutral_of_its_own() -> None:
    """A clip that never rests is measured from a picture of the same person at rest."""
    never = clip_of([2.0, 2.0, 2.0])
    rest = Clip([clip_of([0.0]).frames[0]], np.zeros(1), Fraction(1), "rest.png", "0" * 64)
    assert np.abs(flows_of(retarget(picture(2), never, 1.0, StandIn()))).max() < 0.5
    work = retarget(picture(2), never, 1.0, StandIn(), rest=rest)
    assert np.abs(flows_of(work)).max((1, 2, 3)).min() > 1.5
    assert work.summary()["neutral_frame"] is None


def test_it_tells_which_action_units_the_sources_show() -> None:
    brows, smile = builtin_clip("brow-lower"), builtin_clip("lip-corner-left")
    runtime = OnnxRuntime(threads=1)
    work = retarget(smile.frames[0], brows, 1.0, runtime, second=Second(smile, parse_mix("0.5")))
    assert len(list(work)) == len(work)
    units = {told["unit"]: told for told in work.summary()["units"]}
    assert {4, 12} <= set(units) and len(units) <= 3
    assert units[4]["side"] == "both" and units[12]["side"] == "left"
    assert all(units[unit]["confidence"] > 0.9 and units[unit]["peak"] > 0.05 for unit in (4, 12))
