"""Print how spectacles on characters are found, and what keeping them still is worth.

Heads that training never saw, with spectacles of many kinds and without, on which another head's
expression is put, as the server does it from two pictures of the source. Errors are mean
differences to the character's true frame, in levels of 255: on rims, and on what lies within six
pixels of them.

    python tests/benchmarks/spectacles_kept.py --packs HEADS [--heads 48] [--seed 5]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from microface.models.evaluation.measures import about
from microface.models.heads.actor import Actor, make_actor
from microface.models.heads.pairs import SOURCE_FRAMING, Pair, choose_heads, make_pair, random_act
from microface.models.heads.setting import SIZE
from microface.models.heads.write import load_families
from microface.models.spectacles.samples import random_actor, spectacles_on
from microface.server.clips.clip import Clip
from microface.server.engine.pipeline import Retargeting
from microface.server.engine.runtime import OnnxRuntime

#: Largest of the true motion, in pixels, from which on a pair shows an expression.
MOVING = 1.0
#: Pixels about rims that are looked at.
NEAR = 6


def worn(rng: np.random.Generator, actor: Actor) -> tuple[Actor, np.ndarray]:
    """Return an actor with spectacles, and what of each pixel (256, 256) they hide."""
    cover, hidden = spectacles_on(rng, actor)
    small = cv2.resize(hidden, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return replace(actor, cover=cover), np.asarray(small, np.float32)


def clip_of(pair: Pair) -> Clip:
    """Return a pair's source as a clip that rests and then shows the expression."""
    frames = [pair.source_neutral] * 2 + [pair.source_frame] * 3
    return Clip(frames, np.arange(5) / 25, Fraction(25), "drawn", "0" * 64)


def last_frame(pair: Pair, runtime: OnnxRuntime, keep: bool) -> tuple[np.ndarray, bool]:
    """Return the frame (256, 256, 3) that is made, and whether spectacles were found."""
    work = Retargeting(
        pair.character_neutral, clip_of(pair), 1.0, runtime, neutral_frame=0, keep_spectacles=keep
    )
    frames = list(work)
    return frames[-1].image, any("spectacles" in note for note in work.summary()["notes"])


def main() -> None:
    """Draw the heads and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packs", type=Path, required=True, help="folder of the head pack")
    parser.add_argument("--heads", type=int, default=48)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    runtime = OnnxRuntime(threads=1)
    families = load_families(given.packs)
    rng = np.random.default_rng(given.seed)
    found = wrongly = 0
    errors: dict[str, list[tuple[float, float]]] = {"neutral": [], "move": [], "still": []}
    while len(errors["still"]) < given.heads:
        head = choose_heads(rng, families, "test")[0]
        source = make_actor(rng, head, SOURCE_FRAMING, clean=False)
        bare = replace(random_actor(rng, families, "test"), cover=None)
        character, hidden = worn(rng, bare)
        pair = make_pair(rng, source, character, *random_act(rng, "test"))
        if np.abs(pair.character_backward.astype(np.float32)).max() < MOVING:
            continue
        plain = make_pair(rng, source, bare, {})
        wrongly += last_frame(plain, runtime, True)[1]
        still, seen = last_frame(pair, runtime, True)
        found += seen
        rims = hidden > 0.5
        beside = about(rims, NEAR) & ~rims
        made = {
            "neutral": pair.character_neutral,
            "move": last_frame(pair, runtime, False)[0],
            "still": still,
        }
        for name, picture in made.items():
            off = np.abs(picture.astype(float) - pair.character_frame).mean(-1)
            errors[name].append((off[rims].mean() if rims.any() else 0, off[beside].mean()))
    print(f"found on {found} of {given.heads} that wear spectacles, on {wrongly} that wear none\n")
    print("| spectacles | error on rims | beside them |\n|---|---|---|")
    for name, rows in errors.items():
        on, near = np.mean(rows, axis=0)
        print(f"| {name} | {on:.2f} | {near:.2f} |")


if __name__ == "__main__":
    main()
