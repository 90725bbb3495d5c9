"""Textures of a head pack: reading them once, and varying them from head to head."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

Floats = NDArray[np.float32]


def read_image(path: Path, scale: float) -> Floats:
    """Return an image as float32 in 0..1, sRGB as stored: (H, W, 3), or (H, W, 4) with alpha.

    `scale` shrinks it by area means first. Grey files come back with three equal channels. Raises
    InputError where the file is missing or no image.
    """
    data = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if data is None:
        raise InputError(f"{path} is missing or is not an image.", "Give a complete head pack.")
    if data.ndim == 2:
        data = cv2.cvtColor(data, cv2.COLOR_GRAY2RGB)
    elif data.shape[2] == 4:
        data = cv2.cvtColor(data, cv2.COLOR_BGRA2RGBA)
    else:
        data = cv2.cvtColor(data, cv2.COLOR_BGR2RGB)
    if scale != 1:
        data = cv2.resize(data, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(data, dtype=np.float32) / np.float32(255)


def to_linear(srgb: Floats) -> Floats:
    """Return linear light for sRGB values in 0..1 (the plain 2.2 power is close enough here)."""
    return np.asarray(np.power(srgb, np.float32(2.2)), dtype=np.float32)


class Images:
    """Textures of one folder, each read once and kept in linear light."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[tuple[str, float], Floats] = {}

    def names(self, subfolder: str, suffix: str) -> tuple[str, ...]:
        """Return the stems of the images in a subfolder, sorted."""
        found = sorted(p.stem for p in (self._folder / subfolder).glob("*" + suffix))
        if not found:
            raise InputError(
                f"{self._folder / subfolder} has no {suffix} images.", "Give a complete head pack."
            )
        return tuple(found)

    def rgb(self, name: str, scale: float = 0.5) -> Floats:
        """Return linear colours (H, W, 3) and keep them."""
        return self._image(name, scale)[..., :3]

    def alpha(self, name: str, scale: float = 0.5) -> Floats:
        """Return the alpha channel (H, W) and keep it; ones where the file has none."""
        image = self._image(name, scale)
        return image[..., 3] if image.shape[2] == 4 else np.ones(image.shape[:2], np.float32)

    def grey(self, name: str, scale: float = 0.5) -> Floats:
        """Return the mean of the linear channels (H, W)."""
        key = (name + " grey", scale)
        if key not in self._kept:
            self._kept[key] = np.ascontiguousarray(self.rgb(name, scale).mean(axis=2))
        return self._kept[key]

    def layer(self, name: str, like: Floats) -> Floats:
        """Return a grey layer (H, W) as stored, 0..1, in the size of an image `like`."""
        key = (name + " layer", float(like.shape[0]))
        if key not in self._kept:
            stored = read_image(self._folder / name, 0.25)[..., 0]
            sized = cv2.resize(stored, like.shape[1::-1], interpolation=cv2.INTER_AREA)
            self._kept[key] = np.asarray(sized, dtype=np.float32)
        return self._kept[key]

    def _image(self, name: str, scale: float) -> Floats:
        key = (name, scale)
        if key not in self._kept:
            image = read_image(self._folder / name, scale)
            image[..., :3] = to_linear(image[..., :3])
            self._kept[key] = image
        return self._kept[key]


def vary_skin(rng: np.random.Generator, skin: Floats) -> Floats:
    """Return the skin with another amount of melanin and blood, unevenness and spots."""
    # Absorption of melanin and of haemoglobin per channel, roughly (Jimenez et al., "A practical
    # appearance model for dynamic facial color", 2010): in log space skin colour moves on a plane.
    melanin = np.array([0.45, 0.85, 1.15], np.float32) * np.float32(rng.normal(0, 0.35))
    blood = np.array([0.05, 0.45, 0.35], np.float32) * np.float32(rng.normal(0, 0.3))
    gain = np.exp(-(melanin + blood)).astype(np.float32)
    height, width = skin.shape[:2]
    coarse = rng.normal(0, 1, (height // 48, width // 48)).astype(np.float32)
    fine = rng.normal(0, 1, (height // 3, width // 3)).astype(np.float32)
    size = (width, height)
    amounts = rng.uniform(0, (0.08, 0.1)).astype(np.float32)
    uneven = amounts[0] * _grown(coarse, size, cv2.INTER_CUBIC)
    uneven = uneven + amounts[1] * _grown(fine, size, cv2.INTER_LINEAR)
    if rng.random() < 0.15:
        spots = rng.random((height // 2, width // 2)) < rng.uniform(0.0005, 0.004)
        soft = _grown(spots.astype(np.float32), size, cv2.INTER_LINEAR)
        soft = np.minimum(cv2.GaussianBlur(soft, (0, 0), 1.5) * 3, 1)
        uneven = uneven - soft * np.float32(rng.uniform(0.1, 0.4))
    varied = np.clip(skin * gain * np.exp(uneven)[..., None], 0, 1)
    return np.asarray(varied, dtype=np.float32)


def _grown(values: Floats, size: tuple[int, int], how: int) -> Floats:
    return np.asarray(cv2.resize(values, size, interpolation=how), dtype=np.float32)


def stylise_skin(rng: np.random.Generator, skin: Floats) -> Floats:
    """Return a painted or plastic version of a skin: smooth, perhaps of an unearthly colour."""
    smooth = cv2.blur(skin, (9, 9))
    strength = np.float32(rng.uniform(0.3, 1.0))
    mean = skin.mean(axis=(0, 1), keepdims=True)
    flat = skin + strength * (smooth - skin)
    flat = mean + (flat - mean) * np.float32(rng.uniform(0.4, 1.2))
    if rng.random() < 0.5:
        colour = rng.uniform(0.25, 1.3, 3).astype(np.float32)
        flat = flat * colour
    return np.asarray(np.clip(flat, 0.005, 1), dtype=np.float32)


def skin_gloss(wanted: float, skin: Floats) -> float:
    """Return the strength of a skin's highlights: less on dark ones, which are exposed for longer
    and would look like bronze."""
    return wanted * float(np.clip(skin.mean() / 0.2, 0.3, 1.0))


def hair_colour(rng: np.random.Generator) -> Floats:
    """Return a natural hair colour (3,) in linear light, from black to fair and grey."""
    colours = np.array(
        [[0.008, 0.006, 0.005], [0.03, 0.015, 0.009], [0.09, 0.045, 0.022], [0.3, 0.19, 0.09],
         [0.16, 0.05, 0.02], [0.25, 0.24, 0.23]], np.float32
    )  # fmt: skip
    pair = rng.choice(len(colours), 2, p=[0.3, 0.3, 0.2, 0.08, 0.06, 0.06])
    mix = np.float32(rng.random())
    return np.asarray(colours[pair[0]] * mix + colours[pair[1]] * (1 - mix), dtype=np.float32)
