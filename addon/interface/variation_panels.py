"""The panel's closed parts: what may be changed about a clip before it is generated."""

from __future__ import annotations

from typing import Any

import bpy

from ...server.protocol.regions import REGIONS, SIDES
from .part import Part


class _Panel(Part):
    def column(self: Any, context: Any) -> tuple[Any, Any]:
        """Return a column to draw into, and what is changed about the clip."""
        return self.split().column(align=True), context.scene.microface.variation


class MICROFACE_PT_regions(_Panel, bpy.types.Panel):  # type: ignore[misc]
    """How much of each region and side of the face comes through"""

    bl_idname = "MICROFACE_PT_regions"
    bl_label = "Regions"

    def draw(self, context: Any) -> None:
        """Draw the gains."""
        column, change = self.column(context)
        for name in REGIONS:
            column.prop(change, name)
        column.separator()
        for name in SIDES:
            column.prop(change, name)


class MICROFACE_PT_time(_Panel, bpy.types.Panel):  # type: ignore[misc]
    """How long the clip lasts, and when its moments come"""

    bl_idname = "MICROFACE_PT_time"
    bl_label = "Time"

    def draw(self, context: Any) -> None:
        """Draw duration and moments."""
        column, change = self.column(context)
        for name in ("stretch", "onset", "apex", "offset"):
            column.prop(change, name)


class MICROFACE_PT_sources(_Panel, bpy.types.Panel):  # type: ignore[misc]
    """Which face the source is, where it rests, and a second clip"""

    bl_idname = "MICROFACE_PT_sources"
    bl_label = "Face, Neutral, Second Clip"

    def draw(self, context: Any) -> None:
        """Draw the face, its neutral and the second clip."""
        column, change = self.column(context)
        column.row().prop(change, "face", expand=True)
        column.row().prop(change, "spectacles", expand=True)
        column.separator()
        column.row().prop(change, "neutral", expand=True)
        if change.neutral != "FOUND":
            column.prop(change, f"neutral_{'frame' if change.neutral == 'FRAME' else 'path'}")
        column.separator()
        column.prop(change, "use_second")
        if not change.use_second:
            return
        column.row().prop(change, "second_source", expand=True)
        if change.second_source == "BUILTIN":
            column.prop(change, "second_builtin", text="")
        else:
            column.prop(change, "second_path")
            column.prop(change, "second_fps")
        for name in ("part", "share", "align"):
            column.prop(change, name)


VARIATION_PANELS = (MICROFACE_PT_regions, MICROFACE_PT_time, MICROFACE_PT_sources)
