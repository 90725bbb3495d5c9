"""Print how well steadying takes the head's motion, and changing light, out of rendered clips.

Not a test: `python tests/benchmarks/clip_steady.py --packs HEADS [--heads N]`. Heads are of test
identities. Their pictures are moved rigidly by up to 5 pixels of the crop and 3 degrees (warp), or
the head itself sways as far about all axes before the camera (sway). What is printed, in RMS
pixels over the face and the frames:

- off: how far the head's motion as found is from the true one, in all cells of the face that stay
  in sight;
- left: motion left in the flow of the face, which makes no expression;
- between: the same in poses between those that the face is learned from, without noise;
- still: the same where nothing moves, which is the flow's noise alone;
- kept: amplitude of an expression in the swaying head, over that in the still one;
- flicker: motion that light changing by 5 % makes in a still face, evenly and in bands.

Pictures are kept in a folder for the next time (`--keep`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from clip_scenes import EDGE, PICTURE, HeadPose, Scene, swaying
from drawn_heads import heads_parser
from microface.models.heads.expressions import added, expression_weights
from microface.server.clips.steady import Steadied, Steadier
from microface.server.clips.template import template
from microface.server.clips.upright import CELLS

FRAMES = 12
NOISE = 0.01
#: Of the light: amplitude, and beat of 60 Hz light in a camera of 200 frames a second.
FLICKER, BEAT = 0.05, 20 / 200
ACTS = ((("AU4", 0.25),), (("AU12", 0.15), ("AU6", 0.15)), (("AU1", 0.25), ("AU2", 0.2)))


def flat() -> list[HeadPose]:
    """Return the sway in the picture's plane."""
    return [replace(p, yaw=0.0, pitch=0.0, roll=p.roll / 0.8) for p in swaying(FRAMES)]


def lights(
    packs: Path, keep: Path, family: str, number: int
) -> tuple[Scene, dict[str, np.ndarray]]:
    """Return a scene and its pictures in linear light: still, swaying, with expressions."""
    scene = Scene(packs, family, number)
    path = keep / f"steady-{family}-{number}.npz"
    if path.is_file():
        with np.load(path) as stored:
            if "between" in stored:
                return scene, {name: stored[name].astype(np.float32) for name in stored.files}
    poses = swaying(FRAMES)
    made = {"still": [scene.light({})]}
    made["any"] = [scene.light({}, p) for p in poses]
    made["between"] = [scene.light({}, p) for p in swaying(2 * FRAMES)[1::2]]
    for index, act in enumerate(ACTS):
        weights: dict[str, float] = {}
        for unit, amount in act:
            weights = added(weights, expression_weights(unit, amount, amount))
        made[f"act {index}"] = [scene.light(weights)]
        made[f"act {index} swaying"] = [scene.light(weights, p) for p in poses[:: FRAMES // 4]]
    stacks = {name: np.stack(pictures).astype(np.float16) for name, pictures in made.items()}
    keep.mkdir(parents=True, exist_ok=True)
    np.savez(path, **stacks)
    return scene, {name: stack.astype(np.float32) for name, stack in stacks.items()}


def steadied(
    scene: Scene, made: dict[str, np.ndarray], name: str, noise: float
) -> tuple[list[Steadied], Steadier]:
    """Return the steadied pictures of that name, and what steadied them."""
    rng = np.random.default_rng(5)
    steadier = Steadier(scene.filmed(made["still"][0], rng, noise=noise), scene.crop)
    pictures = [scene.filmed(light, rng, noise=noise) for light in made[name]]
    if name not in ("still", "warp"):
        turned = made["any"]
        steadier.learn_face([scene.filmed(light, rng, noise=noise) for light in turned])
    return [steadier.steady(picture) for picture in pictures], steadier


def flows(scene: Scene, made: dict[str, np.ndarray], name: str, noise: float) -> np.ndarray:
    """Return the steadied flows (T, 64, 64, 2) of the pictures of that name."""
    return np.stack([s.flow for s in steadied(scene, made, name, noise)[0]])


def rms(flow: np.ndarray) -> float:
    """Return the root mean square length over the face."""
    face = template(CELLS).face > 0.9
    return float(np.sqrt((flow[:, face] ** 2).sum(-1).mean()))


def similarity(pose: HeadPose) -> np.ndarray:
    """Return the (2, 3) map of a picture's columns and rows that a pose in the plane makes."""
    middle = ((PICTURE - 1) / 2, (PICTURE - 1) / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, pose.roll, 1.0))
    matrix[:, 2] += pose.x, pose.y
    return matrix


def warp_residual(scene: Scene, found: list[Steadied], steadier: Steadier) -> float:
    """Return how far the head's motion as found is off where the picture is moved."""
    face = template(CELLS).face > 0.9
    at = (np.stack(np.meshgrid(np.arange(CELLS), np.arange(CELLS)), -1) + 0.5) * 4 - 0.5 + EDGE
    off = []
    for pose, one in zip(flat(), found, strict=True):
        matrix = similarity(pose)
        true = at @ matrix[:, :2].T + matrix[:, 2] - at
        off.append((steadier.motion_of(one.pose) - true)[face])
    return float(np.sqrt((np.stack(off) ** 2).sum(-1).mean()))


def sway_residual(scene: Scene, found: list[Steadied], steadier: Steadier) -> float:
    """Return how far the head's motion as found is off where the head turns."""
    face = template(CELLS).face > 0.9
    told = np.stack([steadier.motion_of(one.pose) for one in found])
    off = (told - true_sways(scene))[:, face]
    return float(np.sqrt(np.nanmean((off**2).sum(-1))))


@cache
def true_sways(scene: Scene) -> np.ndarray:
    """Return the true flows (T, 64, 64, 2) of the swaying head."""
    return np.stack([scene.swayed(pose) for pose in swaying(FRAMES)])


def flicker(scene: Scene, light: np.ndarray, bands: bool) -> float:
    """Return the motion (RMS pixels) that flicker makes in a still face without noise."""
    rng = np.random.default_rng(6)
    steadier = Steadier(scene.filmed(light, rng), scene.crop)
    rows = np.arange(PICTURE)[:, None, None] / PICTURE
    found = []
    for frame in range(10):
        phase = 2 * np.pi * (BEAT * frame + (1.7 * rows if bands else 0 * rows))
        gain = (1 + FLICKER * np.sin(phase)).astype(np.float32)
        found.append(steadier.steady(scene.filmed(light, rng, gain=gain)).flow)
    return rms(np.stack(found))


def row(scene: Scene, made: dict[str, np.ndarray]) -> list[float]:
    """Return one head's figures, in the table's order."""
    matrices = [similarity(pose) for pose in flat()]
    still = made["still"][0]
    size = (PICTURE, PICTURE)
    edge = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    made["warp"] = np.stack([cv2.warpAffine(still, m, size, **edge) for m in matrices])
    made["still"] = np.stack([still] * 3)
    figures = []
    for residual, name in ((warp_residual, "warp"), (sway_residual, "any")):
        for noise in (0.0, NOISE):
            found, steadier = steadied(scene, made, name, noise)
            figures.append(residual(scene, found, steadier))
            figures.append(rms(np.stack([one.flow for one in found])))
    figures.append(rms(flows(scene, made, "between", 0.0)))
    figures.append(rms(flows(scene, made, "still", NOISE)))
    kept = []
    for index in range(len(ACTS)):
        # Noise in what the amplitude is compared with would make less of it.
        still_flow = flows(scene, made, f"act {index}", 0.0)[0]
        worth = np.hypot(still_flow[..., 0], still_flow[..., 1]) > 0.25
        for flow in flows(scene, made, f"act {index} swaying", NOISE):
            along = (flow[worth] * still_flow[worth]).sum()
            kept.append(float(along / (still_flow[worth] ** 2).sum()))
    figures += [float(np.median(kept)), float(np.min(kept)), float(np.max(kept))]
    return figures + [flicker(scene, still, bands) for bands in (False, True)]


def main() -> None:
    """Print the table."""
    parser = heads_parser(__doc__)
    parser.add_argument("--heads", type=int, default=4)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(
        "                warp, clean   with noise     sway, clean   with noise\n"
        "head            off    left   off    left    off    left   off    left   between  still"
        "   kept (min, max)       flicker, in bands"
    )
    rows = []
    for index in range(arguments.heads):
        family = ("ict", "makehuman")[index % 2]
        scene, made = lights(arguments.packs, arguments.keep, family, index // 2)
        rows.append(row(scene, made))
        _print(f"{family} {index // 2}", rows[-1])
    _print("median", [float(v) for v in np.median(rows, axis=0)])


def _print(name: str, figures: list[float]) -> None:
    warp, sway = ("  ".join(f"{v:.3f}" for v in part) for part in (figures[:4], figures[4:8]))
    between, still, kept, least, most, even, bands = figures[8:]
    print(
        f"{name:15} {warp}   {sway}  {between:.3f}    {still:.3f}"
        f"   {kept:.3f} ({least:.3f}, {most:.3f})  {even:.4f}   {bands:.4f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
