"""What torch draws in batches is what numpy draws one by one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.models.heads.actor import Actor, make_actor, shake_of, shaken
from microface.models.heads.chart import chart_map
from microface.models.heads.device import jpeg, raster, sensor
from microface.models.heads.device.head import DeviceHead, Shelf
from microface.models.heads.device.look import Looks, looks_of, shadows
from microface.models.heads.device.render import Drawings, charts, draw, fixed_share, motions
from microface.models.heads.expressions import added
from microface.models.heads.fixed import fixed_share as fixed_by_numpy
from microface.models.heads.packs import load_makehuman
from microface.models.heads.raster import rasterise
from microface.models.heads.render import Drawing, motion
from microface.models.heads.scene import Framing
from microface.models.heads.sensor import Sensor, compressed, expose
from numpy.typing import NDArray

CPU = torch.device("cpu")
PLAY = {"mouthSmileLeft": 0.6, "browInnerUpLeft": 0.8, "eyeBlinkLeft": 0.5, "jawOpen": 0.2}


def psnr(ours: NDArray[np.floating], theirs: NDArray[np.floating], whole: float) -> float:
    return float(10 * np.log10(whole**2 / max(np.square(ours - theirs).mean(), 1e-12)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_triangles_claim_the_same_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side, count = 32, 3
    points = rng.uniform(-8, 40, (count, 40, 3)).astype(np.float32)
    triangles = rng.integers(0, 40, (30, 3)).astype(np.int32)
    corners = torch.from_numpy(np.concatenate([triangles + 40 * k for k in range(count)])).long()
    flat = torch.from_numpy(points.reshape(-1, 3))
    names = torch.arange(len(corners))
    part = raster.fragments(flat, corners, names // 30, names, side)
    triangle, depth = raster.resolve(part, count * side * side)
    for k in range(count):
        wanted = rasterise(points[k], triangles, side, side, both_sides=True)
        ours = triangle[k * side * side :][: side * side].reshape(side, side).numpy()
        assert np.array_equal(np.where(ours < 0, -1, ours % 30), wanted.triangle)
        near = np.isfinite(wanted.depth)
        found = depth[k * side * side :][: side * side].reshape(side, side).numpy()
        assert np.array_equal(np.isfinite(found), near)
        assert np.abs(found[near] - wanted.depth[near]).max(initial=0) < 1e-4


class Both:
    """A head of a pack with a neutral and a frame, drawn in both ways."""

    def __init__(self, pack: Path, seed: int) -> None:
        head = load_makehuman(pack).sample(seed)
        rng = np.random.default_rng(seed)
        self.actor: Actor = make_actor(rng, head, Framing(15, 12), clean=True, varied=True)
        actor = self.actor
        self.shown: Drawing = actor.acted(actor.played(PLAY, ()))
        self.head: DeviceHead = Shelf(CPU).head(actor.head)
        look = actor.look
        self.looks: Looks = looks_of([(look.camera, look.light, look.style)], CPU)
        # Whatever names no device is made where it fits nothing: see test_training_devices.
        with torch.device("meta"):
            vertices = self.head.posed([actor.base, added(actor.base, PLAY)])
            self.lit = shadows(self.head, vertices[:1], self.looks)
            two = torch.zeros(2, dtype=torch.int64, device=CPU)
            self.drawn: Drawings = draw(
                self.head, vertices, self.looks.take(two), self.lit[two], 256
            )


@pytest.fixture(scope="module")
def both(shared: Path) -> Both:
    return Both(shared / "heads", 8)


def test_a_drawn_head_looks_the_same(both: Both) -> None:
    assert np.abs(both.lit[0].numpy() - both.actor.look.lit).max() < 1e-3
    for row, theirs in enumerate((both.actor.neutral, both.shown)):
        ours = both.drawn.triangle[row].numpy()
        assert (ours == theirs.raster.triangle.ravel()).mean() > 0.999
        assert np.abs(both.drawn.points[row].numpy() - theirs.points).max() < 1e-3
        light = both.drawn.light[row].permute(1, 2, 0).numpy()
        assert psnr(light.clip(0, 1), theirs.light.clip(0, 1), 1.0) > 40


def test_motion_is_the_same(both: Both) -> None:
    start, end = torch.tensor([0, 1]), torch.tensor([1, 0])
    with torch.device("meta"):
        found = motions(both.head, both.drawn, start, end)
    triangles = both.actor.head.triangles
    for row, (a, b) in enumerate(
        ((both.actor.neutral, both.shown), (both.shown, both.actor.neutral))
    ):
        theirs = motion(a, b, triangles)
        seen = theirs.visible > 0.75
        away = np.linalg.norm(found.flow[row].permute(1, 2, 0).numpy() - theirs.flow, axis=-1)
        assert np.linalg.norm(theirs.flow, axis=-1).max() > 3
        assert away[seen].max() < 0.01
        assert ((found.visible[row, 0].numpy() > 0.75) == seen).mean() > 0.999


def test_what_is_fixed_is_the_same(both: Both) -> None:
    side = both.drawn.side
    cover = np.zeros((side, side, 4), np.float32)
    cover[:, side // 3 : side // 2 + 1, 3] = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    on_device = torch.from_numpy(cover).permute(2, 0, 1)
    for over, covers in ((None, ()), (cover, (on_device,))):
        ours = fixed_share(both.head, both.drawn.first(1), covers)[0, 0].numpy()
        theirs = fixed_by_numpy(both.actor.head, both.actor.neutral, over)
        assert np.mean(np.abs(ours - theirs) > 1e-5) < 1e-3
        assert theirs.max() == 1 and theirs.mean() < 0.9


def test_charts_and_keypoints_are_the_same(both: Both) -> None:
    actor = both.actor
    ours = charts(both.head, both.drawn.first(1), 64)[0].permute(1, 2, 0).numpy()
    theirs = chart_map(actor.head, actor.neutral, 64)
    # A single sample at an outline is 0.016 of a cell.
    assert (np.abs(ours - theirs).max(-1) < 0.02).mean() > 0.998
    points = both.head.keypoints(both.drawn.points[:1])[0].numpy() / 2
    assert np.abs(points - actor.points).max() < 1e-3


def scenery(seed: int = 0) -> NDArray[np.float32]:
    """Linear light (128, 128, 3) with shades and edges."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(0, 0.8, (12, 12, 3)).astype(np.float32)
    wide = cv2.resize(small, (128, 128), interpolation=cv2.INTER_CUBIC)
    wide[40:80, 30:70] *= 0.3
    return np.asarray(wide.clip(0, 1), np.float32)


ONES = np.ones(3, np.float32)


@pytest.mark.parametrize(
    "kind",
    [
        Sensor(ONES, gamma=1.2, saturation=1.3),
        Sensor(ONES, saturation=0.0, blur=1.3),
        Sensor(ONES, infrared=True),
        Sensor(ONES, pixels=77),
        Sensor(ONES, smear=(1.5, -1.0)),
        Sensor(ONES, quality=60),
    ],
)
def test_a_sensor_sees_the_same(kind: Sensor) -> None:
    light = scenery()
    theirs = expose(kind, light, np.random.default_rng(0), first=False)
    batch = torch.from_numpy(np.stack([light, light])).permute(0, 3, 1, 2)
    rng = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        ours = sensor.exposed([kind, kind], [False, False], batch, batch.new_ones(2, 3), rng)
    for row in range(2):
        picture = ours[row].permute(1, 2, 0).numpy()
        assert psnr(picture.astype(float), theirs.astype(float), 255) > 38


def test_noise_and_flicker_are_as_strong() -> None:
    light = np.full((128, 128, 3), 0.3, np.float32)
    kind = Sensor(ONES, noise=0.03, coarseness=0.5, flicker=0.02)
    theirs = [expose(kind, light, np.random.default_rng(k), first=False) for k in range(24)]
    batch = torch.from_numpy(light).permute(2, 0, 1).expand(24, -1, -1, -1)
    rng = torch.Generator().manual_seed(1)
    ours = sensor.exposed([kind] * 24, [False] * 24, batch, batch.new_ones(24, 3), rng).float()
    grain = np.mean([p.std() for p in theirs])
    assert float(ours.std(dim=(1, 2, 3)).mean()) == pytest.approx(grain, rel=0.05)
    levels = np.array([p.mean() for p in theirs])
    assert float(ours.mean()) == pytest.approx(levels.mean(), rel=0.02)
    assert 0.4 < float(ours.mean(dim=(1, 2, 3)).std()) / levels.std() < 2.5


@pytest.mark.parametrize("quality", [40, 75, 97])
def test_compression_loses_what_a_jpeg_loses(quality: int) -> None:
    picture = np.asarray(scenery(3)[:100, :90] * 255, np.uint8)
    theirs = compressed(picture, quality)
    found = jpeg.compressed(torch.from_numpy(picture).permute(2, 0, 1)[None].float(), [quality])
    ours = found[0].permute(1, 2, 0).numpy()
    lost = psnr(picture.astype(float), theirs.astype(float), 255)
    assert psnr(ours, theirs.astype(float), 255) > lost + 3
    assert psnr(ours, picture.astype(float), 255) == pytest.approx(lost, abs=0.7)


def test_a_head_shakes_the_same() -> None:
    light = np.dstack([scenery(), np.ones((128, 128, 1), np.float32)])
    theirs = shaken(np.random.default_rng(2), light)
    turn = torch.from_numpy(shake_of(np.random.default_rng(2), 128))[None]
    ours = sensor.shifted(torch.from_numpy(light).permute(2, 0, 1)[None], turn, "border")
    # OpenCV reads between pixels in steps of a thirty-second.
    assert psnr(ours[0].permute(1, 2, 0).numpy(), theirs, 1.0) > 45
