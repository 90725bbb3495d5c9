"""Shade a rasterised head, and read exact motion off two drawings of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from .environment import harmonics
from .families import RenderHead, Surface
from .openness import lit_from
from .raster import Fragments, Raster, barycentric, facing, fragments, joined, resolve, touching
from .scene import Camera, Light
from .style import Style

Floats = NDArray[np.float32]

#: Samples along each side of a pixel.
SUPERSAMPLING = 2
#: How far behind the opaque surface a brow or lash card still shows, in cm.
CARD_BIAS = 0.12
#: A vertex that moves less (in samples, or in cm of depth) counts as still.
MOVED_SAMPLES = 5e-3
#: Depth by which a point may miss the depth buffer and still count as seen, in cm.
SEEN_TOLERANCE = 0.2


@dataclass(frozen=True)
class Drawing:
    """A head as seen, at `SUPERSAMPLING` times the picture's resolution S.

    `points` (V, 3) projected vertices in samples; `raster` the opaque surfaces; `pixel` (N,) the
    covered samples, `owner` (N,) their triangles, `weights` (N, 3) barycentric; `light` (S, S, 4)
    premultiplied linear colour and coverage. `fragments` (all that was not hidden for being turned
    away or transparent), `attributes` (V, 6) and `bare` (S*S, 4), the light without brow and lash
    cards, are what a drawing of the same head in another pose builds on.
    """

    points: Floats
    raster: Raster
    pixel: NDArray[np.intp]
    owner: NDArray[np.int32]
    weights: Floats
    light: Floats
    fragments: Fragments
    attributes: Floats
    bare: Floats


def vertex_normals(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Return unit normals (V, 3), area-weighted; zero for vertices of no triangle."""
    a = vertices[triangles[:, 0]]
    x, y, z = (vertices[triangles[:, 1]] - a).T
    u, v, w = (vertices[triangles[:, 2]] - a).T
    flat = triangles.ravel()
    cross = (y * w - z * v, z * u - x * w, x * v - y * u)
    normals = np.stack(
        [np.bincount(flat, np.repeat(part, 3), len(vertices)) for part in cross], axis=1
    )
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-12), dtype=np.float32)


@dataclass(frozen=True)
class Look:
    """All that stays the same over the frames of one clip: camera, light, cast shadow (V,), and
    the style of a head that is no photograph."""

    camera: Camera
    light: Light
    lit: Floats
    style: Style | None = None


def prepare_look(
    head: RenderHead, neutral: Floats, camera: Camera, light: Light, style: Style | None = None
) -> Look:
    """Compute the key light's shadow on the neutral; an expression moves it along."""
    opaque = np.array([s.layer != "blend" for s in head.surfaces])
    solid = head.triangles[opaque[head.surface]]
    turned = neutral @ camera.rotation.T
    lit = lit_from(turned, solid, light.direction)
    return Look(camera, light, 1 - np.float32(light.shadow) * (1 - lit), style)


def _vertex_light(
    head: RenderHead, vertices: Floats, look: Look, wanted: NDArray[np.bool_] | None = None
) -> Floats:
    """Return (V, 6): diffuse light (3), cosine to the half vector, strength of the highlight,
    cosine to the viewer.

    With `wanted` (V,) only those rows, in order.
    """
    turned = vertices @ look.camera.rotation.T
    triangles, rows = head.triangles, np.arange(len(vertices))
    if wanted is not None:
        triangles, rows = triangles[touching(wanted, triangles)], np.flatnonzero(wanted)
    normals = vertex_normals(turned, triangles)[rows]
    to_eye = np.array([0, 0, look.camera.distance], np.float32) - turned[rows]
    to_eye /= np.linalg.norm(to_eye, axis=1, keepdims=True)
    facing = (normals * to_eye).sum(1)
    normals[facing < 0] *= -1
    light, lit, openness = look.light, look.lit[rows], head.openness[rows]
    cosine = normals @ light.direction
    key = np.clip((cosine + light.wrap) / (1 + light.wrap), 0, None) * lit
    around = harmonics(normals, len(light.ambient)) @ light.ambient
    diffuse = np.clip(around, 0, None) * openness[:, None] + key[:, None] * light.colour
    half = to_eye + light.direction
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    glint = np.clip((normals * half).sum(1), 0, 1)
    diffuse *= head.tint[rows]
    return np.column_stack([diffuse, glint, lit * openness, np.abs(facing)]).astype(np.float32)


def _texels(uv: Floats, image: Floats) -> Floats:
    """Sample an image (H, W[, C]) bilinearly at uv (N, 2): (N[, C])."""
    height, width = image.shape[:2]
    x = uv[:, 0] * np.float32(width) - np.float32(0.5)
    y = (1 - uv[:, 1]) * np.float32(height) - np.float32(0.5)
    count = len(uv)
    columns = 512
    padded = max(1, -(-count // columns)) * columns
    maps = np.zeros((2, padded), np.float32)
    maps[0, :count], maps[1, :count] = x, y
    maps = maps.reshape(2, -1, columns)
    sampled = cv2.remap(image, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled.reshape(padded, *image.shape[2:])[:count], dtype=np.float32)


def interpolated(values: Floats, rows: NDArray[np.int32], weights: Floats) -> Floats:
    """Return (N, C) the weighted sum over the corners of `values` (V, C) at `rows` (N, 3)."""
    count = len(rows)
    ends = np.arange(0, 3 * count + 1, 3, dtype=np.int32)
    shape = (count, len(values))
    mean = scipy.sparse.csr_array((weights.ravel(), rows.ravel(), ends), shape=shape)
    return np.asarray(mean @ values, dtype=np.float32)


def _shade(
    head: RenderHead, owner: NDArray[np.int32], weights: Floats, attributes: Floats, look: Look
) -> Floats:
    """Return linear colours (N, 3)."""
    lit = interpolated(attributes, head.triangles[owner], weights)
    uv = interpolated(head.uv, head.uv_triangles[owner], weights)
    result = np.zeros((len(owner), 3), np.float32)
    of = head.surface[owner]
    for index, surface in enumerate(head.surfaces):
        chosen = np.flatnonzero(of == index)
        if not len(chosen):
            continue
        part = lit.take(chosen, axis=0)
        received = part[:, :3] if look.style is None else look.style.lit(part[:, :3], part[:, 5])
        colour = _texels(uv.take(chosen, axis=0), surface.rgb) * received
        if surface.gloss:
            glint = np.power(np.clip(part[:, 3], 0, 1), np.float32(surface.sharpness))
            colour += (glint * part[:, 4] * np.float32(surface.gloss))[:, None] * look.light.colour
        result[chosen] = colour
    return result


def _seen_through(
    head: RenderHead, points: Floats, part: Fragments, size: int, surface: Surface
) -> Floats:
    """Return the alpha (N,) of the fragments of one card surface."""
    owner = part.triangle.astype(np.int32)
    weights = barycentric(points, head.triangles, owner, part.pixel, size)
    uv = interpolated(head.uv, head.uv_triangles[owner], weights)
    assert surface.alpha is not None
    return _texels(uv, surface.alpha)


def draw(
    head: RenderHead, vertices: Floats, look: Look, size: int = 256, near: Drawing | None = None
) -> Drawing:
    """Draw a head with vertices (V, 3) into a picture of `size` pixels a side.

    `near` is a drawing of the same head, look and size in another pose: what the pose does not
    touch is taken from it. The result is the same as without.
    """
    side = size * SUPERSAMPLING
    points = look.camera.project(vertices, side)
    if near is None:
        moved = np.ones(len(head.triangles), np.bool_)
        attributes = _vertex_light(head, vertices, look)
    else:
        shifted = np.abs(points - near.points).max(axis=1) > MOVED_SAMPLES
        moved = touching(shifted, head.triangles)
        touched = np.zeros(len(vertices), np.bool_)
        touched[head.triangles[moved]] = True
        attributes = near.attributes.copy()
        attributes[touched] = _vertex_light(head, vertices, look, touched)
    parts = [_solid_fragments(head, points, side, np.flatnonzero(moved))]
    if near is not None:
        kept = ~moved[near.fragments.triangle]
        old = near.fragments
        parts.append(Fragments(old.pixel[kept], old.triangle[kept], old.depth[kept]))
    every = joined(parts)
    raster = resolve([every], side, side)
    pixel = raster.covered
    owner = raster.triangle.ravel()[pixel]
    weights = barycentric(points, head.triangles, owner, pixel, side)
    if near is None:
        bare = np.zeros((side * side, 4), np.float32)
        bare[pixel, :3] = _shade(head, owner, weights, attributes, look)
        bare[pixel, 3] = 1
    else:
        bare = near.bare * (raster.triangle.reshape(-1, 1) >= 0)
        relit = touching(touched, head.triangles)
        fresh = np.flatnonzero(relit[owner] | (near.raster.triangle.ravel()[pixel] != owner))
        bare[pixel[fresh], :3] = _shade(head, owner[fresh], weights[fresh], attributes, look)
        bare[pixel[fresh], 3] = 1
    light = bare.copy()
    for index, surface in enumerate(head.surfaces):
        if surface.layer == "blend":
            _blend(head, points, index, raster, attributes, look, light)
    light = light.reshape(side, side, 4)
    return Drawing(points, raster, pixel, owner, weights, light, every, attributes, bare)


def _solid_fragments(
    head: RenderHead, points: Floats, side: int, chosen: NDArray[np.intp]
) -> Fragments:
    """Return what the chosen triangles of opaque and cut-out surfaces claim."""
    layers = np.array([s.layer for s in head.surfaces])
    owner = head.surface[chosen]
    solid = chosen[(layers == "opaque")[owner]]
    solid = solid[facing(points, head.triangles[solid])]
    parts = [fragments(points, head.triangles, side, side, solid)]
    for index in np.flatnonzero(layers == "cutout"):
        card = fragments(points, head.triangles, side, side, chosen[owner == index])
        keep = _seen_through(head, points, card, side, head.surfaces[index]) > 0.5
        parts.append(Fragments(card.pixel[keep], card.triangle[keep], card.depth[keep]))
    return joined(parts)


def _blend(
    head: RenderHead,
    points: Floats,
    index: int,
    raster: Raster,
    attributes: Floats,
    look: Look,
    light: Floats,
) -> None:
    """Lay one card surface over `light` (N, 4) where nothing opaque hides it."""
    side = raster.triangle.shape[0]
    card = fragments(points, head.triangles, side, side, np.flatnonzero(head.surface == index))
    near = card.depth < raster.depth.ravel()[card.pixel] + CARD_BIAS
    nearest = resolve(
        [Fragments(card.pixel[near], card.triangle[near], card.depth[near])], side, side
    )
    pixel = nearest.covered
    owner = nearest.triangle.ravel()[pixel]
    weights = barycentric(points, head.triangles, owner, pixel, side)
    part = Fragments(pixel.astype(np.int64), owner.astype(np.int64), np.empty(0))
    alpha = _seen_through(head, points, part, side, head.surfaces[index])[:, None]
    colour = _shade(head, owner, weights, attributes, look)
    light[pixel, :3] = light[pixel, :3] * (1 - alpha) + colour * alpha
    light[pixel, 3:] = light[pixel, 3:] * (1 - alpha) + alpha


@dataclass(frozen=True)
class Motion:
    """`flow` (S, S, 2) float32 in pixels of the picture, 0 off the head; `visible` (S, S) float32
    0..1, the share of a pixel's samples that are on the head and seen in both drawings;
    `covered` (S, S) the share on the head."""

    flow: Floats
    visible: Floats
    covered: Floats


def motion(start: Drawing, end: Drawing, triangles: NDArray[np.int32]) -> Motion:
    """Return where each pixel of `start` is in `end`, on the grid of `start`.

    Both are drawings of one head; with neutral and frame this is the forward flow, with frame and
    neutral the backward flow.
    """
    side = start.raster.triangle.shape[0]
    moved = end.points - start.points
    lively = touching((np.abs(moved) > MOVED_SAMPLES).any(axis=1), triangles)
    moved[:, 2] = end.points[:, 2]
    planes = np.zeros((side * side, 4), np.float32)
    planes[start.pixel, 3] = 1
    # What stays can still be covered by what moves.
    planes[start.pixel, 2] = (
        start.raster.depth.ravel()[start.pixel]
        <= end.raster.depth.ravel()[start.pixel] + SEEN_TOLERANCE
    )
    some = np.flatnonzero(lively[start.owner])
    pixel = start.pixel[some]
    step = interpolated(moved, triangles[start.owner[some]], start.weights[some])
    row, column = np.divmod(pixel.astype(np.int32), np.int32(side))
    i = np.floor(column + np.float32(0.5) + step[:, 0]).astype(np.int32)
    j = np.floor(row + np.float32(0.5) + step[:, 1]).astype(np.int32)
    inside = (i >= 0) & (i < side) & (j >= 0) & (j < side)
    depth = end.raster.depth[np.clip(j, 0, side - 1), np.clip(i, 0, side - 1)]
    planes[pixel, :2] = step[:, :2] / np.float32(SUPERSAMPLING)
    planes[pixel, 2] = inside & (step[:, 2] <= depth + SEEN_TOLERANCE)
    size = (side // SUPERSAMPLING, side // SUPERSAMPLING)
    means = cv2.resize(planes.reshape(side, side, 4), size, interpolation=cv2.INTER_AREA)
    small = np.asarray(means, dtype=np.float32)
    covered = small[..., 3]
    flow = small[..., :2] / np.maximum(covered, 0.25)[..., None]
    return Motion(np.ascontiguousarray(flow), small[..., 2].copy(), covered.copy())
