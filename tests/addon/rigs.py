"""Rigs for tests: bones, modifiers, properties and drivers on a mask."""

from __future__ import annotations

from typing import Any

import bpy


def bones(name: str, places: dict[str, tuple[float, float, float]]) -> Any:
    """Return an armature object with one upright bone a name, none of which deforms."""
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for bone, place in places.items():
        made = rig.data.edit_bones.new(bone)
        made.head, made.tail = place, (place[0], place[1], place[2] + 0.02)
        made.use_deform = False
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in rig.pose.bones:
        bone.rotation_mode = "XYZ"
    return rig


def drive(block: Any, path: str, expression: str, **variables: Any) -> Any:
    """Drive a number; each variable is (id, data path), or (id, bone, transform type[, space])."""
    curve = block.driver_add(path)
    driver = curve.driver
    if expression in {"AVERAGE", "SUM", "MIN", "MAX"}:
        driver.type = expression
    else:
        driver.type = "SCRIPTED"
    for name, reading in variables.items():
        variable = driver.variables.new()
        variable.name = name
        target = variable.targets[0]
        if len(reading) == 2:
            variable.type = "SINGLE_PROP"
            target.id_type = reading[0].id_type
            target.id, target.data_path = reading
        else:
            variable.type = "TRANSFORMS"
            target.id, target.bone_target, target.transform_type = reading[:3]
            target.transform_space = reading[3] if len(reading) > 3 else "LOCAL_SPACE"
    if driver.type == "SCRIPTED":
        driver.expression = expression
    return curve


def drive_key(mesh: Any, key: str, expression: str, **variables: Any) -> Any:
    """Drive a shape key of a mesh object."""
    block = mesh.data.shape_keys.key_blocks[key]
    return drive(block, "value", expression, **variables)


def in_armature(mask: Any, turn: tuple[float, float, float] = (0.3, 0.8, 0.4)) -> None:
    """Let a mask hang on a bone of the head that is turned by so many radians about x, y and z."""
    rig = bones("Rig", {"head": (0, 0, -0.1)})
    rig.data.bones["head"].use_deform = True
    mask.vertex_groups.new(name="head").add(range(49 * 61), 1.0, "REPLACE")
    mask.modifiers.new("Armature", "ARMATURE").object = rig
    rig.pose.bones["head"].rotation_euler = turn


def masked(mask: Any) -> None:
    """Take the chin's rim away by a mask modifier."""
    group = mask.vertex_groups.new(name="seen")
    group.add([index for index in range(49 * 61) if index // 49 > 3], 1.0, "REPLACE")
    mask.modifiers.new("Mask", "MASK").vertex_group = "seen"


def mouth_rig(mask: Any) -> Any:
    """A bone that smiles when it goes up and lowers the brow when it goes down, 0.01 each."""
    rig = bones("Rig", {"mouth.L": (0.03, -0.1, -0.04)})
    # The bone points up, so that its own y is the world's z.
    reading = (rig, "mouth.L", "LOC_Y")
    drive_key(mask, "mouthSmileLeft", "up * 100", up=reading)
    drive_key(mask, "browDownLeft", "max(-up, 0) * 100", up=reading)
    bpy.context.view_layer.update()
    return rig
