"""A contact sheet of training pairs: `python -m microface.models.heads.contact --out X.png`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pairs import Pair, sample_pair
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


def sample(pair: Pair, side: int) -> NDArray[np.uint8]:
    """Return a row of four tiles of `side` pixels: source frame and flow, character's the same.

    The flows say how long their longest vector is.
    """
    tiles = []
    for frame, flow in (
        (pair.source_frame, pair.source_flow),
        (pair.character_frame, pair.character_forward.astype(np.float32)),
    ):
        largest = float(np.linalg.norm(flow, axis=-1).max())
        colours = flow_colours(flow, largest)
        small, shown = (
            np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
            for tile in (frame, colours)
        )
        text = f"{largest:.2f} px"
        cv2.putText(shown, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255,) * 3)
        tiles += [small, shown]
    return np.concatenate(tiles, axis=1)


def main(arguments: list[str] | None = None) -> int:
    """Draw the sheet; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.heads.contact")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--packs", type=Path, default=None, help="folder of the head pack")
    parser.add_argument("--cache", type=Path, default=None, help="folder to keep built heads in")
    parser.add_argument("--family", default=None, help="draw from the family of this name alone")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--side", type=int, default=128, help="pixels of a picture's side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "test"), default="train")
    options = parser.parse_args(arguments)
    families = load_families(options.packs, options.cache)
    if options.family is not None:
        families = [f for f in families if f.name == options.family]
    columns = options.columns
    rows = -(-options.samples // columns)
    sheet = np.zeros((rows * options.side, columns * 4 * options.side, 3), np.uint8)
    for number in range(options.samples):
        rng = np.random.default_rng([options.seed, number])
        pair = sample_pair(rng, families, options.split)
        row, column = divmod(number, columns)
        top, left = row * options.side, column * 4 * options.side
        tile = sample(pair, options.side)
        sheet[top : top + options.side, left : left + tile.shape[1]] = tile
    cv2.imwrite(str(options.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
