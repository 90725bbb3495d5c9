"""What a head is put into before it is drawn: pose, camera, light, style, sensor, background and
what hides it, all at random."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import spectacles
from .environment import lit_around
from .expressions import RECIPES, added, expression_weights
from .families import Floats, RenderHead
from .occluders import fringe, hand, strands
from .render import SUPERSAMPLING
from .scene import Camera, Framing, Light, random_background, random_camera, random_light
from .sensor import Sensor, random_sensor, worsened
from .style import STYLES, Style, dressed, style_of

#: Pixels along each side of a picture.
SIZE = 256

#: Where a fifth of the varied heads turn to.
_TURNED = Framing(yaw=24, pitch=16)
#: Shares of varied characters that are stylised, or grey pictures.
_STYLISED, _GREY = 0.25, 0.08
#: Shares of varied sources that hair, or something like a hand, hides in part.
_HAIRY, _HANDY = 0.07, 0.06
#: Shares of varied characters with a fringe, with a lock before the face, and with spectacles.
_FRINGED, _LOCKED, _SPECTACLED = 0.12, 0.04, 0.08


@dataclass(frozen=True)
class Cover:
    """What lies over a picture: `picture` (2S, 2S, 4), premultiplied, as on a face that is lit as
    brightly as 1, or as 0.2 where it is `grey`.

    Skin and hair take the colour of the light on the face, grey things its brightness alone; a
    `loose` cover moves on its own, as hands do.
    """

    picture: Floats
    grey: bool = False
    loose: bool = False

    def factor(self, mean: float, median: Floats) -> Floats:
        """Return what the picture is multiplied by, (4,), where the face has a `mean` brightness
        and a `median` colour (3,)."""
        level = np.full(3, mean / 0.2) if self.grey else median
        return np.append(level, 1).astype(np.float32)


@dataclass(frozen=True)
class Setting:
    """A head with all that its pictures follow from.

    `base` is what it does while it does nothing, `vertices` (V, 3) its form then; `sensor` and
    `background` (S, S, 3) are still to be exposed: the light on the face shall have the brightness
    `wanted`, as cameras and artists expose, and the background takes what comes.
    """

    head: RenderHead
    base: dict[str, float]
    vertices: Floats
    camera: Camera
    light: Light
    style: Style | None
    sensor: Sensor
    wanted: float
    background: Floats
    cover: Cover | None = None


def random_base(rng: np.random.Generator) -> dict[str, float]:
    """Draw what a face does while it does nothing: gaze, lids, a hint of mood, parted lips."""
    base: dict[str, float] = {}
    if rng.random() < 0.7:
        across, up = np.clip(rng.normal(0, 0.25, 2), -0.7, 0.7)
        base["eyeLookOutLeft" if across > 0 else "eyeLookInLeft"] = abs(float(across))
        base["eyeLookInRight" if across > 0 else "eyeLookOutRight"] = abs(float(across))
        for side in ("Left", "Right"):
            base[("eyeLookUp" if up > 0 else "eyeLookDown") + side] = abs(float(up)) * 0.7
    if rng.random() < 0.5:
        lids = float(rng.uniform(0, 0.25))
        base = added(base, {"eyeBlinkLeft": lids, "eyeBlinkRight": lids})
    if rng.random() < 0.4:
        for unit in rng.choice(list(RECIPES), int(rng.integers(1, 3)), replace=False):
            left = float(rng.uniform(0, 0.35))
            right = left * float(rng.uniform(0.8, 1.25))
            base = added(base, expression_weights(str(unit), left, right))
    if rng.random() < 0.15:
        base = added(base, {"jawOpen": float(rng.uniform(0.02, 0.15))})
    return base


def random_style(rng: np.random.Generator) -> str:
    """Draw the name of a style for a quarter of varied characters, "" for the others."""
    return str(rng.choice(STYLES)) if rng.random() < _STYLISED else ""


def random_setting(
    rng: np.random.Generator,
    head: RenderHead,
    framing: Framing,
    *,
    clean: bool,
    varied: bool = False,
    worn: str | None = None,
) -> Setting:
    """Put a head in front of a random camera, light, background and sensor.

    A `clean` one is a rendered character, else a filmed person. A `varied` one also meets fill
    light and surroundings, wide turns, hair in front of the face, and styles and spectacles if it
    is a character; if a person, hands in front of the face and poor cameras. All else is drawn
    alike either way. `worn` names the style that the head wears already, "" for none; by default
    a varied character's is drawn.
    """
    variety = rng.spawn(1)[0]
    if varied and variety.random() < 0.2:
        framing = _TURNED
    base = random_base(rng)
    vertices = head.posed(base)
    camera = random_camera(rng, vertices, head.landmarks, framing)
    light = random_light(rng)
    style = None
    if varied:
        light = lit_around(variety, light)
        name = worn
        if clean and name is None:
            name = random_style(variety)
            head = dressed(variety, head, name) if name else head
        if clean and name:
            style = style_of(variety, name, float((light.colour + light.ambient[0]).mean()))
    sensor = random_sensor(rng, clean=clean)
    wanted = float(np.clip(np.exp(rng.normal(np.log(0.2), 0.4)), 0.05, 0.45))
    background = random_background(rng, SIZE)
    marks = camera.project(vertices[head.landmarks], SIZE * SUPERSAMPLING)
    cover = None
    if not clean and rng.random() < 0.1:
        cover = Cover(spectacles.oval(rng, marks, SIZE * SUPERSAMPLING), grey=True)
    elif varied:
        sensor, cover = _impaired(variety, sensor, marks, clean)
    return Setting(head, base, vertices, camera, light, style, sensor, wanted, background, cover)


def _impaired(
    rng: np.random.Generator, sensor: Sensor, marks: Floats, clean: bool
) -> tuple[Sensor, Cover | None]:
    """Return the sensor of a varied head, a worse one if not `clean`, and what may hide part of
    the head."""
    side, level = SIZE * SUPERSAMPLING, np.ones(3, np.float32)
    if clean:
        sensor = replace(sensor, saturation=0.0) if rng.random() < _GREY else sensor
        chance = rng.random()
        if chance < _FRINGED:
            return sensor, Cover(fringe(rng, marks, side, level))
        if chance < _FRINGED + _LOCKED:
            return sensor, Cover(strands(rng, marks, side, level))
        if chance < _FRINGED + _LOCKED + _SPECTACLED:
            return sensor, Cover(spectacles.oval(rng, marks, side), grey=True)
        return sensor, None
    sensor = worsened(rng, sensor)
    chance = rng.random()
    if chance > _HAIRY + _HANDY:
        return sensor, None
    if chance < _HAIRY:
        return sensor, Cover(strands(rng, marks, side, level))
    return sensor, Cover(hand(rng, marks, side, level), loose=True)
