"""Pictures of faces with and without spectacles, and where their rims are.

`python -m microface.models.spectacles.samples --packs HEADS --heads N --out FILE.npz` draws them.
Each head is drawn once, and then worn and exposed a few times.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, told
from ..arrays import save_arrays
from ..heads.actor import Actor, actor_in, light_on
from ..heads.creases import creases
from ..heads.families import Floats, HeadModel
from ..heads.makeup import laid_over
from ..heads.pairs import CHARACTER_FRAMING, Split, identity_of
from ..heads.render import SUPERSAMPLING
from ..heads.scene import composed
from ..heads.sensor import expose, random_sensor, worsened
from ..heads.setting import SIZE, Cover, random_setting
from ..heads.spectacles import of_any_kind
from ..heads.write import load_families

Pictures = NDArray[np.uint8]

#: Pictures of one head, and how many of them wear spectacles.
EACH, WORN = 8, 6
#: Share of pictures that a clean sensor took, as of rendered characters.
CLEAN = 0.7


@dataclass(frozen=True)
class Samples:
    """`pictures` (M, 256, 256, 3) uint8, and `rims` (M, 256, 256) uint8: 255 where spectacles hide
    what is behind them, less where they hide a part of a pixel."""

    pictures: Pictures
    rims: Pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def save(self, path: Path) -> None:
        """Write the samples, aside first."""
        save_arrays(path, vars(self))

    @staticmethod
    def load(paths: Sequence[Path]) -> Samples:
        """Return the samples of some files, in their order. InputError where one has none."""
        found = []
        for path in paths:
            try:
                with np.load(path) as arrays:
                    found.append((arrays["pictures"], arrays["rims"]))
            except (OSError, KeyError, ValueError) as error:
                raise InputError(
                    f"{path} does not hold pictures of spectacles: {error}.",
                    "Draw them with `python -m microface.models.spectacles.samples`.",
                ) from error
        return Samples(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def random_actor(rng: np.random.Generator, families: Sequence[HeadModel], split: Split) -> Actor:
    """Draw a head that wears no spectacles, at times with hair or a hand before it."""
    family = families[int(rng.integers(len(families)))]
    number = identity_of(rng, split)
    clean = bool(rng.random() < CLEAN)
    head = family.sample(number)
    setting = random_setting(rng, head, CHARACTER_FRAMING, clean=clean, varied=True)
    if setting.cover is not None and setting.cover.grey:
        setting = replace(setting, cover=None)
    return actor_in(setting)


def spectacles_on(rng: np.random.Generator, actor: Actor) -> tuple[Floats, Floats]:
    """Draw spectacles for an actor: the cover (512, 512, 4) in the light on the face, and the share
    (512, 512) of each pixel that rims hide."""
    side = SIZE * SUPERSAMPLING
    marks = actor.look.camera.project(actor.vertices[actor.head.landmarks], side)
    picture, rims = of_any_kind(rng, marks, side)
    return picture * Cover(picture, grey=True).factor(*light_on(actor.neutral)), rims


def picture_of(rng: np.random.Generator, actor: Actor, worn: bool) -> tuple[Pictures, Pictures]:
    """Return a picture (256, 256, 3) of an actor and its rims (256, 256)."""
    side = SIZE * SUPERSAMPLING
    rims = np.zeros((side, side), np.float32)
    marks = actor.look.camera.project(actor.vertices[actor.head.landmarks], side)
    light = laid_over(actor.neutral.light, creases(rng, marks, side))
    if worn:
        cover, rims = spectacles_on(rng, actor)
        light = laid_over(light, cover)
    if actor.cover is not None:
        light = laid_over(light, actor.cover)
        rims = rims * (1 - actor.cover[..., 3])
    sensor = actor.sensor
    if rng.random() > CLEAN:
        other = worsened(rng, random_sensor(rng, clean=False))
        sensor = replace(other, exposure=sensor.exposure)
    brighter = np.float32(np.exp(rng.normal(0, 0.3)))
    sensor = replace(sensor, exposure=sensor.exposure * brighter)
    shown = expose(sensor, composed(light, actor.background), rng, first=True)
    small = cv2.resize(rims, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return shown, np.asarray(np.rint(255 * small), np.uint8)


def draw_samples(
    rng: np.random.Generator, families: Sequence[HeadModel], split: Split, heads: int
) -> Samples:
    """Draw `EACH` pictures of each of some random `heads`."""
    drawn = []
    for _ in range(heads):
        actor = random_actor(rng, families, split)
        drawn += [picture_of(rng, actor, number < WORN) for number in range(EACH)]
    return Samples(*(np.stack(part) for part in zip(*drawn, strict=True)))


def main(arguments: list[str] | None = None) -> int:
    """Draw samples as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.spectacles.samples")
    parser.add_argument("--out", type=Path, required=True, help=".npz file to write")
    parser.add_argument("--heads", type=int, required=True, help=f"each gives {EACH} pictures")
    parser.add_argument("--packs", type=Path, default=None, help="folder of the head pack")
    parser.add_argument("--split", choices=("train", "test"), default="train")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)

    def work() -> None:
        begin = time.perf_counter()
        rng = np.random.default_rng([options.seed, options.split == "test"])
        samples = draw_samples(rng, load_families(options.packs), options.split, options.heads)
        samples.save(options.out)
        rate = len(samples) / (time.perf_counter() - begin)
        print(f"{options.out}: {len(samples)} pictures, {rate:.1f} a second")

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
