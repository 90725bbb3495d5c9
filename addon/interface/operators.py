"""Operators: thin callers of the API, with reports that carry the remedy."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import bpy

from ...errors import InputError, MicrofaceError
from .. import api
from ..bake.shape_keys import ShapeKeyBake
from ..bake.time import parse_fps
from ..character.fixes import FIXES
from ..clips import clip_label
from ..generated import Generated
from ..retarget.prepare import prepare
from .add_character import MICROFACE_OT_add_character
from .desk import Order, desk, redraw, start_ticking
from .preferences import preferred_server
from .properties import chosen_clip

Execute = Callable[[Any, Any], set[str]]


def _reporting(execute: Execute) -> Execute:
    """Turn our own errors into a report with the remedy, and a cancelled operator."""

    @wraps(execute)
    def reporting(self: Any, context: Any) -> set[str]:
        desk().message = desk().remedy = ""
        try:
            return execute(self, context)
        except MicrofaceError as error:
            desk().message, desk().remedy = error.what, error.remedy
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            redraw()

    return reporting


def _character(context: Any) -> Any:
    obj = context.scene.microface.character
    if obj is None:
        raise InputError("No character is chosen.", "Choose the mesh of the face.")
    return obj


def _generated(context: Any) -> tuple[Any, Generated]:
    obj = _character(context)
    session = desk().done.get(obj.name)
    if session is None:
        raise InputError(f"Nothing is generated for '{obj.name}'.", "Press Generate first.")
    return obj, session.result()


def _playing(obj: Any) -> ShapeKeyBake | None:
    """Return the bake of shape keys that the character plays, if it comes from this result."""
    bake = desk().baked.get(obj.name)
    animation = obj.data.shape_keys.animation_data
    action = animation.action if animation else None
    return bake if bake is not None and action and action.name == bake.action_name else None


class MICROFACE_OT_generate(bpy.types.Operator):  # type: ignore[misc]
    """Put the clip's expression on a picture of the character"""

    bl_idname = "microface.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One generation at a time."""
        return not desk().busy

    @_reporting
    def execute(self, context: Any) -> set[str]:
        """Render the neutral, then let the timer carry on; without a window wait until done."""
        settings = context.scene.microface
        obj = _character(context)
        clip = chosen_clip(settings)
        label = clip_label(clip)
        fps = parse_fps(settings.clip_fps) if settings.clip_fps else None
        desk().link_to(preferred_server(settings)).poll()  # it starts while the neutral is rendered
        order = Order(prepare(obj, settings.resolution), clip, label, fps, settings.strength)
        desk().start(preferred_server(settings), order)
        if not bpy.app.background:
            start_ticking()
            return {"FINISHED"}
        desk().finish()
        return {"FINISHED"}


class MICROFACE_OT_cancel(bpy.types.Operator):  # type: ignore[misc]
    """Stop generating"""

    bl_idname = "microface.cancel"
    bl_label = "Cancel"

    def execute(self, context: Any) -> set[str]:
        """Cancel the running generation."""
        desk().cancel()
        redraw()
        return {"FINISHED"}


class MICROFACE_OT_bake_shape_keys(bpy.types.Operator):  # type: ignore[misc]
    """Key the character's shape keys so that its surface moves as generated"""

    bl_idname = "microface.bake_shape_keys"
    bl_label = "Bake to Shape Keys"
    bl_options = {"REGISTER", "UNDO"}

    @_reporting
    def execute(self, context: Any) -> set[str]:
        """Solve and key."""
        obj, generated = _generated(context)
        settings = context.scene.microface
        link = desk().link_to(preferred_server(settings))
        bake = api.bake_shape_keys(
            obj,
            generated,
            settings.start_frame,
            whole_frames=settings.whole_frames,
            server=link.wait(),
        )
        desk().baked[obj.name] = bake
        strongest = ", ".join(bake.active()[:3]) or "none"
        desk().message = f"{bake.key_count} keys in '{bake.action_name}'; strongest: {strongest}"
        return {"FINISHED"}


class MICROFACE_OT_bake_texture(bpy.types.Operator):  # type: ignore[misc]
    """Write the change of the skin as a texture sequence and play it in the material"""

    bl_idname = "microface.bake_texture"
    bl_label = "Bake to Texture"
    bl_options = {"REGISTER", "UNDO"}

    @_reporting
    def execute(self, context: Any) -> set[str]:
        """Bake the textures beside the saved file."""
        obj, generated = _generated(context)
        manager = context.window_manager
        manager.progress_begin(0, 1)
        try:
            bake = api.bake_texture(
                obj,
                generated,
                start_frame=context.scene.microface.start_frame,
                over=_playing(obj),
                report=manager.progress_update,
            )
        finally:
            manager.progress_end()
        names = ", ".join(texture.name for texture in bake.textures) or "no texture moves"
        desk().message = f"Textures baked: {names}"
        return {"FINISHED"}


class MICROFACE_OT_bake_edges(bpy.types.Operator):  # type: ignore[misc]
    """Write the edge maps as image sequences beside the saved file"""

    bl_idname = "microface.bake_edges"
    bl_label = "Bake Edge Maps"

    @_reporting
    def execute(self, context: Any) -> set[str]:
        """Write the edge pass."""
        obj, generated = _generated(context)
        bake = api.bake_edges(obj, generated)
        desk().message = f"{len(bake.screen)} edge maps in {bake.folder}"
        return {"FINISHED"}


class MICROFACE_OT_unbake(bpy.types.Operator):  # type: ignore[misc]
    """Take the baked keys and textures off again and play what played before"""

    bl_idname = "microface.unbake"
    bl_label = "Remove Bakes"
    bl_options = {"REGISTER", "UNDO"}

    @_reporting
    def execute(self, context: Any) -> set[str]:
        """Remove the bake's action and the texture nodes."""
        obj = _character(context)
        keys = api.unbake_shape_keys(obj)
        textures = api.unbake_texture(obj)
        if not keys and not textures:
            raise InputError(f"Nothing is baked on '{obj.name}'.", "Bake something first.")
        return {"FINISHED"}


class MICROFACE_OT_fix(bpy.types.Operator):  # type: ignore[misc]
    """Mend this"""

    bl_idname = "microface.fix"
    bl_label = "Mend"
    bl_options = {"REGISTER", "UNDO"}

    fix: bpy.props.StringProperty()  # type: ignore[valid-type]

    @_reporting
    def execute(self, context: Any) -> set[str]:
        """Run the fix that a finding names."""
        if self.fix not in FIXES:
            raise InputError(f"There is no fix '{self.fix}'.", "Mend it by hand.")
        FIXES[self.fix](_character(context))
        return {"FINISHED"}


OPERATORS = (
    MICROFACE_OT_add_character,
    MICROFACE_OT_generate,
    MICROFACE_OT_cancel,
    MICROFACE_OT_bake_shape_keys,
    MICROFACE_OT_bake_texture,
    MICROFACE_OT_bake_edges,
    MICROFACE_OT_unbake,
    MICROFACE_OT_fix,
)
