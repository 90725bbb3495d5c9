"""What mends a preflight finding; each is a function of the character's object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np

from ...errors import InputError
from .controls import read_rig
from .family import family_of
from .findings_mesh import coordinates
from .findings_object import recounts
from .shape_keys import driven_keys, free_keys

#: Colour of a plain skin, linear light.
SKIN = (0.55, 0.33, 0.25, 1.0)


def fix(obj: Any, name: str) -> Any:
    """Mend what a finding about a character names as its `fix`; return the character.

    It is another object only after "override", which makes a local one of a linked one. Raises
    `InputError` for a name that is none of `FIXES`, or where it cannot be mended.
    """
    if name not in FIXES:
        raise InputError(f"There is no fix '{name}'.", f"Fixes are: {', '.join(sorted(FIXES))}.")
    return FIXES[name](obj) or obj


def unmute(obj: Any) -> None:
    """Unmute every shape key."""
    for key in obj.data.shape_keys.key_blocks:
        key.mute = False


def zero(obj: Any) -> None:
    """Set every shape key that is not driven to zero."""
    for key in free_keys(obj.data.shape_keys):
        key.value = 0.0


def relative(obj: Any) -> None:
    """Make absolute shape keys relative ones, all at zero."""
    obj.data.shape_keys.use_relative = True
    zero(obj)


def unpin(obj: Any) -> None:
    """Show the mix of all shape keys and not only the active one."""
    obj.show_only_shape_key = False


def show(obj: Any) -> None:
    """Show the object in renders."""
    obj.hide_render = False


def link(obj: Any) -> None:
    """Link an object that is in no scene to the current one."""
    bpy.context.scene.collection.objects.link(obj)


def single_user(obj: Any) -> None:
    """Give the object a mesh of its own."""
    obj.data = obj.data.copy()


def modifiers(obj: Any) -> None:
    """Turn off the modifiers that change the number of vertices with the expression."""
    for modifier in obj.modifiers:
        if recounts(modifier):
            modifier.show_viewport = modifier.show_render = False


def unscale(obj: Any) -> None:
    """Set an object's scale to 1."""
    obj.scale = (1.0, 1.0, 1.0)


def apply_scale(obj: Any) -> None:
    """Apply the object's scale to its mesh and all its shape keys."""
    if obj.data.users > 1:
        raise InputError(
            f"The mesh of '{obj.name}' is used by other objects too.",
            "Give the character a mesh of its own first.",
        )
    with _alone(obj):
        bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)


def unwrap(obj: Any) -> None:
    """Give the mesh a UV layer by projection (good enough to bake into, not to paint)."""
    if obj.data.uv_layers.new(name="UVMap") is None:
        raise InputError(f"'{obj.name}' takes no UV layer.", "Unwrap the mesh by hand.")
    with _alone(obj):
        bpy.ops.object.mode_set(mode="EDIT")
        try:
            bpy.ops.mesh.select_all(action="SELECT")
            bpy.ops.uv.smart_project(island_margin=0.01)
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")


def material(obj: Any) -> None:
    """Give the object a plain skin-coloured material, in its first empty slot."""
    skin = bpy.data.materials.new("Skin")
    skin.use_nodes = True
    shader = next(node for node in skin.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = SKIN
    shader.inputs["Roughness"].default_value = 0.6
    if obj.material_slots:
        obj.material_slots[0].material = skin
    else:
        obj.data.materials.append(skin)


def object_mode(obj: Any) -> None:
    """Leave edit, sculpt or paint mode."""
    objects = bpy.context.view_layer.objects
    active, objects.active = objects.active, obj
    try:
        bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        objects.active = active


def undrive(obj: Any) -> None:
    """Remove the drivers of shape keys that no control moves, so that the keys can be keyed.

    Raises `InputError` where a driver belongs to a linked file.
    """
    meshes = {str(mesh.name): mesh for mesh in family_of(obj)}
    for lost in read_rig(list(meshes.values())).unkeyed:
        block = meshes[lost.mesh].data.shape_keys
        if not block.key_blocks[lost.key].driver_remove("value") or lost.key in driven_keys(block):
            raise InputError(
                f"The driver of '{lost.key}' of '{lost.mesh}' cannot be removed.",
                "Remove it in the file that it is linked from.",
            )


def invalid(obj: Any) -> None:
    """Put vertices at invalid coordinates back: in a key to the basis, there to their neighbours.

    On all meshes of the face. Raises `InputError` if no vertex of a basis is at a valid place.
    """
    for mesh in family_of(obj) if obj.users_scene else [obj]:
        _put_back(mesh)


def _put_back(obj: Any) -> None:
    block = obj.data.shape_keys
    basis = coordinates(block.reference_key)
    good = np.isfinite(basis).all(axis=1)
    if not good.any():
        raise InputError(f"No vertex of '{obj.name}' is at a valid place.", "Import it again.")
    edges = np.empty(len(obj.data.edges) * 2, np.int32)
    obj.data.edges.foreach_get("vertices", edges)
    pairs = np.concatenate([edges.reshape(-1, 2), edges.reshape(-1, 2)[:, ::-1]])
    for vertex in np.flatnonzero(~good):
        near = pairs[pairs[:, 0] == vertex, 1]
        near = near[good[near]]
        basis[vertex] = basis[near].mean(axis=0) if len(near) else basis[good].mean(axis=0)
    for key in block.key_blocks:
        points = coordinates(key)
        bad = ~np.isfinite(points).all(axis=1)
        if bad.any():
            points[bad] = basis[bad]
            key.data.foreach_set("co", points.ravel())
    block.reference_key.data.foreach_get("co", basis.ravel())
    obj.data.vertices.foreach_set("co", basis.ravel())
    obj.data.update()


def follow(obj: Any) -> None:
    """Drive the keys of brows, lashes and the like by the face's keys that a rig drives."""
    block = obj.data.shape_keys
    bound = driven_keys(block)
    for mesh in family_of(obj)[1:]:
        for key in free_keys(mesh.data.shape_keys):
            if key.name not in bound:
                continue
            driver = key.driver_add("value").driver
            driver.type = "SUM"
            variable = driver.variables.new()
            target = variable.targets[0]
            target.id_type, target.id = "KEY", block
            target.data_path = f"{block.key_blocks[key.name].path_from_id()}.value"
    bpy.context.view_layer.update()


def override(obj: Any) -> Any:
    """Make library overrides of a linked character, its rig, its mesh and shape keys with it.

    Returns the overridden object.
    """
    made = obj
    if obj.library is not None:
        # A collection that was linked as a whole is overridden as a whole.
        root = next((one for one in obj.users_collection if one.library is not None), obj)
        root.override_hierarchy_create(
            bpy.context.scene, bpy.context.view_layer, do_fully_editable=True
        )
        made = next(
            (
                one
                for one in bpy.data.objects
                if one.override_library is not None and one.override_library.reference == obj
            ),
            None,
        )
        if made is not None:
            _take_out(root)
    if made is None:
        raise InputError(
            f"'{obj.name}' cannot be overridden.", "Make the library override by hand."
        )
    if made.data.library is not None:
        made.data.override_create(remap_local_usages=True)
    return made


def _take_out(linked: Any) -> None:
    """Take a linked collection or object, now overridden, out of the file's own collections."""
    own = [*bpy.data.collections, *(scene.collection for scene in bpy.data.scenes)]
    for collection in own:
        if collection.library is not None:
            continue
        members = collection.objects if linked.id_type == "OBJECT" else collection.children
        if linked in members.values():
            members.unlink(linked)


@contextmanager
def _alone(obj: Any) -> Iterator[None]:
    """Make the object the only one that is selected, for operators that go by selection."""
    layer = bpy.context.view_layer
    active, selected = layer.objects.active, [one for one in layer.objects if one.select_get()]
    for one in selected:
        one.select_set(False)
    obj.select_set(True)
    layer.objects.active = obj
    try:
        yield
    finally:
        obj.select_set(False)
        for one in selected:
            one.select_set(True)
        layer.objects.active = active


#: What `Finding.fix` names.
FIXES: dict[str, Callable[[Any], Any]] = {
    "apply-scale": apply_scale,
    "follow": follow,
    "invalid": invalid,
    "link": link,
    "material": material,
    "modifiers": modifiers,
    "object-mode": object_mode,
    "override": override,
    "relative": relative,
    "show": show,
    "single-user": single_user,
    "undrive": undrive,
    "unmute": unmute,
    "unpin": unpin,
    "unscale": unscale,
    "unwrap": unwrap,
    "zero": zero,
}
