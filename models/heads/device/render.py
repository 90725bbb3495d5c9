"""Draw many pictures of one head, and read exact motion off them: `heads/render.py` in torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..render import CARD_BIAS, MOVED_SAMPLES, SEEN_TOLERANCE, SUPERSAMPLING
from .head import DeviceHead, DeviceSurface
from .look import Looks, rows_of, styled, vertex_light
from .raster import (
    Fragments,
    barycentric,
    facing,
    fragments,
    interpolated,
    joined,
    resolve,
)


@dataclass(frozen=True)
class Drawings:
    """B pictures of a head at `SUPERSAMPLING` times their resolution, `side` samples a side.

    `points` (B, V, 3) projected vertices in samples; `triangle` (B, side^2) int64 the triangle of
    the head that a sample shows, -1 for none, and `depth` likewise; `weights` (B, side^2, 3)
    barycentric; `light` (B, 4, side, side) premultiplied linear colour and coverage.
    """

    points: Tensor
    triangle: Tensor
    depth: Tensor
    weights: Tensor
    light: Tensor

    def first(self, count: int) -> Drawings:
        """Return the first `count` of the pictures."""
        every = (self.points, self.triangle, self.depth, self.weights, self.light)
        return Drawings(*(value[:count] for value in every))

    @property
    def side(self) -> int:
        """Samples along a side."""
        return int(self.light.shape[-1])


def texels(uv: Tensor, image: Tensor) -> Tensor:
    """Sample an image (1, C, H, W) bilinearly at uv (N, 2), v up: (N, C)."""
    places = torch.stack((2 * uv[:, 0] - 1, 1 - 2 * uv[:, 1]), dim=-1)[None, None]
    found = F.grid_sample(image, places, padding_mode="border", align_corners=False)
    return found[0, :, 0].T


class _Canvas:
    """What the steps of one drawing share: the head's triangles in all pictures."""

    def __init__(self, head: DeviceHead, vertices: Tensor, looks: Looks, side: int) -> None:
        self.head, self.looks, self.side = head, looks, side
        self.count, self.faces = len(vertices), len(head.triangles)
        self.points = looks.project(vertices, side)
        self.flat = self.points.reshape(-1, 3)
        self.corners, self.picture = rows_of(head.triangles, *vertices.shape[:2])
        self.surface = head.surface.repeat(self.count)
        self.attributes: Tensor = torch.empty(0)

    def cut(self, chosen: Tensor) -> Fragments:
        """Return the fragments of the `chosen` (n,) of all pictures' triangles."""
        return fragments(self.flat, self.corners[chosen], self.picture[chosen], chosen, self.side)

    def weights(self, part: Fragments) -> Tensor:
        """Return the barycentric weights (N, 3) of fragments."""
        return barycentric(self.flat, self.corners[part.triangle], part.pixel, self.side)

    def uv(self, part: Fragments, weights: Tensor) -> Tensor:
        """Return the texture coordinates (N, 2) of fragments."""
        corners = self.head.uv_triangles[part.triangle % self.faces]
        return interpolated(self.head.uv, corners, weights)

    def alpha(self, part: Fragments, weights: Tensor, surface: DeviceSurface) -> Tensor:
        """Return the alpha (N,) of the fragments of one card surface."""
        assert surface.alpha is not None
        return texels(self.uv(part, weights), surface.alpha)[:, 0]

    def solid(self) -> Fragments:
        """Return what the triangles of opaque and cut-out surfaces claim."""
        layers = [s.layer for s in self.head.surfaces]
        parts = []
        opaque = torch.tensor([x == "opaque" for x in layers], device=self.flat.device)
        chosen = (opaque[self.surface] & facing(self.flat, self.corners)).nonzero()[:, 0]
        parts.append(self.cut(chosen))
        for index, surface in enumerate(self.head.surfaces):
            if surface.layer == "cutout":
                card = self.cut((self.surface == index).nonzero()[:, 0])
                parts.append(card.where(self.alpha(card, self.weights(card), surface) > 0.5))
        return joined(parts)

    def shade(self, part: Fragments, weights: Tensor) -> Tensor:
        """Return the linear colours (N, 3) of fragments."""
        received = interpolated(self.attributes, self.corners[part.triangle], weights)
        uv = self.uv(part, weights)
        picture = self.picture[part.triangle]
        light = styled(received[:, :3], received[:, 5], self.looks, picture)
        of = self.surface[part.triangle]
        colour = torch.empty_like(light)
        for index, surface in enumerate(self.head.surfaces):
            chosen = (of == index).nonzero()[:, 0]
            found = texels(uv[chosen], surface.rgb) * light[chosen]
            if surface.gloss:
                glint = received[chosen, 3].clamp(0, 1) ** surface.sharpness
                strength = glint * received[chosen, 4] * surface.gloss
                found = found + strength[:, None] * self.looks.colour[picture[chosen]]
            colour[chosen] = found
        return colour

    def blend(self, index: int, depth: Tensor, light: Tensor) -> None:
        """Lay one card surface over `light` (pixels, 4) where nothing opaque hides it."""
        card = self.cut((self.surface == index).nonzero()[:, 0])
        card = card.where(card.depth < depth[card.pixel] + CARD_BIAS)
        triangle, _ = resolve(card, len(depth))
        pixel = (triangle >= 0).nonzero()[:, 0]
        part = Fragments(pixel, triangle[pixel], depth[pixel])
        weights = self.weights(part)
        alpha = self.alpha(part, weights, self.head.surfaces[index])[:, None]
        colour = torch.cat((self.shade(part, weights), torch.ones_like(alpha)), dim=1)
        light[pixel] = light[pixel] * (1 - alpha) + colour * alpha


def draw(head: DeviceHead, vertices: Tensor, looks: Looks, lit: Tensor, size: int) -> Drawings:
    """Draw a head with vertices (B, V, 3) into pictures of `size` pixels a side.

    `lit` (B, V) is how much of the key light reaches each vertex, see `look.shadows`.
    """
    side = size * SUPERSAMPLING
    canvas = _Canvas(head, vertices, looks, side)
    canvas.attributes = vertex_light(head, vertices, looks, lit).reshape(-1, 6)
    pixels = canvas.count * side * side
    triangle, depth = resolve(canvas.solid(), pixels)
    pixel = (triangle >= 0).nonzero()[:, 0]
    part = Fragments(pixel, triangle[pixel], depth[pixel])
    found = canvas.weights(part)
    light = vertices.new_zeros((pixels, 4))
    light[pixel] = F.pad(canvas.shade(part, found), (0, 1), value=1.0)
    for index, surface in enumerate(head.surfaces):
        if surface.layer == "blend":
            canvas.blend(index, depth, light)
    weights = vertices.new_zeros((pixels, 3))
    weights[pixel] = found
    shape = (canvas.count, side * side)
    return Drawings(
        points=canvas.points,
        triangle=torch.where(triangle < 0, triangle, triangle % canvas.faces).reshape(shape),
        depth=depth.reshape(shape),
        weights=weights.reshape(*shape, 3),
        light=light.reshape(canvas.count, side, side, 4).permute(0, 3, 1, 2),
    )


@dataclass(frozen=True)
class Motions:
    """Of M pairs of drawings: `flow` (M, 2, S, S) in pixels of the picture, 0 off the head;
    `visible` and `covered` (M, 1, S, S) as in `heads.render.Motion`."""

    flow: Tensor
    visible: Tensor
    covered: Tensor


def motions(head: DeviceHead, drawn: Drawings, start: Tensor, end: Tensor) -> Motions:
    """Return where each pixel of the pictures `start` (M,) is in the pictures `end` (M,), on the
    grids of `start`."""
    count, side = len(start), drawn.side
    vertices = drawn.points.shape[1]
    moved = drawn.points[end] - drawn.points[start]
    lively = (moved.abs() > MOVED_SAMPLES).any(-1)
    moved[..., 2] = drawn.points[end][..., 2]
    triangle = drawn.triangle[start].reshape(-1)
    pixel = (triangle >= 0).nonzero()[:, 0]
    which = torch.div(pixel, side * side, rounding_mode="floor")
    place = pixel - which * side * side
    corners = head.triangles[triangle[pixel]] + (which * vertices)[:, None]
    weights = drawn.weights[start].reshape(-1, 3)[pixel]
    step = interpolated(moved.reshape(-1, 3), corners, weights)
    alive = lively.reshape(-1)[corners].any(1)
    row = torch.div(place, side, rounding_mode="floor")
    i = (place % side + 0.5 + step[:, 0]).floor().long()
    j = (row + 0.5 + step[:, 1]).floor().long()
    inside = (i >= 0) & (i < side) & (j >= 0) & (j < side)
    target = which * side * side + j.clamp(0, side - 1) * side + i.clamp(0, side - 1)
    ends = drawn.depth[end].reshape(-1)
    # What stays can still be covered by what moves.
    stays = drawn.depth[start].reshape(-1)[pixel] <= ends[pixel] + SEEN_TOLERANCE
    goes = inside & (step[:, 2] <= ends[target] + SEEN_TOLERANCE)
    planes = drawn.light.new_zeros((count * side * side, 4))
    planes[pixel, :2] = torch.where(alive[:, None], step[:, :2], 0.0) / SUPERSAMPLING
    planes[pixel, 2] = torch.where(alive, goes, stays).to(planes.dtype)
    planes[pixel, 3] = 1
    means = F.avg_pool2d(planes.reshape(count, side, side, 4).permute(0, 3, 1, 2), SUPERSAMPLING)
    covered = means[:, 3:]
    return Motions(means[:, :2] / covered.clamp(min=0.25), means[:, 2:3], covered)


def fixed_share(head: DeviceHead, drawn: Drawings, covers: Sequence[Tensor | None] = ()) -> Tensor:
    """Return how much of each pixel of each picture shows what is fixed, (B, 1, S, S), as
    `fixed.fixed_share`; `covers` (4, 2S, 2S) lie over the pictures that have one."""
    fixed = torch.tensor([surface.fixed for surface in head.surfaces], device=head.device)
    on_head = drawn.triangle >= 0
    shown = on_head & fixed[head.surface[drawn.triangle.clamp(min=0)]]
    planes = shown.to(drawn.light.dtype).reshape(-1, 1, drawn.side, drawn.side)
    for row, cover in enumerate(covers):
        if cover is not None:
            planes[row] = torch.maximum(planes[row], cover[3:])
    return F.avg_pool2d(planes, SUPERSAMPLING)


def charts(head: DeviceHead, drawn: Drawings, cells: int) -> Tensor:
    """Return what each cell of each picture shows, (B, 4, cells, cells), as `chart.chart_map`."""
    count, side = len(drawn.triangle), drawn.side
    triangle = drawn.triangle.reshape(-1)
    pixel = (triangle >= 0).nonzero()[:, 0]
    weights = drawn.weights.reshape(-1, 3)[pixel]
    places = interpolated(head.chart, head.triangles[triangle[pixel]], weights)
    planes = drawn.light.new_zeros((count * side * side, 4))
    planes[pixel] = F.pad(places, (0, 1), value=1.0)
    planes = planes.reshape(count, side, side, 4).permute(0, 3, 1, 2)
    means = F.avg_pool2d(planes, side // cells)
    share = means[:, 3:]
    known = torch.where(share > 0.25, means[:, :3] / share.clamp(min=0.25), 0.0)
    return torch.cat((known, share), dim=1)
