"""What would go wrong is told before it does, with a remedy, and mended where it can be."""

from __future__ import annotations

import time
from typing import Any

import bpy
import heads
import numpy as np
import pytest
from heads import companion
from microface.addon.character.channels import face_channels
from microface.addon.character.fixes import FIXES, fix
from microface.addon.character.preflight import Severity, preflight
from microface.addon.retarget.prepare import find_character, prepare
from microface.errors import InputError
from rigs import bones, drive_key, in_armature, mouth_rig


def whats(obj: Any, severity: Severity) -> str:
    return " ".join(one.what for one in preflight(obj) if one.severity is severity)


def test_a_good_character_has_no_findings(mask: Any) -> None:
    assert preflight(mask) == []


def test_every_fix_is_known(mask: Any) -> None:
    mask.data.uv_layers.remove(mask.data.uv_layers[0])
    mask.data.shape_keys.key_blocks["jawOpen"].mute = True
    mask.data.shape_keys.key_blocks["cheekPuff"].value = 0.3
    mask.hide_render = True
    mask.scale = (1, 2, 1)
    bpy.context.view_layer.update()
    fixes = {finding.fix for finding in preflight(mask)}
    assert fixes == {"unwrap", "unmute", "zero", "show", "apply-scale"}
    for name in sorted(fixes):
        fix(mask, name)
    bpy.context.view_layer.update()
    assert preflight(mask) == []
    assert mask.scale[1] == pytest.approx(1)


def test_no_shape_keys() -> None:
    mesh = bpy.data.meshes.new("Cube")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    cube = bpy.data.objects.new("Cube", mesh)
    bpy.context.scene.collection.objects.link(cube)
    assert "no shape keys" in whats(cube, Severity.ERROR)
    with pytest.raises(InputError, match="no shape keys"):
        prepare(cube, 128)


def test_a_body_names_the_face_that_hangs_on_its_rig(mask: Any) -> None:
    body = companion("Body", (0, 0, -0.2), ())
    in_armature(mask)
    body.modifiers.new("Armature", "ARMATURE").object = mask.modifiers[0].object
    (finding,) = preflight(body)
    assert finding.remedy == "Choose 'Mask', which has them and hangs on the same rig."


def test_teeth_chosen_for_a_face_name_the_face(mask: Any) -> None:
    teeth = companion("Teeth", (0.0, -0.06, -0.05), ("jawOpen", "mouthSmileLeft"))
    assert "'Mask' is larger than 'Teeth'" in whats(teeth, Severity.WARNING)
    assert "larger" not in whats(mask, Severity.WARNING)
    sheet = companion("Marker", (0.0, -0.06, 0.05), ("own",))
    assert "larger" not in whats(sheet, Severity.WARNING)


def test_a_face_that_bones_alone_move_says_so(mask: Any) -> None:
    mask.shape_key_clear()
    in_armature(mask)
    (finding,) = preflight(mask)
    assert "bones alone move it" in finding.what
    assert "Save as Shape Key" in finding.remedy


def test_a_mesh_that_follows_the_face_names_it(mask: Any) -> None:
    skin = heads.companion("Skin", (0, -0.08, 0), ())
    skin.modifiers.new("Follow", "SURFACE_DEFORM").target = mask
    (finding,) = preflight(skin)
    assert finding.remedy.startswith("Choose 'Mask', which moves it")


def test_not_a_mesh() -> None:
    empty = bpy.data.objects.new("Empty", None)
    assert "is not a mesh" in whats(empty, Severity.ERROR)
    assert "is not a mesh" in whats(None, Severity.ERROR)


def test_invalid_coordinates(mask: Any) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.data[7].co = (float("nan"), 0, 0)
    assert "invalid (NaN or infinite)" in whats(mask, Severity.ERROR)
    with pytest.raises(InputError, match=r"'Mask' has 1 vertex.*NaN.*'jawOpen'"):
        prepare(mask, 128)
    (finding,) = (one for one in preflight(mask) if one.severity is Severity.ERROR)
    fix(mask, finding.fix)
    assert preflight(mask) == []


def test_driven_keys_are_left_alone(mask: Any) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.driver_add("value").driver.expression = "0.5"
    said = "'jawOpen' is driven and left alone: its driver is the constant '0.5'."
    assert said in whats(mask, Severity.WARNING)
    assert [one.what for one in preflight(mask, quick=True)] == [said]
    assert "jawOpen" not in {channel.name for channel in face_channels(mask)}


def test_no_key_is_free(mask: Any) -> None:
    for key in mask.data.shape_keys.key_blocks:
        key.mute = True
    assert "No shape key" in whats(mask, Severity.ERROR)


def test_animated_keys_are_noted(mask: Any) -> None:
    mask.data.shape_keys.key_blocks["jawOpen"].keyframe_insert("value", frame=1)
    assert "already animated" in whats(mask, Severity.NOTE)


def test_ranges_include_zero(mask: Any) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.slider_min, key.slider_max = -0.5, 2.0
    channel = next(one for one in face_channels(mask) if one.name == "jawOpen")
    assert (channel.lower, channel.upper, channel.neutral) == (-0.5, 2.0, 0.0)
    assert all(one.lower <= 0 <= one.upper for one in face_channels(mask))


def test_an_unknown_object_lists_the_known(mask: Any) -> None:
    with pytest.raises(InputError, match=r"no object called 'Haed'.*shape keys are: Mask"):
        find_character("Haed")


def test_keys_that_move_nothing_are_no_face(mask: Any) -> None:
    block = mask.data.shape_keys
    rest = np.empty(len(mask.data.vertices) * 3, np.float32)
    block.reference_key.data.foreach_get("co", rest)
    for key in block.key_blocks[1:]:
        key.data.foreach_set("co", rest)
    with pytest.raises(InputError, match="No face was found"):
        prepare(mask, 128)


def test_a_vertex_of_the_basis_at_no_place(mask: Any) -> None:
    for key in mask.data.shape_keys.key_blocks:
        key.data[700].co = (float("inf"), 0, float("nan"))
    mask.data.vertices[700].co = (float("inf"), 0, float("nan"))
    assert "1 vertex at invalid" in whats(mask, Severity.ERROR)
    fix(mask, "invalid")
    assert preflight(mask) == []
    place = np.array(mask.data.shape_keys.reference_key.data[700].co)
    beside = np.array(mask.data.shape_keys.reference_key.data[701].co)
    assert np.linalg.norm(place - beside) < 0.005


def test_absolute_keys_are_made_relative(mask: Any) -> None:
    mask.data.shape_keys.use_relative = False
    (finding,) = preflight(mask)
    assert (finding.severity, finding.fix) == (Severity.ERROR, "relative")
    fix(mask, "relative")
    assert preflight(mask) == []


def test_a_mesh_without_faces() -> None:
    mesh = bpy.data.meshes.new("Cloud")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [])
    cloud = bpy.data.objects.new("Cloud", mesh)
    bpy.context.scene.collection.objects.link(cloud)
    cloud.shape_key_add(name="Basis")
    cloud.shape_key_add(name="smile")
    assert "'Cloud' has no faces" in whats(cloud, Severity.ERROR)


def test_faces_without_area(mask: Any) -> None:
    rest = np.array([point.co for point in mask.data.shape_keys.reference_key.data])
    some, all_of_them = rest.copy(), np.zeros_like(rest)
    some[1:49] = some[0]  # the first row falls together: its faces become triangles or nothing
    some[49:98] = some[0]
    for points, severity, said in (
        (some, Severity.NOTE, "48 of 2880 faces"),
        (all_of_them, Severity.ERROR, "2880 of 2880 faces"),
    ):
        mask.data.vertices.foreach_set("co", points.astype(np.float32).ravel())
        mask.data.update()
        assert said in whats(mask, severity)


def test_a_pinned_key_is_unpinned(mask: Any) -> None:
    mask.show_only_shape_key = True
    assert "only its active shape key" in whats(mask, Severity.WARNING)
    fix(mask, "unpin")
    assert preflight(mask) == []


def test_a_shared_mesh_is_split(mask: Any) -> None:
    twin = bpy.data.objects.new("Twin", mask.data)
    twin.location.x = 5
    bpy.context.scene.collection.objects.link(twin)
    assert "'Twin' shares the mesh" in whats(mask, Severity.WARNING)
    mask.scale = (2, 1, 1)
    bpy.context.view_layer.update()
    with pytest.raises(InputError, match="used by other objects"):
        fix(mask, "apply-scale")
    fix(mask, "single-user")
    fix(mask, "apply-scale")
    assert preflight(mask) == []
    assert twin.data != mask.data


def test_recounting_modifiers_are_turned_off(mask: Any) -> None:
    mask.modifiers.new("Fewer", "DECIMATE").ratio = 0.4
    assert "'Fewer' may make other vertices" in whats(mask, Severity.WARNING)
    with pytest.raises(InputError, match="modifiers of 'Mask' change its vertex count"):
        prepare(mask, 128)
    fix(mask, "modifiers")
    assert preflight(mask) == []


def test_things_scattered_over_the_face_are_turned_off(mask: Any) -> None:
    """Where they are realised: as instances they leave the face's own vertices alone."""
    tree = bpy.data.node_groups.new("Stubble", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    kinds = ("DistributePointsOnFaces", "MeshCube", "InstanceOnPoints", "JoinGeometry")
    given, taken = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    points, cube, hairs, both = (tree.nodes.new(f"GeometryNode{kind}") for kind in kinds)
    points.inputs["Density"].default_value = 5000
    cube.inputs["Size"].default_value = (0.001, 0.001, 0.001)
    for start, end in (
        (given.outputs[0], points.inputs["Mesh"]),
        (points.outputs["Points"], hairs.inputs["Points"]),
        (cube.outputs["Mesh"], hairs.inputs["Instance"]),
        (given.outputs[0], both.inputs[0]),
        (hairs.outputs[0], both.inputs[0]),
        (both.outputs[0], taken.inputs[0]),
    ):
        tree.links.new(start, end)
    mask.modifiers.new("Stubble", "NODES").node_group = tree
    assert preflight(mask) == []
    prepare(mask, 128)
    realised = tree.nodes.new("GeometryNodeRealizeInstances")
    tree.links.new(both.outputs[0], realised.inputs[0])
    tree.links.new(realised.outputs[0], taken.inputs[0])
    assert "'Stubble' may make other vertices" in whats(mask, Severity.WARNING)
    with pytest.raises(InputError, match="modifiers of 'Mask' change its vertex count"):
        prepare(mask, 128)
    fix(mask, "modifiers")
    assert preflight(mask) == []


def test_fine_subdivision_is_noted(mask: Any) -> None:
    modifier = mask.modifiers.new("Finer", "SUBSURF")
    modifier.levels = 3
    assert preflight(mask) == []
    modifier.levels = 4
    assert "'Finer' makes about 737,280 faces" in whats(mask, Severity.NOTE)


def test_an_object_in_no_scene(mask: Any) -> None:
    bpy.context.scene.collection.objects.unlink(mask)
    assert "in no scene" in whats(mask, Severity.ERROR)
    fix(mask, "link")
    assert preflight(mask) == []


def test_a_face_scaled_to_nothing(mask: Any) -> None:
    mask.scale = (1, 0, 1)
    bpy.context.view_layer.update()
    assert [one.fix for one in preflight(mask) if one.severity is Severity.ERROR] == ["unscale"]
    fix(mask, "unscale")
    bpy.context.view_layer.update()
    assert preflight(mask) == []


def test_a_face_without_colour_gets_a_skin(mask: Any) -> None:
    mask.data.materials.clear()
    (finding,) = preflight(mask)
    assert (finding.severity, finding.fix) == (Severity.WARNING, "material")
    fix(mask, "material")
    assert preflight(mask) == []
    mask.material_slots[0].material = None
    fix(mask, "material")
    assert len(mask.material_slots) == 1
    assert preflight(mask) == []


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT", "VERTEX_PAINT"])
def test_a_mode_is_left(mask: Any, mode: str) -> None:
    bpy.context.view_layer.objects.active = mask
    bpy.ops.object.mode_set(mode=mode)
    bpy.context.view_layer.objects.active = bones("Rig", {}) if mode == "SCULPT" else mask
    assert [one.fix for one in preflight(mask)] == ["object-mode"]
    fix(mask, "object-mode")
    assert mask.mode == "OBJECT"
    assert preflight(mask) == []


def test_drivers_that_no_control_moves_are_removed(mask: Any) -> None:
    mouth_rig(mask)
    for name in ("jawOpen", "cheekPuff"):
        drive_key(mask, name, "sin(frame)")
    bpy.context.view_layer.update()
    assert [one.fix for one in preflight(mask)].count("undrive") == 2
    assert not {"jawOpen", "cheekPuff"} & {one.name for one in face_channels(mask)}
    fix(mask, "undrive")
    assert "undrive" not in [one.fix for one in preflight(mask)]
    names = {one.name for one in face_channels(mask)}
    assert {"jawOpen", "cheekPuff", "mouth.L loc Y +"} <= names


def test_a_face_whose_keys_all_have_broken_drivers(mask: Any) -> None:
    for key in mask.data.shape_keys.key_blocks[1:]:
        drive_key(mask, key.name, "nonsense")
    bpy.context.view_layer.update()
    assert [one.fix for one in preflight(mask) if one.severity is Severity.ERROR] == ["undrive"]
    fix(mask, "undrive")
    assert len(face_channels(mask)) == 6


def test_a_brow_with_a_vertex_at_no_place(mask: Any) -> None:
    brow = companion("Brow", (0.035, -0.075, 0.045), ("browDownLeft",))
    brow.data.shape_keys.key_blocks["browDownLeft"].data[3].co = (float("nan"), 0, 0)
    assert "'Brow' has 1 vertex at invalid" in whats(mask, Severity.ERROR)
    fix(mask, "invalid")
    assert not whats(mask, Severity.ERROR)


def test_a_range_that_leaves_zero_out_is_no_shape_of_the_characters(mask: Any) -> None:
    mask.data.shape_keys.key_blocks["jawOpen"].slider_min = 0.2
    assert preflight(mask) == []


def test_muted_keys_are_no_channels(mask: Any) -> None:
    mask.data.shape_keys.key_blocks["jawOpen"].mute = True
    assert "jawOpen" not in {one.name for one in face_channels(mask)}
    assert len(face_channels(mask)) == 5


def test_an_unknown_fix(mask: Any) -> None:
    with pytest.raises(InputError, match=r"no fix 'magic'.*apply-scale, follow"):
        fix(mask, "magic")
    assert all(repair.__doc__ for repair in FIXES.values())


def test_a_loose_brow_is_made_to_follow(mask: Any) -> None:
    brow = companion("Brow", (0.035, -0.07, 0.045), ("browDownLeft",))
    mouth_rig(mask)
    assert "'browDownLeft' of 'Brow' do not follow" in whats(mask, Severity.WARNING)
    assert "browDownLeft" not in {channel.name for channel in face_channels(mask)}
    fix(mask, "follow")
    assert "follow" not in whats(mask, Severity.WARNING)
    bpy.data.objects["Rig"].pose.bones["mouth.L"].location[1] = -0.005
    bpy.context.view_layer.update()
    assert brow.data.shape_keys.key_blocks["browDownLeft"].value == pytest.approx(0.5)


def test_a_key_that_shapes_the_character_is_kept(mask: Any) -> None:
    """A wider nose is who this is; a smile that was left on is not."""
    keys = mask.data.shape_keys.key_blocks
    keys["cheekPuff"].name = "Nose width"
    keys["Nose width"].value, keys["mouthSmileLeft"].value = 0.7, 0.4
    said = whats(mask, Severity.NOTE)
    assert "own shape, and kept where they stand: 'Nose width'" in said
    assert "not at rest: 'mouthSmileLeft'" in said
    channels = {channel.name: channel for channel in face_channels(mask)}
    nose = channels["Nose width"]
    assert (nose.neutral, nose.lower, nose.upper) == pytest.approx((0.7, -0.7, 0.3))
    assert channels["mouthSmileLeft"].neutral == 0
    keys["Nose width"].keyframe_insert("value", frame=1)
    assert face_channels(mask)[5].neutral == pytest.approx(0.7), "held by a key is not moving"
    keys["Nose width"].value = 0.2
    keys["Nose width"].keyframe_insert("value", frame=9)
    assert face_channels(mask)[5].neutral == 0, "what is animated is an expression"


def test_findings_are_quick_enough_for_a_panel() -> None:
    """20,000 vertices and 68 keys, drawn again at every move of the mouse."""
    big = heads.mask(129, 157)
    points = np.array([point.co for point in big.data.shape_keys.reference_key.data])
    for index in range(62):
        key = big.shape_key_add(name=f"key {index}", from_mix=False)
        key.data.foreach_set("co", (points + np.array([0, 0, 1e-3])).astype(np.float32).ravel())
        key.value = 0.0  # Blender 5 adds keys at 1
    assert len(points) > 20_000
    for quick, limit in ((True, 0.2), (False, 1.5)):
        start = time.process_time()
        findings = preflight(big, quick=quick)
        seconds = time.process_time() - start
        print(f"{'quick' if quick else 'full'} preflight: {seconds:.3f} s")
        assert findings == []
        assert seconds < limit
