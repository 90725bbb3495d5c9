"""What subdivision makes fine is measured without Blender's limit surface."""

from __future__ import annotations

from typing import Any

import bpy
import heads
import numpy as np
from microface.addon.character import stage as stages
from microface.addon.character.stage import stage
from microface.addon.character.subdivision import FINE, subdivided_faces
from microface.addon.character.view import view_face


def subdivided(columns: int, rows: int) -> Any:
    """A mask under one level of Subdivision, as Blender adds it."""
    obj = heads.mask(columns, rows)
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 1
    bpy.context.view_layer.update()
    return obj


def test_keys_move_a_fine_face_the_same_without_it(mask: Any, monkeypatch: Any) -> None:
    bpy.data.objects.remove(mask)
    obj = subdivided(75, 75)
    assert subdivided_faces(obj, 1) >= FINE
    with stage(obj) as on:
        assert not on.obj.modifiers[0].use_limit_surface
        plain = view_face(on, 256)
    assert obj.modifiers[0].use_limit_surface
    monkeypatch.setattr("microface.addon.character.subdivision.FINE", 10**9)
    with stages.stage(obj) as on:
        assert on.obj.modifiers[0].use_limit_surface
        exact = view_face(on, 256)
    assert len(plain.face.surface.positions) == len(exact.face.surface.positions) > 20_000
    pixel = exact.framing.width / 256
    rest = np.linalg.norm(plain.face.surface.positions - exact.face.surface.positions, axis=1)
    moved = np.linalg.norm(plain.face.displacement - exact.face.displacement, axis=2)
    assert np.percentile(rest, 99) < 0.1 * pixel  # corners of the sheet go farther
    most = np.linalg.norm(exact.face.displacement, axis=2).max()
    assert np.percentile(moved, 99.9) < 0.005 * most


def test_a_coarse_face_keeps_it(mask: Any) -> None:
    """There the two differ by something, and cost nothing."""
    mask.modifiers.new("Subdivision", "SUBSURF").levels = 1
    with stage(mask, neutral=False) as on:
        assert on.obj.modifiers[0].use_limit_surface
