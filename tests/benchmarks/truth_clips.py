"""Source clips with known weights, the character they go to, and the motion that comes back.

Rendered clips and retargeted motions are kept in a folder outside the tree, so that a change of
the solve is measured in seconds; motions are kept by the hash of weights and pipeline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from digests import digest_of, modules_of
from microface.addon.bake.doubts import trust_at
from microface.addon.bake.shown import face_crop, units_shown
from microface.models.heads.curves import Curve, random_curve
from microface.models.heads.expressions import ONE_SIDED, expression_weights
from microface.models.heads.families import TEST_IDENTITIES_FROM, HeadModel, RenderHead
from microface.models.heads.keypoints import keypoints_from_landmarks
from microface.models.heads.packs import load_ict, load_makehuman
from microface.models.heads.procedural import ProceduralFamily
from microface.models.heads.render import SUPERSAMPLING, Look, draw, prepare_look, vertex_normals
from microface.models.heads.scene import (
    Camera,
    Framing,
    composed,
    crop_of,
    random_background,
    random_camera,
    random_light,
    rotation,
)
from microface.models.heads.sensor import expose, random_sensor
from microface.server.clips.clip import Clip
from microface.server.engine.pipeline import retarget
from microface.server.engine.runtime import OnnxRuntime

SIZE, FPS, FRAMES = 256, 100, 40
#: Acts: units with their share of the clip's strength. Every common unit, and the common pairs.
ACTS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("AU4", 1.0),), (("AU12", 1.0),), (("AU1", 1.0),), (("AU14", 1.0),),
    (("AU6", 1.0), ("AU12", 0.8)), (("AU2", 1.0),), (("AU9", 1.0),), (("AU15", 1.0),),
    (("AU4", 1.0), ("AU7", 0.9)), (("AU10", 1.0),), (("AU1", 1.0), ("AU2", 0.9)),
    (("AU20", 1.0),), (("AU15", 0.8), ("AU17", 1.0)), (("AU7", 1.0),), (("AU24", 1.0),),
    (("AU25", 1.0),), (("AU4", 0.9), ("AU9", 1.0)), (("AU5", 1.0),), (("AU26", 0.6),),
    (("AU16", 1.0),), (("AU12", 1.0), ("AU15", 0.7)), (("AU17", 1.0),), (("AU6", 1.0),),
    (("AU18", 1.0),),
)  # fmt: skip
#: Clips in which one side alone moves, of the acts that are seen so.
SIDED_SHARE = 0.5
ACTS_OF_ONE_SIDE = tuple(act for act in ACTS if all(unit in ONE_SIDED for unit, _ in act))
#: A surface at a steeper angle than this (cosine) is not trusted; `addon.character.view` likewise.
SQUARE_ENOUGH, COUNTING_SHARE, MOST_VERTICES = 0.15, 0.02, 5000
SEEN_CENTIMETRES = 0.2


@dataclass(frozen=True)
class Case:
    """One clip: `kind` is "same", "cross", "across" or "sided" (as cross, and one side alone
    moves); heads as (family, identity)."""

    kind: str
    number: int
    source: tuple[str, int]
    character: tuple[str, int]

    @property
    def key(self) -> str:
        """A name that says it all."""
        return f"{self.kind}-{self.number:02d}-{self.source[0]}-{self.character[0]}"


@dataclass(frozen=True)
class Truth:
    """A rendered clip and what is known of it.

    `source` (T,256,256,3) and `neutral` (256,256,3) uint8; `names` (S) of the character's keys;
    `weights` (T,S) true; `exact` (T,V,2) true motion in pixels at the V visible vertices of
    `pixels` (V,2); `jacobian` (V,2,S), `confidence` (V,), `apex` seconds; `side` -1 right, 1
    left, 0 both.
    """

    case: Case
    source: np.ndarray
    neutral: np.ndarray
    times: np.ndarray
    names: tuple[str, ...]
    weights: np.ndarray
    exact: np.ndarray
    pixels: np.ndarray
    jacobian: np.ndarray
    confidence: np.ndarray
    side: int
    act: str


def cases(same: int, cross: int, across: int, first: int = 0, sided: int = 0) -> list[Case]:
    """Return as many cases of each kind, the same ones every time, from the number `first` on."""
    made = []
    families = ("makehuman", "ict", "procedural")
    for number in range(first, first + same):
        head = (families[number % 3], TEST_IDENTITIES_FROM + 100 + number)
        made.append(Case("same", number, head, head))
    for number in range(first, first + cross):
        family = ("makehuman", "ict", "makehuman", "ict", "procedural")[number % 5]
        heads = [(family, TEST_IDENTITIES_FROM + 1000 + 2 * number + i) for i in (0, 1)]
        made.append(Case("cross", number, heads[0], heads[1]))
    ways = (("makehuman", "ict"), ("ict", "makehuman"), ("ict", "procedural"),
            ("makehuman", "procedural"))  # fmt: skip
    for number in range(first, first + across):
        one, other = ways[number % len(ways)]
        base = TEST_IDENTITIES_FROM + 3000 + 2 * number
        made.append(Case("across", number, (one, base), (other, base + 1)))
    for number in range(first, first + sided):
        family = ("makehuman", "ict", "procedural")[number % 3]
        base = TEST_IDENTITIES_FROM + 5000 + 2 * number
        made.append(Case("sided", number, (family, base), (family, base + 1)))
    return made


class Clips:
    """Renders cases, or takes them from `folder`; heads are of the pack at `packs`."""

    def __init__(self, packs: Path, folder: Path) -> None:
        self._packs, self._folder = packs, folder
        folder.mkdir(parents=True, exist_ok=True)

    @cache  # noqa: B019 - lives as long as the program
    def _family(self, name: str) -> HeadModel:
        if name == "procedural":
            return ProceduralFamily(self._folder / "built")
        return {"ict": load_ict, "makehuman": load_makehuman}[name](self._packs)

    def clip(self, case: Case) -> Truth:
        """Return a case, rendered once and for all."""
        path = self._folder / f"{case.key}-{FRAMES}-{drawing_digest()[:12]}.npz"
        if not path.is_file():
            made = self._render(case)
            arrays = {k: np.asarray(v) for k, v in vars(made).items() if k != "case"}
            aside = path.with_suffix(".part")
            with aside.open("wb") as file:
                np.savez(file, **arrays)
            aside.replace(path)
        with np.load(path) as stored:
            values: dict[str, Any] = {name: stored[name] for name in stored.files}
        values["names"] = tuple(str(n) for n in values["names"])
        values["side"], values["act"] = int(values["side"]), str(values["act"])
        return Truth(case=case, **values)

    def _render(self, case: Case) -> Truth:
        offset = {"same": 0, "cross": 1, "across": 2, "sided": 3}[case.kind]
        rng = np.random.default_rng([case.number, offset, 77])
        source = self._family(case.source[0]).sample(case.source[1])
        character = self._family(case.character[0]).sample(case.character[1])
        # Cross cases take the acts in order; the few others start elsewhere in the list.
        acts = ACTS_OF_ONE_SIDE if case.kind == "sided" else ACTS
        act = acts[(case.number + 5 * offset - 5) % len(acts)]
        amounts, side = _amounts(rng, act, 1.0 if case.kind == "sided" else SIDED_SHARE)
        camera = random_camera(rng, source.rest, source.landmarks, Framing(yaw=8, pitch=7))
        light, background = random_light(rng), random_background(rng, SIZE)
        pictures = _filmed(rng, source, camera, light, background, amounts, clean=False)
        if case.kind != "same":
            camera, light = _facing(character), random_light(rng)
        neutral = _filmed(rng, character, camera, light, background, amounts[:1], clean=True)[0]
        return _measured(case, character, camera, amounts, pictures, neutral, side, act)


def _amounts(
    rng: np.random.Generator, act: tuple[tuple[str, float], ...], sided_share: float
) -> tuple[list[dict[str, float]], int]:
    """Return canonical amounts by expression for each frame, and the side that moves."""
    strength = float(rng.uniform(0.15, 0.45))
    main = random_curve(rng, 1.0, onset=float(rng.uniform(0.04, 0.06)))
    side = 0
    if all(unit in ONE_SIDED for unit, _ in act) and rng.random() < sided_share:
        side = int(rng.choice([-1, 1]))
    lean = 1.0 if side else float(rng.uniform(0.9, 1.1))
    frames: list[dict[str, float]] = []
    curves: list[tuple[str, float, Curve]] = []
    for unit, share in act:
        late = 0.0 if not curves else float(rng.uniform(-0.02, 0.02))
        curves.append((unit, strength * share, main.shifted(late)))
    for frame in range(FRAMES):
        total: dict[str, float] = {}
        for unit, height, curve in curves:
            amount = height * float(curve.at(frame / FPS))
            left = amount * lean if side >= 0 else 0.0
            right = amount / lean if side <= 0 else 0.0
            for name, value in expression_weights(unit, left, right).items():
                total[name] = total.get(name, 0.0) + value
        frames.append(total)
    return frames, side


def _facing(head: RenderHead) -> Camera:
    """Return a long lens straight on the face, as the add-on frames it."""
    camera = Camera(rotation(0, 0), 120.0, np.eye(2, 3, dtype=np.float32))
    points = keypoints_from_landmarks(camera.plane(head.rest[head.landmarks])[:, :2])
    return replace(camera, crop=crop_of(points, 1.1))


def _filmed(
    rng: np.random.Generator,
    head: RenderHead,
    camera: Camera,
    light: Any,
    background: np.ndarray,
    amounts: list[dict[str, float]],
    *,
    clean: bool,
) -> np.ndarray:
    """Return the frames (T,256,256,3) uint8 that a camera takes of a head that acts."""
    look: Look = prepare_look(head, head.rest, camera, light)
    still = draw(head, head.rest, look, SIZE)
    sensor = random_sensor(rng, clean=clean)
    level = float(still.light.reshape(-1, 4)[still.pixel, :3].mean())
    sensor = replace(sensor, exposure=sensor.exposure * np.float32(0.22 / max(level, 1e-3)))
    behind = background * np.float32(max(level, 1e-3) / 0.22)
    frames = []
    for index, weights in enumerate(amounts):
        moves = any(weights.values())
        drawn = draw(head, head.posed(weights), look, SIZE, still) if moves else still
        frames.append(expose(sensor, composed(drawn.light, behind), rng, first=index == 0))
    return np.stack(frames)


def _measured(
    case: Case,
    head: RenderHead,
    camera: Camera,
    amounts: list[dict[str, float]],
    pictures: np.ndarray,
    neutral: np.ndarray,
    side: int,
    act: tuple[tuple[str, float], ...],
) -> Truth:
    names, deltas = unique_keys(head)
    rest = camera.project(head.rest, SIZE)
    chosen = visible(head, camera, rest, deltas)
    places = rest[chosen, :2].astype(np.float64) - 0.5
    step = 0.25
    jacobian = np.empty((len(chosen), 2, len(names)), np.float16)
    for index in range(len(names)):
        moved = camera.project(head.rest[chosen] + np.float32(step) * deltas[index, chosen], SIZE)
        jacobian[:, :, index] = (moved[:, :2] - rest[chosen, :2]) / step
    exact = np.stack(
        [camera.project(head.posed(a)[chosen], SIZE)[:, :2] - rest[chosen, :2] for a in amounts]
    )
    weights = np.zeros((len(amounts), len(names)))
    for frame, entries in enumerate(amounts):
        for name, amount in entries.items():
            if name in names:
                weights[frame, names.index(name)] = amount * head.gains[head.index[name]]
    return Truth(
        case, pictures, neutral, np.arange(len(amounts)) / FPS, names, weights, exact, places,
        jacobian, facing(head, camera)[chosen].astype(np.float32), side,
        "+".join(unit for unit, _ in act),
    )  # fmt: skip


def unique_keys(head: RenderHead) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names (S) and displacements (S,V,3) of a head's keys, without those that are the
    sum of two others, for which no weight is the true one."""
    kept = [i for i, name in enumerate(head.names) if name + "Left" not in head.names]
    return tuple(head.names[i] for i in kept), head.deltas[kept]


def facing(head: RenderHead, camera: Camera) -> np.ndarray:
    """Return the cosine (V,) between each vertex's normal and the direction to the camera."""
    turned = head.rest @ camera.rotation.T
    towards = np.array([0, 0, camera.distance], np.float32) - turned
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return np.asarray((vertex_normals(turned, head.triangles[head.surface == 0]) * towards).sum(1))


def visible(head: RenderHead, camera: Camera, points: np.ndarray, deltas: np.ndarray) -> np.ndarray:
    """Return the skin's vertices that are seen and count, as `addon.character.view` picks them."""
    light = random_light(np.random.default_rng(0))
    drawn = draw(head, head.rest, prepare_look(head, head.rest, camera, light), SIZE)
    side = SIZE * SUPERSAMPLING
    column = np.floor(points[:, 0] * SUPERSAMPLING).astype(np.int64)
    row = np.floor(points[:, 1] * SUPERSAMPLING).astype(np.int64)
    inside = (column >= 0) & (row >= 0) & (column < side) & (row < side)
    first = drawn.raster.depth[row.clip(0, side - 1), column.clip(0, side - 1)]
    square = facing(head, camera)
    reach = np.sqrt((deltas**2).sum(2)).max(0)
    usable = inside & (points[:, 2] <= first + SEEN_CENTIMETRES) & (square > SQUARE_ENOUGH)
    usable &= reach > COUNTING_SHARE * float(np.percentile(reach, 99.5))
    skin = np.zeros(len(points), np.bool_)
    skin[head.triangles[head.surface == 0]] = True
    order = np.flatnonzero(usable & skin)
    order = order[np.argsort(-square[order], kind="stable")]
    cell = 1.0
    while len(order) > MOST_VERTICES:
        grid = np.floor(points[order, :2] / cell).astype(np.int64)
        _, kept = np.unique(grid[:, 1] * 4 * SIZE + grid[:, 0], return_index=True)
        order = order[np.sort(kept)] if len(kept) <= MOST_VERTICES else order
        cell *= 1.25
    return np.sort(order)


@cache
def drawing_digest() -> str:
    """Return a hash of the code that draws clips."""
    from microface import head
    from microface.models import heads

    return digest_of(Path(__file__), *modules_of(head, heads))


def pipeline_digest() -> str:
    """Return a hash of the code that turns a clip into motion."""
    from microface.server import clips, engine

    files = [
        path
        for path in modules_of(clips, engine)
        if not path.name.startswith(("solve", "priors", "bounded"))
    ]
    return digest_of(*files)


def motion_of(truth: Truth, runtime: OnnxRuntime, folder: Path) -> Mapping[str, np.ndarray]:
    """Return what the pipeline says: `motion` (T,256,256,2) float16 on the neutral, `edges`
    (T,256,256) uint8, `trust` (V,) in it at the character's vertices, `units` (U,2) that the source
    shows, `source_flow` (T,64,64,2), both faces' points and the character's crop (x, y, side,
    roll)."""
    hashed = hashlib.sha256(truth.source.tobytes() + truth.neutral.tobytes())
    hashed.update(repr(sorted(runtime.hashes.items())).encode() + pipeline_digest().encode())
    path = folder / f"told-{hashed.hexdigest()[:24]}.npz"
    if not path.is_file():
        clip = Clip(list(truth.source), truth.times, Fraction(FPS), truth.case.key, "0")
        flows: list[np.ndarray] = []
        work = retarget(truth.neutral, clip, 1.0, runtime)
        frames = list(work)
        flows = list(work.source_flows)
        said = work.summary()
        arrays = {
            "motion": np.stack([f.flow for f in frames]),
            "edges": np.stack([f.edge for f in frames]),
            "trust": trust_at(said, truth.pixels),
            "units": units_shown(said),
            "source_flow": np.stack(flows),
            "source_points": work.source_face.within,
            "character_points": work.face.within,
            "character_crop": face_crop(said),
        }
        aside = path.with_suffix(".part")
        with aside.open("wb") as file:
            np.savez(file, **arrays)
        aside.replace(path)
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}
