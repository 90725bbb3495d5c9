"""What a camera does to light: exposure, tint, blur, noise, compression, flicker."""

from __future__ import annotations

from dataclasses import dataclass

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
    from frame to frame.
    """

    exposure: Floats
    gamma: float = 1.0
    saturation: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    coarseness: float = 0.0
    quality: int = 100
    flicker: float = 0.0


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


def expose(
    sensor: Sensor, light: Floats, rng: np.random.Generator, *, first: bool
) -> NDArray[np.uint8]:
    """Return the picture (S, S, 3) uint8 that a sensor makes of linear light (S, S, 3).

    The first frame of a clip does not flicker.
    """
    gain = sensor.exposure
    if sensor.flicker and not first:
        gain = gain * np.float32(1 + rng.normal(0, sensor.flicker))
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
    return picture if sensor.quality >= 100 else compressed(picture, sensor.quality)


def compressed(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return the picture (S, S, 3) RGB after JPEG at a quality of 1 to 100."""
    blue_first = np.ascontiguousarray(picture[..., ::-1])
    done, data = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("JPEG encoding failed")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], dtype=np.uint8)
