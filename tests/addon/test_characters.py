"""Characters that nobody prepared: each is framed, read and measured as it comes."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import heads
import numpy as np
import pytest
from dump import differences, dump
from heads import companion
from microface.addon.character.channels import face_channels
from microface.addon.character.preflight import preflight
from microface.addon.character.stage import stage
from microface.addon.character.view import FaceView, Jacobian, project_keys, view_face
from microface.addon.retarget.prepare import prepare
from microface.errors import InputError
from rigs import in_armature, masked


def seen(obj: Any) -> tuple[FaceView, Jacobian]:
    """Return the view and Jacobian of a character."""
    bpy.context.view_layer.update()
    with stage(obj) as on:
        view = view_face(on, 192)
    return view, project_keys(view)


def motion(jacobian: Jacobian, name: str) -> np.ndarray:
    """Return how the vertex that a channel moves most goes in the picture, (2,) right and down."""
    column = jacobian.matrix[:, :, jacobian.names.index(name)].astype(float)
    return column[np.hypot(*column.T).argmax()]


def is_the_mask(jacobian: Jacobian, left: str = "mouthSmileLeft", jaw: str = "jawOpen") -> None:
    """Assert that the mask is seen upright from the front: the jaw drops, the corner rises."""
    down, corner = motion(jacobian, jaw), motion(jacobian, left)
    assert down[1] > 5
    assert abs(down[0]) < 0.3 * down[1]
    assert corner[0] > 3
    assert corner[1] < -4


def upside_down(mask: Any) -> None:
    mask.rotation_euler = (math.pi, 0, 0.4)


def lying(mask: Any) -> None:
    mask.rotation_euler = (-math.pi / 2, 0.2, 0)


def parented_and_constrained(mask: Any) -> None:
    empty = bpy.data.objects.new("Turn", None)
    bpy.context.scene.collection.objects.link(empty)
    empty.rotation_euler = (0.3, 0.5, 2.5)
    empty.location = (4, -1, 2)
    mask.parent = empty
    mask.constraints.new("COPY_LOCATION").target = empty


def big(mask: Any) -> None:
    mask.scale = (100, 100, 100)
    bpy.context.scene.unit_settings.scale_length = 0.01


def uneven(mask: Any) -> None:
    mask.scale = (1.2, 0.8, 1.0)


def far_away(mask: Any) -> None:
    mask.location = (2000, -500, 30)


def hidden(mask: Any) -> None:
    mask.hide_render = mask.hide_viewport = True
    mask.hide_set(True)


def excluded(mask: Any) -> None:
    folder = bpy.data.collections.new("Off")
    bpy.context.scene.collection.children.link(folder)
    folder.objects.link(mask)
    bpy.context.scene.collection.objects.unlink(mask)
    bpy.context.view_layer.layer_collection.children["Off"].exclude = True


def editing(mask: Any) -> None:
    bpy.context.view_layer.objects.active = mask
    bpy.ops.object.mode_set(mode="EDIT")


def sculpting(mask: Any) -> None:
    bpy.context.view_layer.objects.active = mask
    bpy.ops.object.mode_set(mode="SCULPT")


def pinned(mask: Any) -> None:
    mask.active_shape_key_index = 3
    mask.show_only_shape_key = True


def odd_scene(mask: Any) -> None:
    scene = bpy.context.scene
    scene.world = None
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.fps, scene.render.fps_base = 30, 1.001
    scene.unit_settings.scale_length = 0.001
    scene.render.use_border = scene.render.use_simplify = True
    scene.frame_set(7, subframe=0.25)


def shared(mask: Any) -> None:
    twin = bpy.data.objects.new("Twin", mask.data)
    twin.location.x = 9
    bpy.context.scene.collection.objects.link(twin)


def subdivided(mask: Any) -> None:
    mask.modifiers.new("Subdivision", "SUBSURF").levels = 1


def smoothed(mask: Any) -> None:
    mask.modifiers.new("Smooth", "CORRECTIVE_SMOOTH")


def thick(mask: Any) -> None:
    mask.modifiers.new("Thick", "SOLIDIFY").thickness = 0.004


CASES = [
    upside_down, lying, parented_and_constrained, big, uneven, far_away, hidden, excluded, editing,
    sculpting, pinned, odd_scene, shared, subdivided, smoothed, thick, masked, in_armature,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_any_state_of_a_character(mask: Any, case: Callable[[Any], None]) -> None:
    mask.data.materials.clear()
    bpy.data.images.remove(bpy.data.images[0])  # so that there is less to compare
    case(mask)
    bpy.context.view_layer.update()
    before = dump()
    view, jacobian = seen(mask)
    assert differences(before, dump()) == []
    is_the_mask(jacobian)
    assert len(jacobian.pixels) > 300
    assert np.isfinite(jacobian.matrix).all()
    assert view.framing.width / 0.2 > 0.5


def test_a_mirrored_object(mask: Any) -> None:
    """Mirrored by its scale, the left corner is on the left of the picture."""
    mask.scale = (-1, 1, 1)
    _, jacobian = seen(mask)
    corner = motion(jacobian, "mouthSmileLeft")
    assert corner[0] < -3
    assert corner[1] < -4
    assert motion(jacobian, "jawOpen")[1] > 5


@pytest.mark.parametrize("mode", [hidden, editing, odd_scene])
def test_the_neutral_of_an_odd_state_is_the_same_picture(
    mask: Any, mode: Callable[[Any], None]
) -> None:
    plain = prepare(mask, 128).neutral
    mode(mask)
    bpy.context.view_layer.update()
    assert np.abs(prepare(mask, 128).neutral.astype(int) - plain).max() <= 1


def test_keys_relative_to_others_with_groups_and_locks(mask: Any) -> None:
    """A key on top of another, one half of a key by its vertex group, and a locked key."""
    keys = mask.data.shape_keys.key_blocks
    half = mask.vertex_groups.new(name="left")
    points = np.array([point.co for point in mask.data.shape_keys.reference_key.data])
    half.add(np.flatnonzero(points[:, 0] > 0).tolist(), 1.0, "REPLACE")
    both = mask.shape_key_add(name="smileBoth", from_mix=False)
    shift = sum(
        np.array([point.co for point in keys[name].data]) - points
        for name in ("mouthSmileLeft", "mouthSmileRight")
    )
    both.data.foreach_set("co", (points + shift).astype(np.float32).ravel())
    both.vertex_group = "left"
    over = mask.shape_key_add(name="smileMore", from_mix=False)
    over.relative_key = both
    over.data.foreach_set("co", (points + 2 * shift).astype(np.float32).ravel())
    if hasattr(over, "lock_shape"):
        over.lock_shape = True
    view, _ = seen(mask)
    moved = {
        name: view.face.displacement[view.face.keys.names.index(name)]
        for name in ("mouthSmileLeft", "smileBoth", "smileMore")
    }
    right = points[:, 0] < 0
    assert np.abs(moved["smileBoth"][right]).max() < 1e-6
    left = points[:, 0] > 0
    assert moved["smileBoth"][left] == pytest.approx(shift[left], abs=1e-5)
    assert moved["smileMore"] == pytest.approx(shift, abs=1e-5)


@pytest.mark.parametrize(
    "names",
    [
        ("mouth_smile_L", "Jaw Open"),
        ("AU12L", "AU26"),
        ("eCTRLMouthSmile-Left", "頬"),
        ("Key 1", "x.001"),
        ('quo"te\\', "a].value"),
    ],
)
def test_any_spelling(mask: Any, names: tuple[str, str]) -> None:
    keys = mask.data.shape_keys.key_blocks
    keys["mouthSmileLeft"].name, keys["jawOpen"].name = names
    _, jacobian = seen(mask)
    is_the_mask(jacobian, *names)


def test_one_sided_keys_and_their_mirror(mask: Any) -> None:
    """Keys of one side only: nothing is made up for the other."""
    for name in ("mouthSmileRight", "browDownRight"):
        mask.shape_key_remove(mask.data.shape_keys.key_blocks[name])
    _, jacobian = seen(mask)
    is_the_mask(jacobian)
    left, right = jacobian.pixels[:, 0] > 96, jacobian.pixels[:, 0] < 70
    column = jacobian.matrix[:, :, jacobian.names.index("mouthSmileLeft")].astype(float)
    assert np.hypot(*column[left].T).sum() > 20 * np.hypot(*column[right].T).sum()


def test_a_brow_bound_to_the_face_follows_it(mask: Any) -> None:
    """A mesh without keys that a modifier binds to the face moves with it on the stage too."""
    brow = companion("Brow", (0.035, -0.075, 0.045), ())
    shrink = brow.modifiers.new("On", "SHRINKWRAP")
    shrink.target, shrink.offset = mask, 0.002
    view, jacobian = seen(mask)
    assert jacobian.meshes == ("Mask", "Brow")
    (part,) = view.face.parts
    pushed = part.displacement[jacobian.names.index("cheekPuff")]
    lowered = part.displacement[jacobian.names.index("browDownLeft")]
    assert np.abs(lowered).max() > 5 * np.abs(pushed).max()
    assert brow.modifiers["On"].target == mask


@pytest.mark.parametrize("skin", [True, False], ids=["skin", "lash"])
def test_a_light_mesh_behind_its_skin_stays_out_of_the_picture(mask: Any, skin: bool) -> None:
    """But not behind lashes that are bound to it."""
    bound = heads.mask(25, 31) if skin else companion("Lash", (0.03, -0.08, 0.03), ())
    bound.shape_key_clear()
    bound.modifiers.new("Follow", "SURFACE_DEFORM").target = mask
    bpy.context.view_layer.update()
    with bpy.context.temp_override(object=bound, active_object=bound):
        bpy.ops.object.surfacedeform_bind(modifier="Follow")
    mask.hide_render = True
    with stage(mask) as on:
        view = view_face(on, 192)
        assert on.obj.hide_render is skin
    assert mask.hide_render
    (part,) = view.face.parts
    assert np.abs(part.displacement).max() > 0.02 * np.abs(view.face.displacement).max()
    assert ("hidden" in " ".join(one.what for one in preflight(mask))) is not skin


def test_a_face_that_looks_away_is_framed_from_its_front(mask: Any) -> None:
    camera = bpy.data.objects.new("Shot", bpy.data.cameras.new("Shot"))
    camera.location = (0, -2, 0)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    mask.rotation_euler = (0, 0, math.pi)
    _, jacobian = seen(mask)
    is_the_mask(jacobian)


@pytest.mark.slow
def test_many_keys_in_little_time_and_memory() -> None:
    """300 keys on 20,000 vertices."""
    big = heads.mask(129, 157)
    points = np.array([point.co for point in big.data.shape_keys.reference_key.data])
    for index in range(294):
        key = big.shape_key_add(name=f"key {index}", from_mix=False)
        near = np.exp(-(((points[:, 2] - 0.0006 * (index - 150)) / 0.02) ** 2))
        key.data.foreach_set(
            "co", (points + near[:, None] * [0, 0, 0.01]).astype(np.float32).ravel()
        )
        key.value = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with stage(big) as on:
        jacobian = project_keys(view_face(on, 512))
    seconds = time.process_time() - start
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"300 keys, {len(points)} vertices: {seconds:.1f} s, {megabytes:.0f} MB more")
    assert jacobian.matrix.shape[2] == 300
    assert seconds < 20
    assert megabytes < 1500


def test_five_keys_are_enough(mask: Any) -> None:
    mask.shape_key_remove(mask.data.shape_keys.key_blocks["cheekPuff"])
    assert len(face_channels(mask)) == 5
    _, jacobian = seen(mask)
    is_the_mask(jacobian)


def test_a_face_out_of_sight_is_refused(mask: Any) -> None:
    box = bpy.data.meshes.new("Helmet")
    box.from_pydata(
        [(x, -0.083, z) for x in (-0.12, 0.12) for z in (-0.12, 0.12)], [], [(0, 1, 3, 2)]
    )
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Helmet", box))
    bpy.context.view_layer.update()
    with pytest.raises(InputError, match=r"None of the 2989 vertices of 'Mask' is seen"):
        prepare(mask, 128)


def test_a_real_head_in_parts(shared: Path) -> None:
    """A scanned head's topology: 23,000 vertices, 53 keys, turned away in the world."""
    head = heads.ict_head(shared / "heads")
    head.rotation_euler = (0.2, -0.1, 2.0)
    start = time.process_time()
    _, jacobian = seen(head)
    print(f"evaluated in {time.process_time() - start:.2f} s")
    assert motion(jacobian, "jawOpen")[1] > 5
    smile = motion(jacobian, "mouthSmileLeft")
    assert smile[0] > 0 > smile[1]
    assert motion(jacobian, "browInnerUpLeft")[1] < -1
