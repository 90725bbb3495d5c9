"""Training pairs: what they hold, what they leave out, and that a seed decides everything."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from microface.models.heads.actor import make_actor, shaken
from microface.models.heads.expressions import added
from microface.models.heads.families import TEST_IDENTITIES_FROM, HeadModel, RenderHead, is_test
from microface.models.heads.keypoints import NAMES, face_unit, keypoints_from_landmarks
from microface.models.heads.packs import TEST_SKIN, load_ict, load_makehuman
from microface.models.heads.pairs import (
    HELD_OUT_DIRECTION,
    Pair,
    choose_heads,
    sample_scene,
)
from microface.models.heads.pulls import Pull, pulled
from microface.models.heads.scene import CROP_UNITS, Framing
from microface.models.heads.write import main, shard_path, write_shard


class _Named:
    """A family that only tells who was asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[int] = []

    def sample(self, identity: int) -> RenderHead:
        self.asked.append(identity)
        nothing = np.zeros((0, 3), np.float32)
        return RenderHead(
            self.name, identity, nothing, np.zeros((0, 3), np.int32), nothing,
            np.zeros((0, 3), np.int32), np.zeros(0, np.uint8), (), np.zeros(68, np.int32), (),
            nothing, nothing, nothing, nothing, np.zeros(0, np.bool_), nothing, {},
        )  # fmt: skip


@pytest.fixture(scope="module")
def families(shared: Path) -> list[HeadModel]:
    return [load_ict(shared / "heads"), load_makehuman(shared / "heads")]


@pytest.fixture(scope="module")
def scene(families: list[HeadModel]) -> list[Pair]:
    return sample_scene(np.random.default_rng(11), families, "train", frames=3)


def test_training_and_test_identities_never_meet() -> None:
    fakes = [_Named("ict"), _Named("makehuman"), _Named("procedural")]
    for split in ("train", "test"):
        for seed in range(200):
            choose_heads(np.random.default_rng(seed), fakes, split)  # type: ignore[arg-type]
    asked = [n for fake in fakes for n in fake.asked]
    assert len(asked) > 600
    train = {n for n in asked if not is_test(n)}
    test = {n for n in asked if is_test(n)}
    assert train and test and max(train) < TEST_IDENTITIES_FROM <= min(test)


def test_held_out_direction_is_for_tests_alone() -> None:
    fakes = [_Named("ict"), _Named("makehuman"), _Named("procedural")]
    met: dict[str, set[tuple[str, str]]] = {"train": set(), "test": set()}
    same = 0
    for split in ("train", "test"):
        for seed in range(300):
            source, character = choose_heads(np.random.default_rng(seed), fakes, split)  # type: ignore[arg-type]
            met[split].add((source.family, character.family))
            same += source is character
    assert HELD_OUT_DIRECTION not in met["train"]
    assert HELD_OUT_DIRECTION in met["test"]
    assert 0.18 < same / 600 < 0.32


def test_pair_has_the_agreed_shapes_and_types(scene: list[Pair]) -> None:
    pair = scene[0]
    shapes = {
        name: (getattr(pair, name).shape, getattr(pair, name).dtype) for name in Pair.arrays()
    }
    picture = ((256, 256, 3), np.uint8)
    for name in ("source_neutral", "source_frame", "character_neutral", "character_frame"):
        assert shapes[name] == picture
    assert shapes["source_flow"] == ((64, 64, 2), np.float32)
    assert shapes["source_moving"] == ((64, 64), np.float32)
    assert shapes["character_forward"] == ((256, 256, 2), np.float16)
    assert shapes["character_backward"] == ((256, 256, 2), np.float16)
    assert shapes["character_visible"] == ((256, 256), np.uint8)
    assert shapes["character_fixed"] == ((256, 256), np.uint8)
    for name in ("source_points", "source_motion", "character_points", "character_motion"):
        assert shapes[name] == ((30, 2), np.float32)


def test_face_is_framed_by_the_crop_convention(scene: list[Pair]) -> None:
    for points in (scene[0].source_points, scene[0].character_points):
        side = 256 / face_unit(points) / CROP_UNITS
        assert 0.84 < side < 1.26
        assert np.abs(points.mean(0) - 128).max() < 0.07 * 256


def test_same_seed_gives_the_same_pair(families: list[HeadModel], scene: list[Pair]) -> None:
    again = sample_scene(np.random.default_rng(11), families, "train", frames=3)
    for one, other in zip(scene, again, strict=True):
        assert one.weights == other.weights and one.identities == other.identities
        for name in Pair.arrays():
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def _miss(pair: Pair, scale: float, right: float = 0.0, down: float = 0.0) -> float:
    """How far the neutral, warped by its scaled and shifted flow, is from the frame."""
    import cv2

    rows, columns = np.indices((256, 256), np.float32)
    back = pair.character_backward.astype(np.float32)
    warped = cv2.remap(
        pair.character_neutral,
        columns + np.float32(scale) * back[..., 0] + np.float32(right),
        rows + np.float32(scale) * back[..., 1] + np.float32(down),
        cv2.INTER_CUBIC,
    )
    region = (np.linalg.norm(back, axis=-1) > 0.4) & (pair.character_visible == 1)
    return float(np.abs(warped.astype(float) - pair.character_frame)[region].mean())


def test_backward_flow_brings_the_neutral_to_the_frame(scene: list[Pair]) -> None:
    # Lips that roll in show what the neutral hides: no flow brings that.
    moving = [p for p in scene if np.abs(p.character_backward).max() > 0.5]
    moving = [p for p in moving if not any(name.startswith("mouthRoll") for name in p.weights)]
    assert moving
    for pair in moving:
        best = _miss(pair, 1)
        assert best < 0.7 * _miss(pair, 0)
        # Neither another scale nor a shift of a quarter of a pixel explains the picture better.
        assert best < min(_miss(pair, 0.7), _miss(pair, 1.3))
        for step in ((0.25, 0.0), (-0.25, 0.0), (0.0, 0.25), (0.0, -0.25)):
            assert best < _miss(pair, 1, *step)


def test_left_smile_moves_the_pictures_right_side_alone(families: list[HeadModel]) -> None:
    for family in families:
        head = family.sample(5)
        framing = Framing(yaw=0, pitch=0, roll=0)
        actor = make_actor(np.random.default_rng(0), head, framing, clean=True)
        acted = head.posed(added(actor.base, {"mouthSmileLeft": 0.3}))
        step = actor.points_of(acted) - actor.points
        left, right = NAMES.index("lip_corner_left"), NAMES.index("lip_corner_right")
        assert actor.points[left, 0] > actor.points[right, 0]
        assert np.linalg.norm(step[left]) > 1.5
        assert step[left, 0] > 0 and step[left, 1] < 0
        assert np.linalg.norm(step[right]) < 0.15 * np.linalg.norm(step[left])


def test_source_flow_is_the_expressions_alone(families: list[HeadModel]) -> None:
    # A pair without expression still shakes in its picture, but not in its flow.
    for seed in range(60):
        rng = np.random.default_rng([seed, 3])
        pair = sample_scene(rng, families, "train", frames=1)[0]
        if not pair.weights and not pair.character_motion.any():
            break
    assert not pair.weights
    assert np.abs(pair.source_flow).max() == 0
    assert np.abs(pair.source_motion).max() == 0
    assert not np.array_equal(pair.source_neutral, pair.source_frame)
    assert np.array_equal(pair.character_neutral, pair.character_frame)


def test_pull_is_the_same_on_every_head(families: list[HeadModel]) -> None:
    pull = Pull(start=48, end=54, share=0.0, reach=0.2, length=0.05, angle=0.0)
    for family in families:
        head = family.sample(8)
        moved = pulled(head.rest, head.soft, head.landmarks, (pull,))
        unit = face_unit(keypoints_from_landmarks(head.rest[head.landmarks])[:, :2])
        assert moved[head.landmarks[48]] == pytest.approx([0.05 * unit, 0, 0], rel=1e-3)
        assert np.linalg.norm(moved, axis=1).max() <= 0.05 * unit * 1.001
        assert not moved[head.landmarks[45]].any()
        eyes = np.unique(head.triangles[head.surface == 1])
        assert not moved[eyes[~head.soft[eyes]]].any()


def test_shake_is_small_and_rigid() -> None:
    import cv2

    rng = np.random.default_rng(4)
    light = np.zeros((512, 512, 4), np.float32)
    cv2.circle(light, (256, 256), 60, (1.0, 1.0, 1.0, 1.0), -1)
    centres = []
    for _ in range(20):
        moved = shaken(rng, light)[..., 3]
        rows, columns = np.indices(moved.shape)
        weight = moved.sum()
        centres.append([(columns * moved).sum() / weight, (rows * moved).sum() / weight])
        assert weight == pytest.approx(light[..., 3].sum(), rel=0.02)
    shifts = (np.array(centres) - 256) / 2
    assert 0.1 < np.abs(shifts).mean() < 1
    assert np.abs(shifts).max() <= 1.6


def test_amplitudes_agree_across_families(families: list[HeadModel]) -> None:
    lengths = []
    for family in families:
        head = family.sample(3)
        unit = face_unit(head.rest[head.landmarks][17:, :2])
        moved = head.posed({"browDownLeft": 1.0}) - head.rest
        lengths.append(np.linalg.norm(moved, axis=1).max() / unit)
    assert lengths[0] == pytest.approx(lengths[1], rel=0.3)


def test_held_out_skin_is_for_tests_alone(
    families: list[HeadModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    ict = families[0]
    used: list[str] = []
    images = ict._images  # type: ignore[attr-defined]
    whole = images.rgb

    def noted(name: str, scale: float = 0.5) -> object:
        used.append(name)
        return whole(name, scale)

    monkeypatch.setattr(images, "rgb", noted)
    for number in range(12):
        ict.sample(number)
    assert not any(TEST_SKIN + ".jpg" in name for name in used)
    used.clear()
    for number in range(12):
        ict.sample(TEST_IDENTITIES_FROM + number)
    assert any(TEST_SKIN + ".jpg" in name for name in used)


def test_shard_is_whole_and_written_once(
    families: list[HeadModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("microface.models.heads.write.PAIRS_PER_SHARD", 2)
    path = write_shard(tmp_path, 3, 7, families, "train", frames=2)
    assert path == shard_path(tmp_path, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["pairs-00003.npz"]
    with np.load(path) as stored:
        assert stored["source_neutral"].shape == (2, 256, 256, 3)
        meta = json.loads(str(stored["meta"]))
    assert len(meta) == 2
    assert set(meta[0]) == {"weights", "families", "identities"}


def test_shards_that_exist_are_left_alone(shared: Path, tmp_path: Path) -> None:
    shard_path(tmp_path, 0).write_bytes(b"kept")
    packs = str(shared / "heads")
    assert main(["--out", str(tmp_path), "--pairs", "64", "--packs", packs]) == 0
    assert shard_path(tmp_path, 0).read_bytes() == b"kept"


def test_missing_pack_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--out", str(tmp_path / "o"), "--pairs", "64", "--packs", str(tmp_path)])
    assert status == 2
    assert capsys.readouterr().err.count("\n") == 1
