"""Cameras and lights of many pictures, and the light that falls on each vertex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ..environment import TERMS
from ..openness import look_from
from ..scene import Camera, Light
from ..style import Style
from .head import DeviceHead
from .raster import fragments, resolve

#: Side of the key light's depth buffer, and what keeps a surface from shading itself, in cm.
_SHADOW_SIDE, _SHADOW_BIAS = 192, 0.35


@dataclass(frozen=True)
class Looks:
    """Camera, light and style of B pictures; fields as in `Camera`, `Light` and `Style`.

    rotation (B, 3, 3), crop (B, 2, 3), direction, colour (B, 3), ambient (B, 9, 3), `towards`
    (B, 3, 3) the rotation to the light's view; the others (B,). A picture without style has 0 for
    `flatness`, `bands` and `ink`.
    """

    rotation: Tensor
    distance: Tensor
    crop: Tensor
    direction: Tensor
    colour: Tensor
    ambient: Tensor
    wrap: Tensor
    shadow: Tensor
    towards: Tensor
    flatness: Tensor
    bands: Tensor
    ink: Tensor
    level: Tensor

    def take(self, rows: Tensor) -> Looks:
        """Return the looks of pictures `rows` (n,)."""
        return Looks(*(getattr(self, field.name)[rows] for field in fields(self)))

    def project(self, vertices: Tensor, side: int) -> Tensor:
        """Return vertices (B, V, 3) as `Camera.project` does: x, y in samples, depth in cm."""
        turned = vertices @ self.rotation.transpose(1, 2)
        depth = self.distance[:, None] - turned[..., 2]
        scale = self.distance[:, None] / depth
        plane = torch.stack((turned[..., 0] * scale, -turned[..., 1] * scale), dim=-1)
        place = plane @ self.crop[:, :, :2].transpose(1, 2) + self.crop[:, None, :, 2]
        return torch.cat((place * side, depth[..., None]), dim=-1)


def looks_of(each: Sequence[tuple[Camera, Light, Style | None]], device: torch.device) -> Looks:
    """Return the looks of pictures on a device."""
    cameras, lights = [c for c, _, _ in each], [light for _, light, _ in each]
    styles = [style or Style() for _, _, style in each]
    ambient = np.zeros((len(each), TERMS, 3), np.float32)
    for row, light in zip(ambient, lights, strict=True):
        row[: len(light.ambient)] = light.ambient

    def sent(values: Sequence[object]) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32)).to(device)

    return Looks(
        sent([c.rotation for c in cameras]), sent([c.distance for c in cameras]),
        sent([c.crop for c in cameras]),
        sent([x.direction for x in lights]), sent([x.colour for x in lights]),
        torch.from_numpy(ambient).to(device),
        sent([x.wrap for x in lights]), sent([x.shadow for x in lights]),
        sent([look_from(x.direction) for x in lights]),
        sent([s.flatness for s in styles]), sent([s.bands for s in styles]),
        sent([s.ink for s in styles]), sent([s.level for s in styles]),
    )  # fmt: skip


def shadows(head: DeviceHead, neutral: Tensor, looks: Looks) -> Tensor:
    """Return (B, V) how much of the key light reaches each vertex of the neutrals (B, V, 3)."""
    count, vertices = neutral.shape[:2]
    turned = neutral @ looks.rotation.transpose(1, 2) @ looks.towards.transpose(1, 2)
    used = turned[:, torch.unique(head.solid)]
    low, high = used.amin(1), used.amax(1)
    scale = (_SHADOW_SIDE - 2) / (high - low)[:, :2].amax(1)
    x = (turned[..., 0] - low[:, None, 0]) * scale[:, None] + 1
    y = (high[:, None, 1] - turned[..., 1]) * scale[:, None] + 1
    away = high[:, None, 2] - turned[..., 2]
    corners, picture = rows_of(head.solid, count, vertices)
    points = torch.stack((x, y, away), dim=-1).reshape(-1, 3)
    part = fragments(points, corners, picture, picture, _SHADOW_SIDE)
    _, depth = resolve(part, count * _SHADOW_SIDE**2)
    start = torch.arange(count, device=neutral.device)[:, None] * _SHADOW_SIDE**2
    lit = torch.zeros_like(x)
    for dx, dy in ((-0.7, -0.7), (0.7, -0.7), (-0.7, 0.7), (0.7, 0.7)):
        i = (x + dx).clamp(0, _SHADOW_SIDE - 1).long()
        j = (y + dy).clamp(0, _SHADOW_SIDE - 1).long()
        lit += away <= depth[start + j * _SHADOW_SIDE + i] + _SHADOW_BIAS
    return 1 - looks.shadow[:, None] * (1 - lit / 4)


def rows_of(triangles: Tensor, count: int, vertices: int) -> tuple[Tensor, Tensor]:
    """Return the corners (count * T, 3) of `triangles` (T, 3) in pictures whose `vertices` follow
    one another, and the picture of each."""
    picture = torch.arange(count, device=triangles.device)
    corners = triangles + (picture * vertices)[:, None, None]
    return corners.reshape(-1, 3), picture.repeat_interleave(len(triangles))


def vertex_normals(vertices: Tensor, triangles: Tensor) -> Tensor:
    """Return unit normals (B, V, 3) of vertices (B, V, 3), area-weighted."""
    a, b, c = (vertices[:, triangles[:, k]] for k in range(3))
    cross = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices)
    for k in range(3):
        normals.index_add_(1, triangles[:, k], cross)
    length = torch.linalg.vector_norm(normals, dim=-1, keepdim=True)
    unit: Tensor = normals / length.clamp(min=1e-12)
    return unit


def harmonics(normals: Tensor) -> Tensor:
    """Return (..., 9): the harmonics of `heads/environment.py` at unit `normals` (..., 3)."""
    x, y, z = normals.unbind(-1)
    every = (x, y, z, x * y, y * z, z * x, z * z - 1 / 3, x * x - y * y)
    return torch.stack((torch.ones_like(x), *every), dim=-1)


def vertex_light(head: DeviceHead, vertices: Tensor, looks: Looks, lit: Tensor) -> Tensor:
    """Return (B, V, 6): diffuse light (3), cosine to the half vector, strength of the highlight,
    cosine to the viewer; `lit` (B, V) as `shadows` gives it."""
    turned = vertices @ looks.rotation.transpose(1, 2)
    normals = vertex_normals(turned, head.triangles)
    eye = torch.zeros_like(looks.direction)
    eye[:, 2] = looks.distance
    to_eye = eye[:, None] - turned
    to_eye = to_eye / torch.linalg.vector_norm(to_eye, dim=-1, keepdim=True)
    facing = (normals * to_eye).sum(-1)
    normals = torch.where(facing[..., None] < 0, -normals, normals)
    cosine = (normals @ looks.direction[:, :, None])[..., 0]
    wrap = looks.wrap[:, None]
    key = ((cosine + wrap) / (1 + wrap)).clamp(min=0) * lit
    around = (harmonics(normals) @ looks.ambient).clamp(min=0) * head.openness[:, None]
    diffuse = (around + key[..., None] * looks.colour[:, None]) * head.tint
    half = to_eye + looks.direction[:, None]
    glint = (normals * half).sum(-1) / torch.linalg.vector_norm(half, dim=-1)
    parts = (glint.clamp(0, 1), lit * head.openness, facing.abs())
    return torch.cat((diffuse, torch.stack(parts, dim=-1)), dim=-1)


def styled(light: Tensor, facing: Tensor, looks: Looks, picture: Tensor) -> Tensor:
    """Return the light (N, 3) that the style of its `picture` (N,) makes of it, as `Style.lit`."""
    level, bands = looks.level[picture], looks.bands[picture]
    light = light + looks.flatness[picture, None] * (0.7 * level[:, None] - light)
    grey = light.mean(dim=1)
    step = level / bands.clamp(min=1)
    stepped = ((grey / step).floor() + 0.6) * step / grey.clamp(min=1e-4)
    light = light * torch.where(bands > 0, stepped, 1.0)[:, None]
    outline = ((0.4 - facing) / 0.2).clamp(0, 1)
    return light * (1 - looks.ink[picture] * outline)[:, None]
