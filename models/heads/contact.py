"""A contact sheet of training pairs: `python -m microface.models.heads.contact --out X.png`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pairs import Pair, sample_scene
from .write import load_families


def flow_colours(flow: NDArray[np.floating[Any]], largest: float) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB: hue the direction, brightness the length up to `largest`."""
    angle = np.arctan2(flow[..., 1], flow[..., 0])
    length = np.linalg.norm(flow, axis=-1) / max(largest, 1e-6)
    hsv = np.stack(
        [
            (angle + np.pi) / (2 * np.pi) * 179,
            np.full_like(angle, 255),
            np.clip(length, 0, 1) * 255,
        ],
        axis=-1,
    ).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), dtype=np.uint8)


def strip(pair: Pair) -> NDArray[np.uint8]:
    """Return one row: source neutral, frame, flow; character neutral, frame, flow, difference."""
    tiles = []
    size = pair.source_neutral.shape[0]
    for neutral, frame, points, flow in (
        (pair.source_neutral, pair.source_frame, pair.source_points, pair.source_flow),
        (pair.character_neutral, pair.character_frame, pair.character_points,
         pair.character_forward.astype(np.float32)),
    ):  # fmt: skip
        marked = neutral.copy()
        for x, y in points:
            cv2.circle(marked, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)
        largest = float(np.linalg.norm(flow, axis=-1).max())
        colours = cv2.resize(
            flow_colours(flow, largest), (size, size), interpolation=cv2.INTER_NEAREST
        )
        cv2.putText(
            colours, f"{largest:.2f} px", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3
        )
        tiles += [marked, frame, colours]
    tiles.insert(4, pair.character_neutral)
    return np.concatenate(tiles, axis=1)


def main(arguments: list[str] | None = None) -> int:
    """Draw the sheet; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.heads.contact")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--packs", type=Path, default=None, help="folder of the head pack")
    parser.add_argument("--cache", type=Path, default=None, help="folder to keep built heads in")
    parser.add_argument("--family", default=None, help="draw from the family of this name alone")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "test"), default="train")
    options = parser.parse_args(arguments)
    families = load_families(options.packs, options.cache)
    if options.family is not None:
        families = [f for f in families if f.name == options.family]
    rows = []
    for row in range(options.rows):
        rng = np.random.default_rng([options.seed, row])
        rows.append(strip(sample_scene(rng, families, options.split, frames=1)[0]))
    sheet = np.concatenate(rows)
    cv2.imwrite(str(options.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
