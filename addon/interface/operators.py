"""Operators: thin callers of the API, with reports that carry the remedy."""

from __future__ import annotations

from typing import Any

import bpy

from ...errors import InputError
from .. import api
from ..clips import clip_label
from ..retarget.prepare import prepare
from ..verify.store import drop
from .add_character import MICROFACE_OT_add_character
from .aside import can_work_aside
from .bake_list import choose_bake
from .chosen import chosen_character, chosen_generated, playing_bake, texture_start
from .desk import Order, desk, redraw, start_ticking
from .elsewhere import maps_elsewhere, neutral_elsewhere, textures_elsewhere
from .evidence import keep_evidence, relative_to_file
from .preferences import preferred_server
from .report_operators import MICROFACE_OT_open_report, MICROFACE_OT_write_report
from .reporting import reporting
from .variation import asked_of
from .wiring import MICROFACE_OT_wire_textures, told_of_maps


class MICROFACE_OT_generate(bpy.types.Operator):  # type: ignore[misc]
    """Put the clip's expression on a picture of the character"""

    bl_idname = "microface.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One thing at a time."""
        return not desk().busy

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Let a second Blender render the neutral, then the timer carry on.

        Without a window all of it is done here.
        """
        settings = context.scene.microface
        obj = chosen_character(context)
        asked = asked_of(settings)
        label = clip_label(str(asked.clip))
        server = preferred_server(settings)
        desk().link_to(server).poll()  # it starts while the neutral is rendered
        if can_work_aside():
            neutral_elsewhere(obj, settings.resolution, server, asked, label)
            start_ticking()
            return {"FINISHED"}
        order = Order(prepare(obj, settings.resolution), asked, label)
        desk().start(server, order)
        if not bpy.app.background:
            start_ticking()
            return {"FINISHED"}
        desk().finish()
        return {"FINISHED"}


class MICROFACE_OT_cancel(bpy.types.Operator):  # type: ignore[misc]
    """Stop what runs; nothing of it stays"""

    bl_idname = "microface.cancel"
    bl_label = "Cancel"

    def execute(self, context: Any) -> set[str]:
        """Cancel what runs."""
        desk().cancel()
        redraw()
        return {"FINISHED"}


class MICROFACE_OT_bake_shape_keys(bpy.types.Operator):  # type: ignore[misc]
    """Key the character's shape keys so that its surface moves as generated"""

    bl_idname = "microface.bake_shape_keys"
    bl_label = "Bake to Shape Keys"
    bl_options = {"REGISTER", "UNDO"}

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Solve, key, and leave evidence."""
        obj, generated = chosen_generated(context)
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
        choose_bake(context, bake.action_name)
        proof = keep_evidence(obj, generated, bake.time_base, bake)
        strongest = ", ".join(bake.active()[:3]) or "none"
        desk().message = f"{bake.key_count} keys in '{bake.action_name}'; strongest: {strongest}"
        desk().notes[obj.name] = (
            f"{100 * (1 - proof.foretold_unexplained):.0f} % of the motion expressed",
            f"at most {bake.residual_pixels.max(initial=0.0):.2f} pixels left over",
            *(str(cut) for cut in bake.cuts),
        )
        return {"FINISHED"}


class MICROFACE_OT_bake_texture(bpy.types.Operator):  # type: ignore[misc]
    """Write the change of the skin as a texture sequence and play it in the material"""

    bl_idname = "microface.bake_texture"
    bl_label = "Bake to Texture"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One thing at a time."""
        return not desk().busy

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Bake the textures beside the saved file, in a second Blender where there is a window."""
        obj, generated = chosen_generated(context)
        settings = context.scene.microface
        over = playing_bake(obj)
        if can_work_aside():
            textures_elsewhere(obj, generated, settings, over)
            start_ticking()
            return {"FINISHED"}
        bake = api.bake_texture(
            obj,
            generated,
            start_frame=texture_start(settings, over),
            size=settings.texture_size,
            over=over,
            kind=settings.texture_format,
        )
        keep_evidence(obj, generated, None, over, bake, relative_to_file)
        names = ", ".join(texture.name for texture in bake.textures) or "no texture moves"
        desk().message = f"Textures baked: {names}"
        return {"FINISHED"}


class MICROFACE_OT_bake_wrinkles(bpy.types.Operator):  # type: ignore[misc]
    """Reduce the change of the skin to a few maps with a curve each"""

    bl_idname = "microface.bake_wrinkles"
    bl_label = "Bake Wrinkle Maps"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One thing at a time."""
        return not desk().busy

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Bake the maps beside the saved file, in a second Blender where there is a window."""
        obj, generated = chosen_generated(context)
        settings = context.scene.microface
        over = playing_bake(obj)
        kind = "exr" if settings.texture_format == "exr" else "png16"
        if can_work_aside():
            maps_elsewhere(obj, generated, settings, over, kind)
            start_ticking()
            return {"FINISHED"}
        maps = api.bake_wrinkle_maps(
            obj,
            generated,
            start_frame=texture_start(settings, over),
            size=settings.texture_size,
            over=over,
            kind=kind,
        )
        desk().message = told_of_maps(len(maps))
        return {"FINISHED"}


class MICROFACE_OT_bake_edges(bpy.types.Operator):  # type: ignore[misc]
    """Write the edge maps as image sequences beside the saved file"""

    bl_idname = "microface.bake_edges"
    bl_label = "Bake Edge Maps"

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Write the edge pass."""
        obj, generated = chosen_generated(context)
        bake = api.bake_edges(obj, generated)
        desk().message = f"{len(bake.screen)} edge maps in {bake.folder}"
        return {"FINISHED"}


class MICROFACE_OT_unbake(bpy.types.Operator):  # type: ignore[misc]
    """Take the baked keys and textures off again and play what played before"""

    bl_idname = "microface.unbake"
    bl_label = "Remove Bakes"
    bl_options = {"REGISTER", "UNDO"}

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Remove the bake's action, the texture nodes, and the evidence of them."""
        obj = chosen_character(context)
        keys = api.unbake_shape_keys(obj)
        textures = api.unbake_texture(obj)
        if not keys and not textures:
            raise InputError(f"Nothing is baked on '{obj.name}'.", "Bake something first.")
        drop(obj)
        for kept in (desk().baked, desk().notes, desk().report):
            kept.pop(obj.name, None)
        return {"FINISHED"}


class MICROFACE_OT_fix(bpy.types.Operator):  # type: ignore[misc]
    """Mend this"""

    bl_idname = "microface.fix"
    bl_label = "Mend"
    bl_options = {"REGISTER", "UNDO"}

    fix: bpy.props.StringProperty()  # type: ignore[valid-type]

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Run the fix that a finding names."""
        # An override is another object than the linked one.
        context.scene.microface.character = api.fix(chosen_character(context), self.fix)
        return {"FINISHED"}


OPERATORS = (
    MICROFACE_OT_add_character,
    MICROFACE_OT_generate,
    MICROFACE_OT_cancel,
    MICROFACE_OT_bake_shape_keys,
    MICROFACE_OT_bake_texture,
    MICROFACE_OT_wire_textures,
    MICROFACE_OT_bake_wrinkles,
    MICROFACE_OT_bake_edges,
    MICROFACE_OT_write_report,
    MICROFACE_OT_open_report,
    MICROFACE_OT_unbake,
    MICROFACE_OT_fix,
)
