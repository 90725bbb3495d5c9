"""Characters that are no photographs: flat, toon, clay, painted, oversaturated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .families import Floats, RenderHead, Surface

STYLES = ("flat", "toon", "clay", "painted", "oversaturated")


@dataclass(frozen=True)
class Style:
    """How light falls on a stylised head.

    `flatness` 0..1 is the share of the light that is the same everywhere; `bands` steps of light
    (0: smooth); `ink` 0..1 darkens what turns away from the viewer, as an outline does; `level`
    the light of a place that is fully lit.
    """

    flatness: float = 0.0
    bands: int = 0
    ink: float = 0.0
    level: float = 1.0

    def lit(self, light: Floats, facing: Floats) -> Floats:
        """Return the light (N, 3) that a style makes of it; `facing` (N,) is the cosine to the
        viewer."""
        light = light + np.float32(self.flatness) * (np.float32(0.7 * self.level) - light)
        if self.bands:
            grey = light.mean(axis=1)
            step = np.float32(self.level / self.bands)
            stepped = (np.floor(grey / step) + np.float32(0.6)) * step
            light = light * (stepped / np.maximum(grey, 1e-4))[:, None]
        if self.ink:
            outline = np.clip((np.float32(0.4) - facing) / np.float32(0.2), 0, 1)
            light = light * (1 - np.float32(self.ink) * outline)[:, None]
        return np.asarray(light, dtype=np.float32)


def style_of(rng: np.random.Generator, name: str, level: float) -> Style | None:
    """Draw how light falls in one of `STYLES`; None where it falls as on photographs."""
    if name == "flat":
        return Style(flatness=float(rng.uniform(0.7, 0.97)), level=level)
    if name == "toon":
        return Style(0.0, int(rng.integers(2, 5)), float(rng.uniform(0.3, 1.0)), level)
    if name == "painted" and rng.random() < 0.5:
        return Style(bands=int(rng.integers(5, 9)), level=level)
    return None


def dressed(rng: np.random.Generator, head: RenderHead, name: str) -> RenderHead:
    """Return a head with the surfaces that one of `STYLES` has."""
    if name == "clay":
        clay = rng.uniform(0.15, 0.6) * np.exp(rng.normal(0, 0.15, 3))
        kept = float(rng.uniform(0.1, 0.35))
        surfaces = tuple(
            _of_clay(s, clay.astype(np.float32), np.float32(kept)) for s in head.surfaces
        )
        return replace(head, surfaces=surfaces, tint=head.tint ** np.float32(kept))
    saturation = float(rng.uniform(1.6, 2.8) if name == "oversaturated" else rng.uniform(1.0, 1.9))
    smooth = name in ("flat", "toon", "painted")
    daub = _daubs(rng) if name == "painted" else None
    changed: dict[int, Floats] = {}
    for surface in head.surfaces:
        if id(surface.rgb) not in changed:
            rgb = _smoothed(surface.rgb) if smooth else surface.rgb
            if daub is not None:
                size = rgb.shape[1::-1]
                rgb = rgb * cv2.resize(daub, size, interpolation=cv2.INTER_CUBIC)[..., None]
            grey = rgb.mean(axis=2, keepdims=True)
            changed[id(surface.rgb)] = np.clip(
                grey + np.float32(saturation) * (rgb - grey), 0.002, 1
            )
    gloss = 0.0 if name == "flat" else 1.0
    surfaces = tuple(
        replace(s, rgb=changed[id(s.rgb)], gloss=s.gloss * gloss) for s in head.surfaces
    )
    return replace(head, surfaces=surfaces)


def _of_clay(surface: Surface, colour: Floats, kept: np.float32) -> Surface:
    """Return a surface of one colour, with a little of its own light and dark."""
    grey = surface.rgb.mean(axis=2, keepdims=True)
    relative = np.maximum(grey / max(float(grey.mean()), 1e-4), 0.02)
    rgb = np.clip(colour * relative**kept, 0, 1)
    return replace(surface, rgb=np.asarray(rgb, np.float32), gloss=0.05)


def _smoothed(rgb: Floats) -> Floats:
    """Return a texture (H, W, 3) without fine detail but with its edges."""
    stored = np.asarray(np.sqrt(np.clip(rgb, 0, 1)) * 255, dtype=np.uint8)
    smooth = cv2.medianBlur(stored, 11).astype(np.float32) / 255
    return np.asarray(smooth * smooth, dtype=np.float32)


def _daubs(rng: np.random.Generator) -> Floats:
    """Return a factor (256, 256) that looks like strokes of a brush."""
    noise = rng.normal(0, 1, (256, 256)).astype(np.float32)
    angle = float(rng.uniform(0, np.pi))
    long = np.zeros((15, 15), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * 7
    start, end = (7 - reach).round().astype(int), (7 + reach).round().astype(int)
    cv2.line(long, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), (1.0,), 1)
    strokes = cv2.filter2D(noise, -1, long / np.sqrt(long.sum()), borderType=cv2.BORDER_WRAP)
    depth = np.float32(rng.uniform(0.05, 0.18))
    return np.asarray(np.exp(depth * strokes), dtype=np.float32)
