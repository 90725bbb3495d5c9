"""The one panel: character, clip, Generate, bakes."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from ..character.preflight import Severity, preflight
from .desk import desk
from .part import Part

#: What the server calls its stages, for people.
_STAGES = {
    "send": "Sending",
    "decode": "Reading the clip",
    "align": "Finding the face",
    "generate": "Generating",
}
_ICONS = {Severity.ERROR: "ERROR", Severity.WARNING: "QUESTION", Severity.NOTE: "INFO"}


class MICROFACE_PT_main(bpy.types.Panel):  # type: ignore[misc]
    """Microface in the 3D view's sidebar"""

    bl_idname = "MICROFACE_PT_main"
    bl_label = "Microface"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Microface"

    def draw(self, context: Any) -> None:
        """Draw the whole panel."""
        settings = context.scene.microface
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "character")
        if settings.character is None:
            layout.operator("microface.add_character", icon="MONKEY")
        self._findings(settings.character, context)
        column = layout.column()
        column.row().prop(settings, "clip_source", expand=True)
        if settings.clip_source == "BUILTIN":
            # No label beside it: names are long, and the sidebar narrow.
            column.prop(settings, "clip_builtin", text="")
        else:
            column.prop(settings, "clip_path")
            column.prop(settings, "clip_fps")
        column.prop(settings, "strength")
        self._generate(context)
        self._bakes(settings, context)

    def _findings(self, obj: Any, context: Any) -> None:
        if obj is None:
            return
        findings = preflight(obj, quick=True)
        for number, finding in enumerate(findings):
            box = self.layout.box().column(align=True)
            _lines(context, box, finding.what, _ICONS[finding.severity])
            _lines(context, box, finding.remedy, "BLANK1")
            # One button where several findings are mended together.
            if finding.fix and all(finding.fix != one.fix for one in findings[number + 1 :]):
                box.operator("microface.fix", text="Mend this").fix = finding.fix

    def _generate(self, context: Any) -> None:
        state = desk()
        column = self.layout.column()
        if state.busy:
            text = _STAGES.get(state.message, state.message or "Working")
            column.progress(factor=state.progress, text=f"{text}  {100 * state.progress:.0f} %")
            column.operator("microface.cancel", icon="CANCEL")
        else:
            row = column.row()
            row.scale_y = 1.4
            row.operator("microface.generate", icon="PLAY")
            if state.message:
                _lines(context, column, state.message, "ERROR" if state.remedy else "CHECKMARK")
            if state.remedy:
                _lines(context, column, state.remedy, "BLANK1")

    def _bakes(self, settings: Any, context: Any) -> None:
        session = None
        if settings.character is not None:
            session = desk().done.get(settings.character.name)
        if session is not None:
            _lines(context, self.layout.column(), session.summary, "IMAGE_DATA")
        column = self.layout.column(align=True)
        column.enabled = session is not None and not desk().busy
        column.prop(settings, "start_frame")
        column.prop(settings, "whole_frames")
        column.operator("microface.bake_shape_keys", icon="SHAPEKEY_DATA")
        column.operator("microface.bake_texture", icon="TEXTURE")
        column.operator("microface.bake_wrinkles", icon="MOD_DISPLACE")
        column.operator("microface.bake_edges", icon="MOD_EDGESPLIT")
        self._outcome(settings.character, context)
        self.layout.operator("microface.unbake", icon="X")

    def _outcome(self, obj: Any, context: Any) -> None:
        """Draw what the last bake was found to be, and its report."""
        if obj is None:
            return
        notes = desk().notes.get(obj.name, ())
        if notes:
            box = self.layout.box().column(align=True)
            for number, note in enumerate(notes):
                _lines(context, box, note, "INFO" if number == 0 else "BLANK1")
        row = self.layout.row(align=True)
        row.operator("microface.write_report", icon="TEXT")
        if desk().report.get(obj.name):
            row.operator("microface.open_report", text="", icon="URL")


class MICROFACE_PT_textures(Part, bpy.types.Panel):  # type: ignore[misc]
    """How textures are written"""

    bl_idname = "MICROFACE_PT_textures"
    bl_label = "Textures"

    def draw(self, context: Any) -> None:
        """Draw the textures' options."""
        layout = self.split()
        layout.prop(context.scene.microface, "texture_format")
        layout.prop(context.scene.microface, "texture_size")


class MICROFACE_PT_settings(Part, bpy.types.Panel):  # type: ignore[misc]
    """What is seldom changed"""

    bl_idname = "MICROFACE_PT_settings"
    bl_label = "Settings"

    def draw(self, context: Any) -> None:
        """Draw the settings."""
        layout = self.split()
        layout.prop(context.scene.microface, "resolution")
        layout.prop(context.scene.microface, "server")


def _lines(context: Any, layout: Any, text: str, icon: str) -> None:
    """Draw a text broken into lines that fit the sidebar, as wide as it is now."""
    width = context.region.width / context.preferences.system.ui_scale
    columns = max(16, int((width - 90) / 6))
    for index, line in enumerate(textwrap.wrap(text, columns)):
        layout.label(text=line, icon=icon if index == 0 else "BLANK1")


PANELS = (MICROFACE_PT_main, MICROFACE_PT_textures, MICROFACE_PT_settings)
