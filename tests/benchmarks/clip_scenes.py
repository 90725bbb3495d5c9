"""Rendered source clips with all that can be known of them: head motion, expression, light.

The crop about the face is a fixed square of the picture at its own scale, so that a pixel of the
crop is a pixel of the picture and the truth needs no resampling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from microface.models.heads.expressions import added
from microface.models.heads.families import TEST_IDENTITIES_FROM, RenderHead
from microface.models.heads.keypoints import keypoints_from_landmarks
from microface.models.heads.packs import load_ict, load_makehuman
from microface.models.heads.render import Drawing, Look, draw, motion, prepare_look
from microface.models.heads.scene import (
    Camera,
    composed,
    crop_of,
    random_background,
    random_light,
    rotation,
)
from microface.models.heads.sensor import Sensor, expose
from microface.server.clips.crop import Crop

#: Side of the picture and of the crop in its middle, in pixels.
PICTURE, CROP = 288, 256
EDGE = (PICTURE - CROP) // 2


@dataclass(frozen=True)
class HeadPose:
    """How the head differs from its pose at rest: degrees, and pixels of the picture."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0


STILL = HeadPose()


class Scene:
    """One head of a test identity before a fixed camera, in a fixed light."""

    def __init__(
        self, packs: Path, family: str, number: int, base: Mapping[str, float] | None = None
    ) -> None:
        """Draw the neutral of test identity `number`; `base` is what the face does at rest."""
        rng = np.random.default_rng([number, 31])
        model = {"ict": load_ict, "makehuman": load_makehuman}[family](packs)
        self.head: RenderHead = model.sample(TEST_IDENTITIES_FROM + number)
        self.base = dict(base or {})
        self.rest = self.head.posed(self.base)
        self.turn = (float(rng.uniform(-6, 6)), float(rng.uniform(-5, 5)))
        distance = float(np.exp(rng.uniform(np.log(60), np.log(200))))
        plain = Camera(rotation(*self.turn), distance, np.eye(2, 3, dtype=np.float32))
        marks = keypoints_from_landmarks(plain.plane(self.rest[self.head.landmarks])[:, :2])
        camera = replace(plain, crop=crop_of(marks, PICTURE / CROP))
        self.look: Look = prepare_look(self.head, self.rest, camera, random_light(rng))
        self.neutral: Drawing = draw(self.head, self.rest, self.look, PICTURE)
        level = float(self.neutral.light.reshape(-1, 4)[self.neutral.pixel, :3].mean())
        exposure = np.full(3, 0.22 / max(level, 1e-3), np.float32)
        self.sensor = Sensor(exposure, blur=0.5)
        self.background = random_background(rng, PICTURE) * np.float32(max(level, 1e-3) / 0.22)
        self.crop = Crop((PICTURE / 2, PICTURE / 2), float(CROP))

    def light(self, weights: Mapping[str, float], pose: HeadPose = STILL) -> np.ndarray:
        """Return linear light (288, 288, 3) of an expression (canonical amounts) in a pose."""
        if pose == STILL and not weights:
            return composed(self.neutral.light, self.background)
        return composed(self._drawn(weights, pose).light, self.background)

    def _drawn(self, weights: Mapping[str, float], pose: HeadPose = STILL) -> Drawing:
        vertices = self.head.posed(added(self.base, weights))
        if pose == STILL:
            return draw(self.head, vertices, self.look, PICTURE, self.neutral)
        look = replace(self.look, camera=self._camera(pose))
        return draw(self.head, vertices, look, PICTURE)

    def _camera(self, pose: HeadPose) -> Camera:
        """Return the camera that sees the head in a pose."""
        camera = self.look.camera
        crop = camera.crop.copy()
        crop[:, 2] += np.array([pose.x, pose.y], np.float32) / PICTURE
        turn = rotation(self.turn[0] + pose.yaw, self.turn[1] + pose.pitch, pose.roll)
        return replace(camera, rotation=turn, crop=crop)

    def marks(self, pose: HeadPose = STILL) -> np.ndarray:
        """Return where brows, nose, eyes and mouth (51, 2) of the neutral face are in a pose, in
        pixels of the crop as arrays count them."""
        seen = self._camera(pose).project(self.rest[self.head.landmarks[17:]], PICTURE)
        return np.asarray(seen[:, :2] - EDGE - 0.5)

    def filmed(
        self,
        light: np.ndarray,
        rng: np.random.Generator,
        *,
        noise: float = 0.0,
        gain: np.ndarray | float = 1.0,
    ) -> np.ndarray:
        """Return the picture (288, 288, 3) uint8 that a sensor makes of linear light.

        `noise` standard deviation in 0..1 of full scale; `gain` of the light, one or a map.
        """
        bright = np.asarray(light * gain, np.float32)
        return expose(replace(self.sensor, noise=noise), bright, rng, first=True)

    def swayed(self, pose: HeadPose) -> np.ndarray:
        """Return the true flow (64, 64, 2) of the head's motion to a pose, means over the crop's
        cells, and nan where not all of a cell is seen in both."""
        moved = motion(self.neutral, self._drawn({}, pose), self.head.triangles)
        seen = cells(moved.visible[EDGE:-EDGE, EDGE:-EDGE].astype(np.float32))
        flow = cells(moved.flow[EDGE:-EDGE, EDGE:-EDGE])
        return np.where(seen[..., None] > 0.99, flow, np.nan)

    def flow(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the true flow (256, 256, 2) of an expression without head motion, on the crop."""
        moved = motion(self.neutral, self._drawn(weights), self.head.triangles)
        flow = moved.flow * (moved.visible > 0.5)[..., None]
        return np.asarray(flow[EDGE:-EDGE, EDGE:-EDGE])


def cells(flow: np.ndarray, count: int = 64) -> np.ndarray:
    """Return area means (count, count, 2) of a flow."""
    return np.asarray(cv2.resize(flow, (count, count), interpolation=cv2.INTER_AREA))


def swaying(frames: int, pixels: float = 5.0, degrees: float = 3.0) -> list[HeadPose]:
    """Return a head's smooth sway: every frame another pose, of at most these extents."""
    phase = np.arange(frames) / frames * 2 * np.pi
    return [
        HeadPose(
            degrees * float(np.sin(p)),
            0.8 * degrees * float(np.sin(2 * p + 1)),
            0.8 * degrees * float(np.sin(p + 2)),
            pixels * 0.8 * float(np.sin(p + 0.5)),
            pixels * 0.6 * float(np.cos(2 * p)),
        )
        for p in phase
    ]
