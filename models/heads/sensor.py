"""What a camera does to light: exposure, tint, blur, noise, compression, flicker."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sensor:
    """Settings that hold over one clip.

    `exposure` (3,) gain per channel; `gamma` of the tone curve; `saturation` 0 is grey; `blur` in
    pixels (Gaussian sigma); `noise` standard deviation at mid grey in 0..1; `coarseness` pixels of
    the noise's own blur; `quality` of JPEG, 100 for none; `flicker` relative change of exposure
    from frame to frame; `infrared` sees as a camera for the near infrared does; `pixels` a side
    of the sensor, 0 for as many as the picture has; `smear` (2,) pixels that the camera moves
    while the shutter is open, in every frame but the first.
    """

    exposure: Floats
    gamma: float = 1.0
    saturation: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    coarseness: float = 0.0
    quality: int = 100
    flicker: float = 0.0
    infrared: bool = False
    pixels: int = 0
    smear: tuple[float, float] = (0.0, 0.0)


def random_sensor(rng: np.random.Generator, *, clean: bool) -> Sensor:
    """Draw a sensor: a `clean` one for a rendered character, else a video camera's."""
    gain = np.exp(rng.normal(0, 0.06, 3))
    grey = rng.random()
    saturation = float(rng.uniform(0.6, 1.3))
    if grey < (0.04 if clean else 0.25):
        saturation = 0.0
    if clean:
        return Sensor(
            gain.astype(np.float32),
            float(np.exp(rng.normal(0, 0.12))),
            saturation,
            float(rng.choice([0.0, rng.uniform(0, 0.6)])),
        )
    return Sensor(
        gain.astype(np.float32),
        float(np.exp(rng.normal(0, 0.18))),
        saturation,
        float(np.abs(rng.normal(0.25, 0.5))),
        float(rng.choice([rng.uniform(0.002, 0.012), rng.uniform(0.0, 0.035)], p=[0.7, 0.3])),
        float(rng.choice([0.0, rng.uniform(0.3, 0.8)])),
        int(rng.choice([100, rng.integers(55, 98)], p=[0.5, 0.5])),
        float(rng.choice([0.0, rng.uniform(0, 0.02)])),
    )


def worsened(rng: np.random.Generator, sensor: Sensor) -> Sensor:
    """Return a sensor that, at times, has few pixels, sees infrared, moves or flickers strongly."""
    if rng.random() < 0.12:
        sensor = replace(sensor, pixels=int(rng.integers(96, 200)), coarseness=0.0)
    if rng.random() < 0.08:
        sensor = replace(sensor, infrared=True, saturation=0.0)
    if rng.random() < 0.12:
        length, angle = rng.uniform(0.5, 3.0), rng.uniform(0, np.pi)
        smear = (float(length * np.cos(angle)), float(length * np.sin(angle)))
        sensor = replace(sensor, smear=smear)
    if rng.random() < 0.2:
        sensor = replace(sensor, flicker=float(rng.uniform(0.02, 0.06)))
    return sensor


def expose(
    sensor: Sensor, light: Floats, rng: np.random.Generator, *, first: bool
) -> NDArray[np.uint8]:
    """Return the picture (S, S, 3) uint8 that a sensor makes of linear light (S, S, 3).

    The first frame of a clip neither flickers nor smears.
    """
    gain = sensor.exposure
    if sensor.flicker and not first:
        gain = gain * np.float32(1 + rng.normal(0, sensor.flicker))
    if any(sensor.smear) and not first:
        light = smeared(light, sensor.smear)
    side = light.shape[0]
    if sensor.pixels:
        few = (sensor.pixels, sensor.pixels)
        light = np.asarray(cv2.resize(light, few, interpolation=cv2.INTER_AREA), np.float32)
    if sensor.infrared:
        light = infrared(light)
    value = np.maximum(light * gain, 0)
    # A soft shoulder in place of hard clipping.
    value = value * (1 + value / 4) / (1 + value)
    value = np.power(value / np.float32(0.625), np.float32(sensor.gamma / 2.2))
    if sensor.saturation != 1:
        grey = value @ np.array([0.299, 0.587, 0.114], np.float32)
        value = grey[..., None] + np.float32(sensor.saturation) * (value - grey[..., None])
    if sensor.blur > 0.2:
        value = np.asarray(cv2.GaussianBlur(value, (0, 0), sensor.blur), dtype=np.float32)
    if sensor.noise:
        channels = 3 if sensor.saturation else 1
        noise = rng.standard_normal((*value.shape[:2], channels), np.float32)
        if sensor.coarseness > 0.2:
            soft = cv2.GaussianBlur(noise, (0, 0), sensor.coarseness).reshape(noise.shape)
            noise = np.asarray(soft * (1 + 1.5 * sensor.coarseness), dtype=np.float32)
        value = value + noise * np.float32(sensor.noise) * np.sqrt(np.clip(value, 0.05, 1) * 2)
    picture = np.asarray(np.clip(value, 0, 1) * 255 + 0.5, dtype=np.uint8)
    if sensor.quality < 100:
        picture = compressed(picture, sensor.quality)
    if sensor.pixels:
        whole = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
        picture = np.asarray(whole, dtype=np.uint8)
    return picture


def smeared(light: Floats, way: tuple[float, float]) -> Floats:
    """Return linear light (S, S, 3) meant over a straight `way` (x, y) in pixels, about its middle:
    nothing is displaced on the whole."""
    moments = np.linspace(-0.5, 0.5, 7)
    total = np.zeros_like(light)
    for moment in moments:
        shift = np.array([[1, 0, moment * way[0]], [0, 1, moment * way[1]]])
        total += cv2.warpAffine(
            light, shift, light.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
    return np.asarray(total / len(moments), dtype=np.float32)


def infrared(light: Floats) -> Floats:
    """Return visible linear light (S, S, 3) about as the near infrared shows the same scene: from
    the longest waves, with little contrast between skins, lips, irises and hair, all pale there."""
    red = np.maximum(light @ np.array([1.0, 0.1, -0.1], np.float32), 1e-4)
    level = np.float32(np.median(red))
    pale = level * (red / level) ** np.float32(0.65)
    return np.repeat(pale[..., None], 3, axis=2)


def compressed(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return the picture (S, S, 3) RGB after JPEG at a quality of 1 to 100."""
    blue_first = np.ascontiguousarray(picture[..., ::-1])
    done, data = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("JPEG encoding failed")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], dtype=np.uint8)
