"""The two parametric families of a head pack: ICT-FaceKit and MakeHuman.

A pack is a folder with `ict.npz`, `makehuman.npz` and their textures; its README gives the arrays.
Everything that does not depend on the identity is put together once, when the family is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .brows import bound_to, brow_heights, brow_landmarks
from .chart import to_chart
from .families import Floats, RenderHead, Surface, gains_of, is_test
from .macros import makehuman_weights
from .makeup import face_tint, teeth_tint
from .openness import vertex_openness
from .skins import Images, hair_colour, skin_gloss, stylise_skin, vary_skin

#: Held back for tests.
TEST_SKIN, TEST_BROW, TEST_EYES = "young_lightskinned_male", "eyebrow005", "grey_eye"
#: What moves the brows.
_BROW_UNITS = ("browInnerUp", "browOuterUp", "browDown")
#: Hairdos that hide a brow or an eye.
_COVERING_HAIR = frozenset({"short03", "braid01"})


@dataclass(frozen=True)
class _Part:
    """A bound part: `first` is the row of its first vertex in the joint mesh."""

    name: str
    kind: str
    first: int
    triangles: NDArray[np.int32]
    uv_triangles: NDArray[np.int32]
    index: NDArray[np.int32]
    weight: Floats
    offset: Floats
    scale_index: NDArray[np.int32]
    scale_reference: Floats

    def at(self, vertices: Floats) -> Floats:
        """Return the part (n, 3) on a head without expression."""
        bound = self.carried(vertices)
        ends = vertices[self.scale_index, np.arange(3)[:, None]]
        scale = np.abs(ends[:, 0] - ends[:, 1]) / self.scale_reference
        return np.asarray(bound + scale * self.offset, dtype=np.float32)

    def carried(self, field: Floats) -> Floats:
        """Return (n, 3) what a displacement field of the head does to the part."""
        return np.asarray((self.weight[:, :, None] * field[self.index]).sum(1), dtype=np.float32)


class PackFamily:
    """A family of a pack; build with `load_ict` or `load_makehuman`."""

    def __init__(self, folder: Path, name: str) -> None:
        file = folder / f"{name}.npz"
        if not file.is_file():
            raise InputError(f"{file} is missing.", "Give the folder of a complete head pack.")
        self.name = name
        self._images = Images(folder)
        with np.load(file) as stored:
            data = {key: stored[key] for key in stored.files}
        self._neutral: Floats = data["neutral"]
        self._identity = data["identity"].astype(np.float32)
        self._identity *= data["identity_scale"].astype(np.float32)[:, None, None]
        self._identity_names = [str(n) for n in data["identity_names"]]
        self._kinds = data.get("identity_kind")
        self._pairs = data.get("identity_pairs")
        self._landmarks: NDArray[np.int32] = data["landmarks"]
        hard = np.isin(data["regions"], ("teeth", "gums_tongue", "eye_left", "eye_right"))
        region = data["region"].astype(np.int64)
        flesh = np.asarray(data["triangles"])[~hard[region]]
        toothed = np.asarray(data["triangles"])[(data["regions"] == "teeth")[region]]
        self._join(data)
        teeth = [np.unique(toothed)]
        teeth += [np.unique(p.triangles) for p in self._parts if p.kind == "teeth"]
        self._teeth = np.concatenate(teeth)
        self._soft = np.zeros(self._deltas.shape[1], np.bool_)
        self._soft[np.unique(flesh)] = True
        for part in self._parts:
            if part.kind in ("brows", "lashes"):
                self._soft[part.first : part.first + len(part.index)] = True
        head = self._plain = self._identified(np.random.default_rng(0), plain=True)
        self._raise_brows()
        self._registered: dict[str, tuple[NDArray[np.int32], Floats]] = {}
        deltas = self._deltas[:, : len(self._neutral)]
        drawn = np.unique(self._skin_triangles)
        self._gains = gains_of(self._names, deltas[:, drawn], head, self._landmarks)
        joint = self._with_parts(head)
        inner = [p.triangles for p in self._parts if p.kind in ("eyes", "teeth", "tongue")]
        solid = np.concatenate([self._skin_triangles, *inner])
        self._openness = vertex_openness(joint, solid)

    def _join(self, data: dict[str, NDArray[np.generic]]) -> None:
        """Put base mesh and parts into one index space, and expressions along."""
        expressions = data["expressions"].astype(np.float32)
        expressions *= data["expression_scale"].astype(np.float32)[:, None, None]
        uv: list[Floats] = [np.asarray(data["uv"], np.float32)]
        first, first_uv = len(self._neutral), len(uv[0])
        parts: list[_Part] = []
        deltas = [expressions]
        for name, kind in zip(data["parts"], data["part_kinds"], strict=True):
            own = {k.split(".")[1]: v for k, v in data.items() if k.startswith(f"{name}.")}
            part = _Part(
                str(name), str(kind), first,
                np.asarray(own["triangles"], np.int32) + np.int32(first),
                np.asarray(own["uv_triangles"], np.int32) + np.int32(first_uv),
                np.asarray(own["bind_index"], np.int32),
                np.asarray(own["bind_weight"], np.float32),
                np.asarray(own["bind_offset"], np.float32),
                np.asarray(own.get("scale_index", data.get("bind_scale_index")), np.int32),
                np.asarray(
                    own.get("scale_reference", data.get("bind_scale_reference")), np.float32
                ),
            )  # fmt: skip
            parts.append(part)
            uv.append(np.asarray(own["uv"], np.float32))
            # Hair hangs before the face: what the skin under it does, it does not.
            if part.kind == "hair":
                deltas.append(np.zeros((len(expressions), len(part.index), 3), np.float32))
            else:
                deltas.append(np.stack([part.carried(e) for e in expressions]))
            first += len(part.index)
            first_uv += len(own["uv"])
        self._parts = tuple(parts)
        self._uv = np.concatenate(uv)
        self._deltas = np.ascontiguousarray(np.concatenate(deltas, axis=1))
        self._names = tuple(str(n) for n in data["expression_names"])
        self._index = {n: i for i, n in enumerate(self._names)}
        textures = np.array([str(t) for t in data["region_texture"]])[data["region"].astype(int)]
        triangles = np.asarray(data["triangles"], np.int32)
        corners = np.asarray(data["uv_triangles"], np.int32)
        self._skin_triangles, self._skin_uv = (
            triangles[textures == "skin"],
            corners[textures == "skin"],
        )
        self._eye_triangles, self._eye_uv = (
            triangles[textures == "eyes"],
            corners[textures == "eyes"],
        )

    def _with_parts(self, vertices: Floats) -> Floats:
        return np.concatenate([vertices, *(p.at(vertices) for p in self._parts)])

    def _identified(self, rng: np.random.Generator, *, plain: bool = False) -> Floats:
        weights = (
            makehuman_weights(rng, self._identity_names, self._kinds, self._pairs, plain=plain)
            if self._kinds is not None and self._pairs is not None
            else np.clip(rng.normal(0, 0 if plain else 0.65, len(self._identity)), -1.6, 1.6)
        )
        shift = np.tensordot(weights.astype(np.float32), self._identity, axes=1)
        vertices = np.asarray(self._neutral + shift, dtype=np.float32)
        if not plain:
            vertices = vertices * rng.normal(1, 0.03, 3).astype(np.float32)
        return vertices

    def sample(self, identity: int) -> RenderHead:
        """Return the head of that number: shape, skin, brows, eyes, lashes, hair."""
        rng = np.random.default_rng([identity, len(self.name)])
        vertices = self._with_parts(self._identified(rng))
        held_out = is_test(identity)
        surfaces: list[Surface] = []
        triangles: list[NDArray[np.int32]] = []
        corners: list[NDArray[np.int32]] = []
        owners: list[int] = []

        def put(tri: NDArray[np.int32], uv: NDArray[np.int32], surface: Surface) -> None:
            triangles.append(tri)
            corners.append(uv)
            owners.append(len(surfaces))
            surfaces.append(surface)

        hair = hair_colour(rng)
        brow_hair = hair * np.float32(rng.uniform(0.15, 0.7))
        brow = self._choose(rng, "brows", ".png", TEST_BROW, held_out)
        skin = self._skin(rng, held_out, brow_hair, brow)
        put(self._skin_triangles, self._skin_uv, skin)
        eyes = self._eyes(rng, held_out, float(skin.rgb.mean()))
        if len(self._eye_triangles):
            put(self._eye_triangles, self._eye_uv, eyes)
        wanted = {"lashes": "", "hair": "", "brows": brow if self.name == "makehuman" else ""}
        if rng.random() < 0.85:
            wanted["lashes"] = f"eyelashes0{rng.integers(1, 5)}"
        if rng.random() < 0.8:
            wanted["hair"] = str(rng.choice(self._hairdos(rng)))
        for part in self._parts:
            if part.kind == "eyes":
                put(part.triangles, part.uv_triangles, eyes)
            elif part.kind in ("teeth", "tongue"):
                gloss = Surface(self._images.rgb(f"{part.kind}.png", 0.25), gloss=0.35)
                put(part.triangles, part.uv_triangles, gloss)
            elif part.name == wanted[part.kind]:
                put(
                    part.triangles,
                    part.uv_triangles,
                    self._card(rng, part, brow_hair if part.kind == "brows" else hair),
                )
        own = np.unique(self._skin_triangles)
        tint = np.ones_like(vertices)
        tint[own] = face_tint(rng, vertices[own], vertices[self._landmarks])
        tint[self._teeth] = teeth_tint(rng.spawn(1)[0])
        counts = [len(t) for t in triangles]
        landmarks, chart = self._register(brow)
        return RenderHead(
            self.name, identity, vertices, np.concatenate(triangles), self._uv,
            np.concatenate(corners), np.repeat(np.array(owners, np.uint8), counts),
            tuple(surfaces), landmarks, self._names, self._deltas, self._gains,
            self._openness, tint, self._soft, chart, self._index,
        )  # fmt: skip

    def _raise_brows(self) -> None:
        """Hang the brows that are parts where the head's own expressions move the skin, all by as
        much: they were made to look well at rest, and hardly move with what is under them."""
        hung = [p for p in self._parts if p.kind == "brows"]
        if not hung:
            return
        joint = self._with_parts(self._plain)
        skin = np.unique(self._skin_triangles)
        skin = skin[joint[skin, 2] > 0]
        motion = np.zeros(len(skin), np.float32)
        for unit in _BROW_UNITS:
            both = sum(self._deltas[self._index[unit + side]][skin] for side in ("Left", "Right"))
            moved = np.linalg.norm(both, axis=1)
            motion += moved / moved.max()
        marks = [joint[self._brow_marks(part.name, joint)] for part in hung]
        heights = np.mean([brow_heights(m, joint[skin], motion) for m in marks], axis=0)
        heights = (heights + heights[::-1])[5:] / 2
        outwards = np.abs(np.mean(marks, axis=0)[5:, 0])
        facing = self._skin_triangles[(joint[self._skin_triangles, 2] > 0).all(1)]
        raised: dict[str, _Part] = {}
        for part in hung:
            places = joint[part.first : part.first + len(part.index)].copy()
            on_skin = bound_to(places, joint, facing)[2]
            places -= on_skin
            places[:, 1] += np.interp(np.abs(places[:, 0]), outwards, heights)
            places -= bound_to(places, joint, facing)[2]
            index, weight, offset = bound_to(places + on_skin, joint, facing)
            raised[part.name] = replace(part, index=index, weight=weight, offset=offset)
        self._parts = tuple(raised.get(p.name, p) for p in self._parts)
        base = self._deltas[:, : len(self._neutral)]
        for part in raised.values():
            rows = slice(part.first, part.first + len(part.index))
            self._deltas[:, rows] = np.stack([part.carried(e) for e in base])

    def _register(self, brow: str) -> tuple[NDArray[np.int32], Floats]:
        """Return the landmarks (68,), those of the brows on a brow's hair, and the chart by them:
        people's brows are known by their hair alone."""
        if brow not in self._registered:
            joint = self._with_parts(self._plain)
            landmarks = self._landmarks.copy()
            landmarks[17:27] = self._brow_marks(brow, joint)
            self._registered[brow] = (landmarks, to_chart(joint, joint[landmarks]))
        return self._registered[brow]

    def _brow_marks(self, brow: str, joint: Floats) -> NDArray[np.int64]:
        """Return the vertices (10,) of a `joint` mesh (V, 3) that lie along the hair of a brow."""
        if self.name == "ict":
            opacity = self._images.rgb(f"brows_ict/{brow}.png", 0.25)[..., 0]
            triangles, corners = self._skin_triangles, self._skin_uv
        else:
            opacity = self._images.alpha(f"brows/{brow}.png")
            part = next(p for p in self._parts if p.name == brow)
            triangles, corners = part.triangles, part.uv_triangles
        vertices, first = np.unique(triangles, return_index=True)
        uv = self._uv[corners.ravel()[first]]
        height, width = opacity.shape
        smooth = cv2.GaussianBlur(opacity, (0, 0), width / 90)
        i = np.clip(uv[:, 0] * width, 0, width - 1).astype(np.int64)
        j = np.clip((1 - uv[:, 1]) * height, 0, height - 1).astype(np.int64)
        places = joint[vertices]
        hairy = smooth[j, i] * (places[:, 2] > 0)
        return np.asarray(vertices[brow_landmarks(places, np.asarray(hairy, np.float32))])

    def _hairdos(self, rng: np.random.Generator) -> list[str]:
        names = [p.name for p in self._parts if p.kind == "hair"]
        if rng.random() < 0.85:
            names = [n for n in names if n not in _COVERING_HAIR]
        return names

    def _choose(
        self, rng: np.random.Generator, folder: str, suffix: str, kept: str, held_out: bool
    ) -> str:
        names = [n for n in self._images.names(folder, suffix) if n != kept]
        choice = str(rng.choice(names))
        return kept if held_out and rng.random() < 0.4 else choice

    def _skin(self, rng: np.random.Generator, held_out: bool, hair: Floats, brow: str) -> Surface:
        folder = "skins_ict" if self.name == "ict" else "skins"
        name = self._choose(rng, folder, ".jpg", TEST_SKIN, held_out)
        rgb = self._images.rgb(f"{folder}/{name}.jpg")
        rgb = stylise_skin(rng, rgb) if rng.random() < 0.12 else vary_skin(rng, rgb)
        if self.name == "ict" and "special_suit" not in name:
            layer = self._images.layer(f"brows_ict/{brow}.png", rgb)
            opacity = (layer * np.float32(rng.uniform(0.75, 1.0)))[..., None]
            rgb = np.asarray(rgb * (1 - opacity) + hair * opacity, dtype=np.float32)
        gloss = skin_gloss(float(rng.uniform(0.02, 0.3)), rgb)
        return Surface(rgb, gloss=gloss, sharpness=float(rng.uniform(6, 30)))

    def _eyes(self, rng: np.random.Generator, held_out: bool, skin_level: float) -> Surface:
        name = self._choose(rng, "eyes", ".png", TEST_EYES, held_out)
        rgb = self._images.rgb(f"eyes/{name}.png", 0.5)
        if name == "brown_eye":
            grey = rgb.mean(2, keepdims=True)
            rgb = grey + np.float32(0.5) * (rgb - grey)
        # Exposed for a dark skin, eyes of full brightness would glow.
        shade = rng.uniform(0.3, 0.75) * float(np.clip(skin_level / 0.22, 0.45, 1.1))
        rgb = rgb * np.float32(shade)
        return Surface(rgb, gloss=float(rng.uniform(0.6, 1.2)), sharpness=180.0)

    def _card(self, rng: np.random.Generator, part: _Part, hair: Floats) -> Surface:
        folder = {"lashes": "lashes", "hair": "hair", "brows": "brows"}[part.kind]
        name = f"{folder}/{part.name}.png"
        rgb = self._images.rgb(name)
        alpha = self._images.alpha(name)
        if part.kind == "lashes":
            return Surface(rgb * np.float32(0.3), alpha, "blend", gloss=0.0)
        if rng.random() < 0.7 or part.kind == "brows":
            grey = self._images.grey(name)
            level = float(np.average(grey, weights=alpha))
            rgb = np.minimum((grey / np.float32(max(level, 1e-3)))[..., None] * hair, 1)
        if part.kind == "brows":
            alpha = alpha * np.float32(rng.uniform(0.75, 1.0))
            return Surface(rgb, alpha, "blend", gloss=0.0)
        return Surface(rgb, alpha, "cutout", gloss=0.15, sharpness=12.0, fixed=True)


def load_ict(folder: Path) -> PackFamily:
    """Load the ICT-FaceKit family from a pack's folder. Raises InputError where it is not one."""
    return PackFamily(folder, "ict")


def load_makehuman(folder: Path) -> PackFamily:
    """Load the MakeHuman family from a pack's folder. Raises InputError where it is not one."""
    return PackFamily(folder, "makehuman")
