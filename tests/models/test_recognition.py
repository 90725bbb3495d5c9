"""Units by column, windows on the face, the recogniser's symmetry, and how namings are scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from microface.errors import InputError
from microface.models.eam import grid
from microface.models.eam.network import Eam
from microface.models.evaluation.agreement import SOURCE, Watch, agreed, agreement, meaning
from microface.models.evaluation.command import WEIGHTS
from microface.models.evaluation.methods import Pairs, Result, static_copy
from microface.models.evaluation.run import measure
from microface.models.export import load_weights
from microface.models.heads.chart import REFERENCE
from microface.models.heads.expressions import added, expression_weights
from microface.models.heads.keypoints import MIRROR as POINT_MIRROR
from microface.models.heads.keypoints import keypoints_from_landmarks
from microface.models.recognition.network import Recogniser, load_recogniser, save_recogniser
from microface.models.recognition.recognise import Recognised, find_points, read, seen
from microface.models.recognition.regions import PARTNER, WINDOWS, strain, windows
from microface.models.recognition.scores import scores
from microface.models.recognition.units import COLUMNS, MIRROR, Column, amounts_of
from microface.models.recognition.variety import halved
from microface.models.training.data import Shards
from microface.server.clips.builtin import drawn

from .shards import write_shard

UNIT = 60.0  # pixels


def face(turn: float = 0.0) -> torch.Tensor:
    """Keypoints (1, 30, 2) in [-1, 1] of an average face in the middle, turned by degrees."""
    marks = keypoints_from_landmarks(REFERENCE)[:, :2] * np.float32((1, -1))
    marks -= marks.mean(0)
    marks *= UNIT / np.sqrt((marks**2).sum(1).mean())
    angle = np.radians(turn)
    cos, sin = np.cos(angle), np.sin(angle)
    pixels = marks @ np.array([[cos, sin], [-sin, cos]], np.float32) + 127.5
    return grid.to_normalised(torch.from_numpy(pixels.astype(np.float32)))[None]


def bump(points: torch.Tensor, keypoint: int, by: tuple[float, float]) -> torch.Tensor:
    """A flow (1, 2, 64, 64) that moves the skin about a keypoint by so many pixels."""
    there = grid.gaussians(points[:, keypoint : keypoint + 1], 64, 0.25)
    return there * torch.tensor(by)[None, :, None, None]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_amounts_are_those_that_made_the_expression(column: Column) -> None:
    names = {("AU30", "left"): "AU30L", ("AU30", "right"): "AU30R"}
    names |= {("mouth", side): f"mouth-{side}" for side in ("left", "right")}
    unit = names.get((column.unit, column.side), column.unit)
    weights = expression_weights(
        unit, 0.3 * (column.side != "right"), 0.3 * (column.side != "left")
    )
    wanted = np.zeros(len(COLUMNS), np.float32)
    wanted[COLUMNS.index(column)] = 0.3
    assert amounts_of(weights) == pytest.approx(wanted, abs=1e-4)


def test_units_that_share_a_shape_are_told_apart() -> None:
    # Both lower the brow; only one wrinkles the nose.
    weights = added(expression_weights("AU9", 0.5, 0.5), expression_weights("AU4", 0.2, 0.2))
    found = dict(zip(map(str, COLUMNS), amounts_of(weights), strict=True))
    assert found["AU9 left"] == pytest.approx(0.5, abs=1e-3)
    assert found["AU4 right"] == pytest.approx(0.2, abs=1e-3)
    assert amounts_of({"eyeLookUpLeft": 1.0}).sum() == 0


def test_a_mirrored_picture_is_the_same_windows_in_another_order() -> None:
    points = face(4.0)
    flow = bump(points, 19, (-2.0, -1.0)) + bump(points, 24, (1.0, 0.5))
    flipped = flow.flip(-1) * torch.tensor([-1.0, 1.0])[None, :, None, None]
    mirrored = points[:, list(POINT_MIRROR)] * torch.tensor([-1.0, 1.0])
    one, other = windows(flow, points), windows(flipped, mirrored)
    assert one.abs().max() > 1 / UNIT
    assert torch.allclose(one, other[:, PARTNER], atol=2e-3 / UNIT)


def test_windows_turn_with_the_head_and_measure_in_face_units() -> None:
    still = torch.zeros(1, 2, 64, 64)
    shifted = still + torch.tensor([3.0, 0.0])[None, :, None, None]
    found = windows(shifted, face())
    right, left = found[0, : len(WINDOWS) // 2], found[0, len(WINDOWS) // 2 :]
    assert right[:, 0].numpy() == pytest.approx(3 / UNIT, abs=1e-4)
    assert left[:, 0].numpy() == pytest.approx(-3 / UNIT, abs=1e-4)
    assert strain(found).abs().max() < 1e-3
    # The picture's right is an upright face's up, once the head lies on its right ear.
    turned = windows(shifted, face(90.0))[0]
    assert turned[:, 1].numpy() == pytest.approx(-3 / UNIT, abs=1e-4)


def test_reading_a_mirrored_face_is_reading_the_face_mirrored() -> None:
    torch.manual_seed(0)
    network = Recogniser().eval()
    motions = 0.05 * torch.randn(3, len(WINDOWS), 2, 8, 8)
    one, other = network.recognise(motions), network.recognise(motions[:, PARTNER])
    assert torch.allclose(one.chance, other.chance[:, MIRROR], atol=1e-5)
    assert torch.allclose(one.amount, other.amount[:, MIRROR], atol=1e-5)


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    network = Recogniser().eval()
    save_recogniser(network, tmp_path / "r.safetensors")
    again = load_recogniser(tmp_path / "r.safetensors")
    motions = 0.05 * torch.randn(2, len(WINDOWS), 2, 8, 8)
    assert torch.equal(network(motions)[0], again(motions)[0])
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    for name in ("missing", "bad"):
        with pytest.raises(InputError, match=f"{name}.safetensors"):
            load_recogniser(tmp_path / f"{name}.safetensors")


def rows(*named: dict[str, float]) -> np.ndarray:
    """Amounts (N, COLUMNS) by column's name."""
    return np.array([[one.get(str(c), 0.0) for c in COLUMNS] for one in named], np.float32)


def test_half_a_face_keeps_its_own_motion_and_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microface.models.recognition.variety.HALVED", 1.0)
    amounts = torch.from_numpy(
        rows(*[{"AU12 left": 0.3, "AU12 right": 0.2}] * 8, {"AU12 left": 0.3, "AU17": 0.2})
    )
    flow = torch.ones(9, 2, 64, 64)
    moved, kept = halved(flow, face().expand(9, -1, -1), amounts, torch.Generator().manual_seed(0))
    names = [str(column) for column in COLUMNS]
    left, right = (kept[:8, names.index(f"AU12 {side}")] > 0 for side in ("left", "right"))
    assert (left ^ right).all() and left.any() and right.any()
    # The subject's left is to the right of the picture.
    for one, is_left in zip(moved, left, strict=False):
        near, far = (one[..., 48:], one[..., :16]) if is_left else (one[..., :16], one[..., 48:])
        assert near.min() > 0.99 and far.max() < 0.01
    # What moves the middle of the mouth is not halved.
    assert torch.equal(moved[8], flow[8]) and torch.equal(kept[8], amounts[8])


def test_scores_against_closed_forms() -> None:
    truth = rows({"AU12 left": 0.4}, {"AU4 left": 0.2, "AU4 right": 0.2}, {}, {"AU17": 0.03})
    found = rows({"AU12 left": 0.2}, {"AU4 left": 0.1}, {"AU1 left": 0.1}, {"AU17": 0.2})
    table = scores(found > 0, found, truth, ["a", "b", "c", "d"])
    # Two units hit, one made up, and a trace that counts neither way.
    assert table["f1"][0] == pytest.approx(2 * 2 / (2 * 2 + 1))
    assert table["f1 by side"][0] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert table["side"][0] == 0.5
    assert table["side, one-sided"][0] == 1.0
    assert table["gain"][0] == pytest.approx((0.08 + 0.02) / (0.16 + 0.04 + 0.04))
    assert table["named at rest"][0] == 1.0
    low, high = table["f1"][1:]
    assert 0 <= low < table["f1"][0] < high <= 1


def test_a_clip_agrees_with_itself_and_not_with_its_mirrored_self() -> None:
    amount = rows({"AU12 left": 0.4}, {"AU2 right": 0.3}, {"AU15 left": 0.2}, {})
    said = Recognised(amount, amount > 0, amount)
    mirrored = Recognised(*(x[:, list(MIRROR)] for x in (amount, amount > 0, amount)))
    same, other = agreed(said, said, range(4)), agreed(said, mirrored, range(4))
    assert same["f1 by side"][0] == same["side"][0] == 1
    assert same["intensity r"][0] == pytest.approx(1)
    assert other["f1"][0] == 1
    assert other["f1 by side"][0] == other["side"][0] == 0


@pytest.fixture(scope="module")
def acted() -> dict[str, np.ndarray]:
    """Frames (5, 256, 256, 3) of a built-in head by unit: at rest, then twice as strong each."""
    strength = np.array([0.0, 0.1, 0.2, 0.4, 0.0], np.float32)
    faces = {
        "AU12 left": {"mouthSmileLeft": strength},
        "AU4": {"browDownLeft": strength, "browDownRight": strength},
    }
    return {
        name: np.stack(list(drawn("lars", weights, len(strength), 256, canonical=True)))
        for name, weights in faces.items()
    }


def test_the_shipped_recogniser_names_unit_and_side(acted: dict[str, np.ndarray]) -> None:
    recogniser, keypoints = load_recogniser(), load_weights(WEIGHTS)
    smile, frown = acted["AU12 left"], acted["AU4"]
    points = find_points(keypoints, smile[:1])
    found = read(seen(smile[:1], smile, points), recogniser)
    assert not found.named[[0, 4]].any()
    corner = COLUMNS.index(Column("AU12", "left"))
    assert found.told[3].argmax() == corner
    assert not found.named[:, MIRROR[corner]].any()
    assert found.amount[1, corner] < found.amount[2, corner] < found.amount[3, corner]
    assert found.amount[3, corner] == pytest.approx(0.4, abs=0.15)
    both = read(seen(frown[:1], frown, points), recogniser)
    assert both.named[2:4, [COLUMNS.index(Column("AU4", s)) for s in ("left", "right")]].all()


def test_a_clip_agrees_with_its_copy_and_not_with_another(acted: dict[str, np.ndarray]) -> None:
    recogniser, keypoints = load_recogniser(), load_weights(WEIGHTS)
    smile, frown = acted["AU12 left"], acted["AU4"]
    assert agreement(smile, smile.copy(), keypoints, recogniser)["f1 by side"][0] == 1
    assert agreement(smile, frown, keypoints, recogniser)["f1"][0] < 0.5
    still = np.repeat(smile[:1], len(smile), axis=0)
    assert agreement(smile, still, keypoints, recogniser)["f1"][0] == 0
    with pytest.raises(ValueError, match="5 source frames and 4"):
        agreement(smile, smile[:4], keypoints, recogniser)
    with pytest.raises(ValueError, match="not \\(N, 256, 256, 3\\)"):
        seen(smile[:1, :128], smile[:, :128], face())


@pytest.mark.slow
def test_meaning_is_read_in_what_was_measured_and_nothing_is_done_twice(tmp_path: Path) -> None:
    write_shard(tmp_path, pairs=2)
    keypoints, shards = load_weights(WEIGHTS), Shards(tmp_path)
    asked = []

    def counted(network: Eam, pair: Pairs) -> Result:
        asked.append(len(pair["source_neutral"]))
        return static_copy(network, pair)

    watch = Watch(keypoints)
    found = measure(keypoints, shards, 2, {"static copy": counted}, watch=watch)
    assert asked == [2] and len(found.sums["static copy"].claimed) == 2
    said = meaning(watch, load_recogniser(), shards)
    assert said.keys() == {SOURCE, "static copy"} and watch.chosen == [0, 1]
    assert float(watch.motions["static copy"].abs().max()) == 0 < watch.motions[SOURCE].abs().max()
