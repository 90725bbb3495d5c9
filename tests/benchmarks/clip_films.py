"""Films of rendered heads, long or short, with known expressions, blinks, shake, flicker and noise.

An expression is drawn at a few levels and blended between them, in linear light, so that a long
film costs some dozens of drawings. Drawings are kept in a folder for the next time. Speech, and
what a face does at the same time as something else, is drawn frame by frame.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from clip_scenes import EDGE, PICTURE, STILL, HeadPose, Scene
from clip_speech import Speech
from digests import digest_of, modules_of
from microface.models import heads
from microface.models.heads.expressions import added, expression_weights
from microface.server import clips
from microface.server.clips.basis import OTHERS
from microface.server.clips.dense import pooled, quick_flow
from microface.server.clips.eyelids import eyes_seen
from microface.server.clips.face import find_face
from microface.server.clips.measure import neutral_and_face
from microface.server.clips.spot import MICRO_SECONDS, Kind
from microface.server.clips.steady import Steadier
from microface.server.clips.template import template
from microface.server.engine.runtime import WEIGHTS, OnnxRuntime

#: An action unit, or a gaze of the basis, with its intensities on the left and on the right.
Act = tuple[tuple[str, float, float], ...]

BLINK: Act = (("AU45", 1.0, 1.0),)
#: Levels between rest and peak of an expression of a few pixels, a blink or a turn.
LEVELS = 6


def act_weights(act: Act, share: float = 1.0) -> dict[str, float]:
    """Return canonical amounts of an act at a share of its intensities."""
    weights: dict[str, float] = {}
    for unit, left, right in act:
        if unit in OTHERS:
            more = {name: share * left * amount for name, amount in OTHERS[unit].items()}
        else:
            more = expression_weights(unit, share * left, share * right)
        weights = added(weights, more)
    return weights


@dataclass(frozen=True)
class Episode:
    """Something a face does: rises from `onset`, is held about `apex` for `hold`, is over at
    `offset` (seconds). `act` is an expression, a blink or a gaze; None is a turn of the head."""

    onset: float
    apex: float
    offset: float
    act: Act | None
    hold: float = 0.02

    @property
    def kind(self) -> Kind:
        """What it is, in the words of spotting."""
        if self.act is None:
            return "head"
        if self.act[0][0] == "AU45":
            return "blink"
        if self.act[0][0] in OTHERS:
            return "gaze"
        return "micro" if self.offset - self.onset <= MICRO_SECONDS else "macro"

    def share(self, seconds: float) -> float:
        """Return how far it is under way at a time, 0..1."""
        rise = (seconds - self.onset) / (self.apex - self.hold / 2 - self.onset)
        fall = (self.offset - seconds) / (self.offset - self.apex - self.hold / 2)
        u = min(1.0, max(0.0, min(rise, fall)))
        return u * u * (3 - 2 * u)


#: What a film shows.
Shown = Episode | Speech


class Stage:
    """A head whose drawings are kept, and the films made of them."""

    def __init__(self, packs: Path, keep: Path, family: str, number: int) -> None:
        self._packs = packs
        self.place = (family, number)
        self._keep = keep / f"{family}-{number}"
        self._scene: Scene | None = None
        self._held: dict[Act | None, np.ndarray] = {}

    @property
    def scene(self) -> Scene:
        """The scene, made when it is first needed."""
        if self._scene is None:
            self._scene = Scene(self._packs, *self.place)
        return self._scene

    def levels(self, act: Act | None, levels: int = LEVELS) -> np.ndarray:
        """Return the drawings (levels + 1, 288, 288, 3) of an act, or of a turn of 3 degrees."""
        name = hashlib.sha256(json.dumps([DRAWING, act, levels]).encode()).hexdigest()[:16]
        path = self._keep / f"{name}.npz"
        if path.is_file():
            with np.load(path) as stored:
                return np.asarray(stored["light"])
        drawn = [self.scene.light({})]
        for level in range(1, levels + 1):
            share = level / levels
            if act is None:
                drawn.append(self.scene.light({}, _turned(share)))
            else:
                drawn.append(self.scene.light(act_weights(act, share)))
        light = np.stack(drawn).astype(np.float16)
        self._keep.mkdir(parents=True, exist_ok=True)
        np.savez(path, light=light)
        return light

    def film(
        self,
        episodes: Sequence[Shown],
        times: Sequence[float],
        seed: int,
        *,
        noise: float = 0.01,
        flicker: float = 0.01,
        shake: float = 3.0,
        levels: int = LEVELS,
    ) -> Iterator[np.ndarray]:
        """Yield the frames (288, 288, 3) uint8 at `times` (seconds).

        `noise` and `flicker` are standard deviations, shares of full scale and of the light;
        `shake` is the most that the head strays, in pixels.
        """
        rng = np.random.default_rng([seed, 9])
        for seconds, (x, y, roll) in zip(times, shaking(times, rng, shake), strict=True):
            light = self._light(episodes, seconds, levels)
            middle = ((PICTURE - 1) / 2, (PICTURE - 1) / 2)
            matrix = np.asarray(cv2.getRotationMatrix2D(middle, roll, 1.0))
            matrix[:, 2] += x, y
            moved = cv2.warpAffine(
                light, matrix, (PICTURE, PICTURE), flags=cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            gain = 1 + float(rng.normal(0, flicker))
            yield self.scene.filmed(np.maximum(moved, 0), rng, noise=noise, gain=gain)

    def _light(self, episodes: Sequence[Shown], seconds: float, levels: int) -> np.ndarray:
        """Return the linear light (288, 288, 3) of what a face does at a time."""
        under_way = [e for e in episodes if e.onset < seconds < e.offset]
        if len(under_way) == 1 and isinstance(only := under_way[0], Episode):
            if only.act not in self._held:
                self._held[only.act] = self.levels(only.act, levels)
            return _between(self._held[only.act], only.share(seconds))
        weights: dict[str, float] = {}
        pose = STILL
        for episode in under_way:
            if isinstance(episode, Speech):
                weights = added(weights, episode.weights(seconds))
            elif episode.act is None:
                pose = _turned(episode.share(seconds))
            else:
                weights = added(weights, act_weights(episode.act, episode.share(seconds)))
        return self.scene.light(weights, pose)


@dataclass(frozen=True)
class Filmed:
    """What steadying makes of a film of T frames: flows (T, 32, 32, 2), how far to trust them
    (T, 32, 32), and the head's poses (T, 6).

    `eyes` (T, 2) is how much is seen of them. `plain` (T, 32, 32, 2) are flows as they were before:
    dense inverse search on the pictures, less the similarity that fits the face best.
    """

    times: np.ndarray
    flows: np.ndarray
    trust: np.ndarray
    poses: np.ndarray
    eyes: np.ndarray
    plain: np.ndarray


def steadied(
    stage: Stage,
    episodes: Sequence[Shown],
    times: np.ndarray,
    seed: int,
    keep: Path,
    levels: int = LEVELS,
) -> Filmed:
    """Return the steadied film, kept in a folder by what it shows and by the code that made it."""
    made = [STEADYING, DRAWING, stage.place, seed, levels, times.tolist()]
    made += [dataclasses.astuple(e) for e in episodes]
    name = hashlib.sha256(json.dumps(made).encode()).hexdigest()[:16]
    path = keep / f"steadied-{name}.npz"
    if not path.is_file():
        frames = list(stage.film(episodes, times.tolist(), seed, levels=levels))
        encode = OnnxRuntime().encode
        face = dataclasses.replace(find_face(frames[0], encode, "the film"), crop=stage.scene.crop)
        neutral, _ = neutral_and_face(frames, times, encode, 0, face)
        steadier = Steadier(neutral.image, stage.scene.crop)
        steadier.learn_face(frames)
        steady = list(steadier.motions(frames))
        maps = {
            "flows": np.stack([pooled(s.flow, 32) for s in steady]),
            "trust": np.stack([pooled(s.trust, 32) for s in steady]),
            "plain": plain_flows(neutral.image, frames),
        }
        keep.mkdir(parents=True, exist_ok=True)
        halves = {name: values.astype(np.float16) for name, values in maps.items()}
        poses = np.stack([s.pose for s in steady])
        eyes = eyes_seen(frames, stage.scene.crop, poses)
        np.savez(path, poses=poses, eyes=eyes, **halves)
    with np.load(path) as stored:
        flows, trust, plain = (stored[n].astype(np.float32) for n in ("flows", "trust", "plain"))
        return Filmed(times, flows, trust, stored["poses"], stored["eyes"], plain)


def plain_flows(neutral: np.ndarray, frames: Sequence[np.ndarray]) -> np.ndarray:
    """Return the flows (T, 32, 32, 2) of frames less the similarity that fits the face best."""
    face = template(32).face > 0.5
    x, y = template(32).x[face], template(32).y[face]
    nothing, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([x, -y, one, nothing], -1)
    columns = np.concatenate([across, np.stack([y, x, nothing, one], -1)])
    rest = _half(neutral)
    found = np.zeros((len(frames), 32, 32, 2), np.float32)
    for index, frame in enumerate(frames):
        flow = 2 * quick_flow(rest, _half(frame), 32)
        seen = np.concatenate([flow[face][:, 0], flow[face][:, 1]])
        rigid = columns @ np.linalg.lstsq(columns, seen, rcond=None)[0]
        found[index][face] = (seen - rigid).reshape(2, -1).T
    return found


def _half(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture[EDGE:-EDGE, EDGE:-EDGE], cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (128, 128), interpolation=cv2.INTER_AREA))


def _steadying() -> str:
    """Return a digest of the code that steadies and of the network that finds keypoints for it."""
    folder = Path(clips.__file__).parent
    files = [*folder.glob("*.npz"), *folder.glob("*.py")]
    files = [path for path in files if not path.stem.startswith(("spot", "describe"))]
    return digest_of(*files, WEIGHTS / "encode.onnx")


#: Digests of the code that steadies, and of the code that draws heads.
STEADYING, DRAWING = _steadying(), digest_of(*modules_of(heads))


def shaking(times: Sequence[float], rng: np.random.Generator, pixels: float) -> np.ndarray:
    """Return a head's shake (T, 3): x, y in pixels, roll in degrees; 0 at the first frame."""
    seconds = np.asarray(times)
    waves = []
    for extent in (pixels, pixels, 1.0):
        parts = [
            np.sin(2 * np.pi * (rng.uniform(0.3, 2.5) * seconds + rng.uniform())) for _ in range(3)
        ]
        wave = np.sum(parts, axis=0)
        wave -= wave[0]
        waves.append(extent * wave / max(1e-9, float(np.abs(wave).max())))
    return np.stack(waves, -1)


def _turned(share: float) -> HeadPose:
    """Return the head's pose in a turn of 3 degrees that is under way by a share."""
    return HeadPose(yaw=3.0 * share, pitch=-1.0 * share)


def _between(levels: np.ndarray, share: float) -> np.ndarray:
    place = share * (len(levels) - 1)
    low = min(int(place), len(levels) - 2)
    part = np.float32(place - low)
    blended = (1 - part) * levels[low].astype(np.float32) + part * levels[low + 1]
    return np.asarray(blended, np.float32)
