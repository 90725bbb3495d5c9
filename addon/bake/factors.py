"""By what a texture's light is multiplied at each pixel of the neutral picture, frame by frame.

The generated pictures are lit and a texture is not, so what is carried over is the *ratio* of
generated to neutral, in linear light (expression ratio images; Liu, Shan, Zhang, "Expressive
expression mapping with ratio images", SIGGRAPH 2001). Gloss is taken off both sides first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..character.framing import Framing
from ..character.raster import rasterise
from ..character.view import FaceView
from ..colour import between, turned
from ..generated import Generated
from ..images import to_linear
from .gather import cubic
from .region import bounds, frame_region
from .registration import Misplacement
from .shading import Shading

#: Light added to both sides of the ratio, so that black pixels do not explode.
FLOOR = 0.004
#: A texel gets at most this many times lighter or darker.
MOST = 32.0
#: Pixels that the motion of a surface is carried on beyond its outline.
BEYOND = 3

Light = NDArray[np.float32]
Box = tuple[slice, slice]


def ratio(neutral: NDArray[np.floating[Any]], shown: NDArray[np.floating[Any]]) -> Light:
    """Return the factors in linear light from neutral to shown, both (...,3) linear."""
    return np.asarray(np.clip((shown + FLOOR) / (neutral + FLOOR), 1 / MOST, MOST), np.float32)


class Factors:
    """The factors of a clip, in the primaries that the scene is rendered in."""

    def __init__(
        self,
        view: FaceView,
        generated: Generated,
        primaries: str = "Rec.709",
        weights: NDArray[np.float64] | None = None,
        shading: Shading | None = None,
        *,
        misplaced: int = 0,
    ) -> None:
        """Take a clip on a view.

        With `weights` (T,S) of shape keys that play too, only what these leave over is in the
        factors, looked up where the surface has moved to; less what a misplacement of up to
        `misplaced` pixels could have made.
        """
        self._generated = generated
        self._weights = weights
        self._view = view
        self._matrix = between("Rec.709", primaries)
        self._neutral = self._light(generated.neutral)
        self._regions = [_compact(frame_region(generated, t)) for t in range(len(self))]
        self._shading = shading
        self._gloss = self._gloss_of(shading.gloss, self._neutral) if shading else None
        base = self._neutral if self._gloss is None else self._neutral - self._gloss
        self._misplaced = Misplacement(base, FLOOR, misplaced) if misplaced else None
        self._seen = _Seen(view) if weights is not None else None
        self._anchors = self._composed() if shading is not None and self._seen else []
        self.reached = np.zeros(generated.neutral.shape[:2], bool)
        for region in self._regions:
            if region is not None:
                self.reached[region[0]] |= region[1] > 0

    def __len__(self) -> int:
        return len(self._generated.frames)

    @property
    def motion(self) -> NDArray[np.float16]:
        """How the generated pictures move, (T,R,R,2) pixels."""
        return self._generated.motion

    def __call__(self, index: int) -> tuple[Box, Light] | None:
        """Return (box, factors (h,w,3)) of a frame: 1 outside the box; None where nothing moves."""
        region = self._regions[index]
        if region is None:
            return None
        box, share = region
        if self._weights is None or self._seen is None:
            shown, neutral = self._light(self._generated.frames[index][box]), self._neutral[box]
            gloss = None if self._gloss is None else self._gloss[box]
        else:
            shown, neutral, gloss = self._carried(index, box)
        if gloss is not None:
            shown, neutral = shown - gloss, np.maximum(neutral - gloss, 0)
        factor = ratio(neutral, np.maximum(shown, 0))
        if self._misplaced is not None:
            factor = self._misplaced.beyond(factor, box)
        factor -= 1
        factor *= share[..., None] * np.float32(1 / 255)
        factor += 1
        return box, factor

    def _carried(self, index: int, box: Box) -> tuple[Light, Light, Light | None]:
        """Return the generated, the shaded and the gloss light where the surface has moved to."""
        assert self._weights is not None
        assert self._seen is not None
        motion = self._seen.motion(self._weights[index])[box]
        shown = self._at(self._light(self._generated.frames[index]), motion, box)
        neutral = self._neutral[box]
        gloss = None if self._gloss is None else self._gloss[box]
        if gloss is None or self._shading is None or self._shading.shares is None:
            return shown, neutral, gloss
        log = np.zeros_like(neutral)
        change = np.zeros_like(neutral)
        shares = self._shading.shares[index]
        for share, (lit, dark) in zip(shares, self._anchors, strict=True):
            log += np.float32(share) * lit[box].astype(np.float32)
            change += np.float32(share) * dark[box].astype(np.float32)
        gloss_now = np.maximum(gloss + change, 0)
        return shown, (neutral - gloss + FLOOR) * np.exp(log) - FLOOR + gloss_now, gloss_now

    def _composed(self) -> list[tuple[NDArray[np.float16], NDArray[np.float16]]]:
        """Return for each anchor the log ratio of its diffuse light, and what its gloss adds."""
        assert self._weights is not None
        assert self._seen is not None
        assert self._shading is not None
        assert self._gloss is not None
        everywhere = (slice(None), slice(None))
        found = []
        for anchor in self._shading.anchors:
            motion = self._seen.motion(self._weights[anchor.frame])
            lit = self._at(self._light(anchor.picture), motion, everywhere)
            gloss = self._at(self._light(anchor.gloss), motion, everywhere)
            gloss = np.minimum(gloss, lit)
            log = np.log(ratio(self._neutral - self._gloss, lit - gloss))
            found.append((log.astype(np.float16), (gloss - self._gloss).astype(np.float16)))
        return found

    def _at(self, light: Light, motion: Light, box: Box) -> Light:
        """Return light (R,R,3) at the pixels of a box, moved by `motion` (h,w,2)."""
        rows, columns = (
            np.arange(*one.indices(size)) for one, size in zip(box, light.shape[:2], strict=True)
        )
        own = np.stack(np.meshgrid(columns, rows), axis=-1)
        moving = (motion != 0).any(axis=2)
        result = light[box].copy()
        result[moving] = cubic(light, own[moving] + motion[moving])
        return result

    def _light(self, picture: NDArray[np.uint8]) -> Light:
        return turned(to_linear(picture), self._matrix)

    def _gloss_of(self, picture: NDArray[np.uint8], neutral: Light) -> Light:
        return np.minimum(self._light(picture), neutral)


class _Seen:
    """Which point of the face, and of the meshes that move with it, is seen at each pixel."""

    def __init__(self, view: FaceView) -> None:
        size, framing = view.framing.resolution, view.framing
        face = view.face
        self._parts = [
            (framing, face.surface.positions, face.displacement),
            *((framing, part.surface.positions, part.displacement) for part in face.parts),
        ]
        triangles, pixels, depths, count = [], [], [], 0
        for surface in (face.surface, *(part.surface for part in face.parts)):
            place, depth = framing.project(surface.positions)
            triangles.append(surface.triangles + count)
            pixels.append(place)
            depths.append(depth)
            count += len(surface.positions)
        corners = np.concatenate(triangles)
        seen, shares, deep = rasterise(
            np.concatenate(pixels)[corners], np.concatenate(depths)[corners], size, size
        )
        # What stands before or behind is of another mesh, that does not move.
        slack = np.float32(1e-6 * framing.distance)
        self._mask = (seen >= 0) & (deep <= view.nearest + slack) & (view.nearest <= deep + slack)
        self._vertices = corners[seen[self._mask]]
        self._shares = shares[self._mask]

    def motion(self, weights: NDArray[np.floating[Any]]) -> Light:
        """Return how far channels at weights (S,) move each pixel's surface, (R,R,2) pixels."""
        field = np.zeros((*self._mask.shape, 2), np.float32)
        if not np.any(weights):
            return field
        moved = [projected_motion(*part, weights) for part in self._parts]
        of_vertices = np.concatenate(moved).astype(np.float32)
        field[self._mask] = (of_vertices[self._vertices] * self._shares[..., None]).sum(axis=1)
        return spread(field, self._mask, BEYOND)


def projected_motion(
    framing: Framing,
    positions: NDArray[np.float32],
    displacement: NDArray[np.float32],
    weights: NDArray[np.floating[Any]],
) -> NDArray[np.float64]:
    """Return how far channels at weights (S,) move vertices in the image, (V,2) pixels.

    `positions` (V,3) at rest, `displacement` (S,V,3) per unit of weight.
    """
    active = np.flatnonzero(weights)
    moved = positions + np.tensordot(weights[active], displacement[active], 1)
    return np.asarray(framing.project(moved)[0] - framing.project(positions)[0])


def spread(values: Light, mask: NDArray[np.bool_], steps: int) -> Light:
    """Return values (H,W,C) carried on beyond a mask (H,W): means of the neighbours, by steps."""
    values, full = values.copy(), mask.copy()
    for _ in range(steps):
        total = np.zeros_like(values)
        count = np.zeros(full.shape, np.float32)
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            there = np.roll(full, step, axis)
            total += np.roll(values, step, axis) * there[..., None]
            count += there
        new = ~full & (count > 0)
        values[new] = total[new] / count[new, None]
        full |= new
    return values


def _compact(region: NDArray[np.float32]) -> tuple[Box, NDArray[np.uint8]] | None:
    """Return a region's box and its shares there in 1/255, None where it is empty."""
    share = np.rint(region * 255).astype(np.uint8)
    box = bounds(share > 0, 0)
    return None if box is None else (box, share[box].copy())
