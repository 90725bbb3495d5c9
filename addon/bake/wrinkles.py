"""Wrinkle maps: a residual sequence as a few multiply layers with a curve each, as engines take it.

The log of what multiplies a texel's light, split into darkening and lightening so that nothing is
negative, is factorised over time (see `nmf`). A map is the colour that its layer multiplies by at
weight 1; at weight w a layer multiplies by 1 + w (map - 1), layer upon layer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..colour import DATA
from ..whole_file import write_whole
from .nmf import factorise_to, fit_maps, smoother
from .sheet import Change, Sheet
from .stored import SUFFIX, Store
from .texture import Painter

#: This share of the residual's power is to be explained, by at most so many maps.
EXPLAINED, MOST_MAPS = 0.95, 4
#: Texels that the curves are found from; all others only get maps.
SAMPLE = 8_000
#: Texels whose maps are found at once; bounds the memory.
CHUNK = 1 << 20
#: A factor in a PNG is stored over this: what may lighten is within twice.
PNG_RANGE = 2.0
#: A wrinkle is seen if this share of the texels that may move changes by so many 8-bit levels.
SEEN_SHARE, SEEN_LEVELS = 0.005, 2.0
#: Curves follow what takes longer than this.
SMOOTH_SECONDS = 0.008
#: Name of the table of curves.
CURVES = "wrinkles.csv"
#: Steps of fitting the curves to the layers as they multiply.
FITTING_STEPS = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WrinkleMaps:
    """Maps of one texture.

    `files` and `names` (K), `curves` (K,T) weights 0..1 per source frame, `range` by which a
    stored value is to be multiplied. `explained` 0..1 is the share of the log ratio's power over
    texels and time that the layers have; `error_levels` the root mean square difference, in 8-bit
    levels, between the texture under the layers and the sequence it stands for, over the moving
    texels, and `worst_levels` that of the worst frame; `still_levels` what leaving the maps out
    would cost. `group_name` of the node group that weighs the maps in the materials.
    """

    texture: str
    files: tuple[Path, ...]
    sidecar: Path
    names: tuple[str, ...]
    curves: Floats
    range: float
    explained: float
    error_levels: float
    worst_levels: float
    still_levels: float
    group_name: str = ""


def make_maps(
    name: str,
    painter: Painter,
    times: Floats,
    folder: Path,
    kind: str,
    fps: Fraction,
    provenance: Mapping[str, Any],
    *,
    share: float = EXPLAINED,
    most: int = MOST_MAPS,
) -> WrinkleMaps | None:
    """Write `folder/wrinkle_1.png...`, `wrinkles.json` and `wrinkles.csv` for one texture.

    `times` (T,) seconds of the source frames since the clip's start, at `fps` on the whole.
    `kind` is "png16" or "exr" ("png8" bands). The maps have the size of the character's own
    texture and are 1 (no change) where nothing moves. `share` 0..1 of the residual's power is to
    be explained by at most `most` maps; fewer are made where fewer do. None where nobody would see
    a difference.
    """
    frames = len(times)
    chosen = np.unique(
        np.linspace(0, painter.count - 1, min(SAMPLE, painter.count)).astype(np.int64)
    )
    sample = np.stack([_log_factors(painter, t, chosen) for t in range(frames)], axis=-1)
    if not _seen(painter, chosen, sample):
        return None
    smooth = smoother(frames, SMOOTH_SECONDS * float(fps))
    found = factorise_to(_split(sample).reshape(-1, frames), share, most, smooth)
    store = Store(kind, DATA)
    scale = 1.0 if kind == "exr" else PNG_RANGE
    layers = _layers(painter, frames, found.curves, store, scale)
    curves = np.clip(_fitted(sample, layers[chosen], found.curves) @ smooth, 0, 1)
    curves[:, ~sample.any(axis=(0, 1))] = 0
    files = []
    names = tuple(f"wrinkle_{k + 1}" for k in range(len(curves)))
    height, width = painter.moving.shape
    blank = np.broadcast_to(store.encode(np.full(3, 1 / scale)), (height, width, 3))
    sheet = Sheet(blank, store, {"framesPerSecond": fps})
    folder.mkdir(parents=True, exist_ok=True)
    for k, label in enumerate(names):
        path = folder / f"{label}{SUFFIX[kind]}"
        sheet.write(path, Change(painter.index, store.encode(layers[:, :, k] / scale)))
        files.append(path)
    measured = _measure(painter, frames, layers, curves)
    maps = WrinkleMaps(
        name, tuple(files), folder / "wrinkles.json", names, curves, scale, *measured
    )
    _write_sidecar(maps, kind, fps, provenance)
    _write_curves(folder / CURVES, maps, times)
    return maps


def _write_curves(path: Path, maps: WrinkleMaps, times: Floats) -> None:
    """Write the weights as a table: `time` in seconds and a column per map, a row per frame."""
    rows = [",".join(["time", *maps.names])]
    for seconds, weights in zip(times, maps.curves.T, strict=True):
        rows.append(",".join([f"{seconds:.6f}", *(f"{weight:.5f}" for weight in weights)]))
    write_whole(path, [("\n".join(rows) + "\n").encode()])


def _write_sidecar(
    maps: WrinkleMaps, kind: str, fps: Fraction, provenance: Mapping[str, Any]
) -> None:
    description = {
        "texture": maps.texture,
        "formula": "colour * product over maps of (1 + weight * (map * range - 1)), linear light",
        "range": maps.range,
        "colour_space": "linear",
        "format": kind,
        "uv_origin": "bottom-left",
        "fps": f"{fps.numerator}/{fps.denominator}",
        "explained": round(maps.explained, 5),
        "error_levels": round(maps.error_levels, 4),
        "worst_levels": round(maps.worst_levels, 4),
        "still_levels": round(maps.still_levels, 4),
        "curves": CURVES,
        "maps": [
            {"name": name, "picture": path.name, "weights": [round(float(w), 5) for w in curve]}
            for name, path, curve in zip(maps.names, maps.files, maps.curves, strict=True)
        ],
        "provenance": dict(provenance),
    }
    write_whole(maps.sidecar, [(json.dumps(description, indent=2) + "\n").encode()])


def _log_factors(painter: Painter, frame: int, texels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the log of the factors (n,3) of texels at a frame."""
    factors = painter.factors(frame)
    if factors is None:
        return np.zeros((len(texels), 3), np.float32)
    return np.asarray(np.log(factors(texels)), np.float32)


def _seen(painter: Painter, texels: NDArray[np.int64], sample: NDArray[np.float32]) -> bool:
    """Return whether the log factors (n,3,T) of texels make a difference that is seen."""
    still = painter.multiplied(texels, np.ones((len(texels), 3), np.float32)).astype(np.float64)
    most = np.zeros(len(texels))
    for log in np.moveaxis(sample, 2, 0):
        shown = painter.multiplied(texels, np.exp(log)).astype(np.float64)
        most = np.maximum(most, np.abs(shown - still).max(axis=1))
    levels = most * (255.0 / painter.sheet.store.white)
    return bool(np.quantile(levels, 1 - SEEN_SHARE) >= SEEN_LEVELS)


def _split(log: NDArray[np.floating[Any]]) -> Floats:
    """Return darkening and lightening (2, ...) of log factors, none below 0."""
    return np.asarray(np.stack([np.maximum(-log, 0), np.maximum(log, 0)]), np.float64)


def _layers(
    painter: Painter, frames: int, curves: Floats, store: Store, scale: float
) -> NDArray[np.float32]:
    """Return the factors (N,3,K) of every texel at weight 1, as they can be stored."""
    layers = np.empty((painter.count, 3, len(curves)), np.float32)
    for first in range(0, painter.count, CHUNK):
        texels = np.arange(first, min(first + CHUNK, painter.count))
        cross = np.zeros((2, len(texels), 3, len(curves)), np.float32)
        for frame in range(frames):
            split = _split(_log_factors(painter, frame, texels)).astype(np.float32)
            cross += split[..., None] * curves[:, frame].astype(np.float32)
        fitted = fit_maps(cross.reshape(-1, len(curves)).astype(np.float64), curves)
        dark, light = fitted.reshape(cross.shape)
        stored = store.encode(np.exp(light - dark) / scale)
        layers[texels] = store.decode(stored) * np.float32(scale)
    return layers


def _fitted(sample: NDArray[np.float32], layers: NDArray[np.float32], curves: Floats) -> Floats:
    """Return the curves (K,T), 0..1, with which the layers multiply to the sample's factors.

    The factorisation adds logs, layers multiply by 1 + w (map - 1): not the same in between 0 and
    1. `sample` (n,3,T) log factors, `layers` (n,3,K). Steps of Gauss and Newton.
    """
    flat = layers.reshape(-1, layers.shape[2]).astype(np.float64) - 1
    wanted = sample.reshape(-1, sample.shape[2]).astype(np.float64)
    result = curves.copy()
    for frame in np.flatnonzero(np.abs(wanted).max(axis=0, initial=0) > 0):
        weights = result[:, frame]
        for _ in range(FITTING_STEPS):
            slope = flat / (1 + flat * weights)
            error = wanted[:, frame] - np.log1p(flat * weights).sum(axis=1)
            step = np.linalg.lstsq(slope.T @ slope, slope.T @ error, rcond=None)[0]
            weights = np.clip(weights + step, 0, 1)
        result[:, frame] = weights
    return result


def _measure(
    painter: Painter, frames: int, layers: NDArray[np.float32], curves: Floats
) -> tuple[float, float, float, float]:
    """Return explained share, error, worst and still in levels; see `WrinkleMaps`."""
    power = left = 0.0
    errors, stills = np.zeros(frames), np.zeros(frames)
    for first in range(0, painter.count, CHUNK):
        texels = np.arange(first, min(first + CHUNK, painter.count))
        still = painter.multiplied(texels, np.ones((len(texels), 3), np.float32))
        for frame in range(frames):
            factors = painter.factors(frame)
            true = np.ones((len(texels), 3), np.float32) if factors is None else factors(texels)
            weights = curves[:, frame].astype(np.float32)
            made = np.prod(1 + (layers[texels] - 1) * weights, axis=2, dtype=np.float32)
            log = np.log(true)
            power += float((log.astype(np.float64) ** 2).sum())
            left += float(((log - np.log(made)).astype(np.float64) ** 2).sum())
            wanted = painter.multiplied(texels, true).astype(np.float64)
            shown = painter.multiplied(texels, made).astype(np.float64)
            errors[frame] += float(((shown - wanted) ** 2).sum())
            stills[frame] += float(((still - wanted) ** 2).sum())
    values = 3 * max(painter.count, 1)
    as_levels = 255.0 / painter.sheet.store.white
    return (
        1 - left / power if power > 0 else 1.0,
        float(np.sqrt(errors.sum() / values / frames)) * as_levels,
        float(np.sqrt(errors.max(initial=0) / values)) * as_levels,
        float(np.sqrt(stills.sum() / values / frames)) * as_levels,
    )
