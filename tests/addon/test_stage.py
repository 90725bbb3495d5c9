"""The framing camera and the neutral render leave the user's file as it was."""

from __future__ import annotations

import math
from typing import Any

import bpy
import numpy as np
import pytest
from dump import differences, dump
from microface.addon.api import render_frame
from microface.addon.character.stage import find_companions, stage
from microface.addon.character.view import project_keys, view_face
from microface.addon.retarget.prepare import prepare
from microface.errors import InputError


@pytest.fixture
def busy_scene(mask: Any) -> Any:
    """The mask in a scene with a camera, an action, a pose and settings of its own."""
    scene = bpy.context.scene
    scene.camera = bpy.data.objects.new("Shot", bpy.data.cameras.new("Shot"))
    scene.collection.objects.link(scene.camera)
    scene.render.resolution_x, scene.render.fps, scene.render.fps_base = 1998, 24, 1.001
    scene.render.engine = "CYCLES"
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.2), (40, 0.8)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    mask.data.shape_keys.key_blocks["cheekPuff"].value = 0.4
    scene.frame_set(17)
    bpy.context.view_layer.update()
    return mask


def test_the_file_is_as_before(busy_scene: Any) -> None:
    before = dump()
    prepared = prepare(busy_scene, 128)
    assert differences(before, dump()) == []
    render_frame(busy_scene, prepared.framing, 30.5, samples=1)
    assert differences(before, dump()) == []


def test_the_file_is_as_before_after_an_error(busy_scene: Any) -> None:
    before = dump()
    with pytest.raises(ZeroDivisionError), stage(busy_scene) as on:
        view_face(on, 128)
        raise ZeroDivisionError
    assert differences(before, dump()) == []


def test_the_neutral_ignores_pose_and_animation(busy_scene: Any) -> None:
    with stage(busy_scene) as on:
        posed = view_face(on, 128).face.surface.positions
    block = busy_scene.data.shape_keys
    rest = np.empty(len(busy_scene.data.vertices) * 3, np.float32)
    block.reference_key.data.foreach_get("co", rest)
    assert np.abs(posed - rest.reshape(-1, 3)).max() < 1e-6


def test_what_a_rig_drives_stays_in_the_neutral(mask: Any) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.driver_add("value").driver.expression = "0.5"
    bpy.context.view_layer.update()
    with stage(mask) as on:
        face = view_face(on, 128).face
    rest = np.empty(len(mask.data.vertices) * 3, np.float32)
    mask.data.shape_keys.reference_key.data.foreach_get("co", rest)
    moved = np.abs(face.surface.positions - rest.reshape(-1, 3)).max()
    assert moved == pytest.approx(0.5 * 0.02, rel=0.1)
    assert "jawOpen" not in face.keys.names


@pytest.mark.parametrize("turn", [0.0, 35.0, 180.0])
def test_the_camera_is_straight_on_the_face(mask: Any, turn: float) -> None:
    mask.rotation_euler = (0, 0, math.radians(turn))
    mask.location = (3, -2, 1.5)
    bpy.context.view_layer.update()
    with stage(mask) as on:
        view = view_face(on, 256)
    # The mask looks along its own -y; the camera looks back along that, upright.
    looks = np.array(mask.matrix_world)[:3, :3] @ [0, -1, 0]
    assert view.framing.camera_to_world[:3, 2] == pytest.approx(looks, abs=1e-6)
    assert view.framing.camera_to_world[:3, 1] == pytest.approx([0, 0, 1], abs=1e-6)
    pixels, _ = view.framing.project(view.face.surface.positions[view.face.votes > 0])
    assert pixels.min() > 0
    assert pixels.max() < 255
    assert 0.5 < np.ptp(pixels, axis=0).max() / 256 < 0.9


def test_the_projection_is_blenders_own(mask: Any) -> None:
    """A white vertex cloud point falls where Blender's own camera says it does."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Matrix, Vector

    with stage(mask) as on:
        view = view_face(on, 200)
    scene = bpy.context.scene
    data = bpy.data.cameras.new("check")
    data.sensor_width, data.lens = 36, view.framing.lens_millimetres
    data.clip_start = 1e-3
    camera = bpy.data.objects.new("check", data)
    camera.matrix_world = Matrix(view.framing.camera_to_world.tolist())
    scene.collection.objects.link(camera)
    scene.render.resolution_x = scene.render.resolution_y = 200
    points = view.face.surface.positions[::97]
    pixels, _ = view.framing.project(points)
    bpy.context.view_layer.update()
    for point, pixel in zip(points, pixels, strict=True):
        share = world_to_camera_view(scene, camera, Vector(point.tolist()))
        assert pixel == pytest.approx([share.x * 200 - 0.5, (1 - share.y) * 200 - 0.5], abs=0.01)


def test_the_jacobian_is_what_the_keys_do(mask: Any) -> None:
    with stage(mask) as on:
        view = view_face(on, 256)
    jacobian = project_keys(view)
    assert jacobian.matrix.dtype == np.float16
    assert jacobian.names[0] == "mouthSmileLeft"
    left = jacobian.matrix[:, :, 0].astype(float)
    strongest = int(np.hypot(*left.T).argmax())
    # The subject's left is on the right of the picture; the corner goes up and out.
    assert jacobian.pixels[strongest, 0] > 128
    assert left[strongest, 0] > 2
    assert left[strongest, 1] < -2
    assert (jacobian.confidence > 0).all()


def test_modifiers_are_evaluated(mask: Any) -> None:
    mask.modifiers.new("Subdivision", "SUBSURF").levels = 1
    with stage(mask) as on:
        view = view_face(on, 128)
    assert len(view.face.surface.positions) > 3 * len(mask.data.vertices)
    assert np.isfinite(project_keys(view).matrix).all()


def test_a_hidden_half_is_not_seen(mask: Any) -> None:
    wall = bpy.data.meshes.new("Hand")
    wall.from_pydata(
        [(0, -0.12, -0.1), (0.1, -0.08, -0.1), (0.1, -0.08, 0.1), (0, -0.12, 0.1)],
        [],
        [(0, 1, 2, 3)],
    )
    hand = bpy.data.objects.new("Hand", wall)
    bpy.context.scene.collection.objects.link(hand)
    bpy.context.view_layer.update()
    assert find_companions(mask, bpy.context.scene) == [hand]
    with stage(mask) as on:
        jacobian = project_keys(view_face(on, 256))
    assert (jacobian.pixels[:, 0] < 130).all()


def test_scenery_is_left_out(mask: Any) -> None:
    room = bpy.data.meshes.new("Room")
    room.from_pydata([(-5, -5, -1), (5, -5, -1), (5, 5, 3)], [], [(0, 1, 2)])
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Room", room))
    bpy.context.view_layer.update()
    assert find_companions(mask, bpy.context.scene) == []


def test_no_picture_of_nothing(mask: Any) -> None:
    with pytest.raises(InputError, match="128 to 4096"):
        prepare(mask, 16)
