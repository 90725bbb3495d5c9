"""What the parts of the panel have in common."""

from __future__ import annotations

from typing import Any


class Part:
    """A part of the one panel, closed at first; a panel class names it before `bpy.types.Panel`."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Microface"
    bl_parent_id = "MICROFACE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def split(self: Any) -> Any:
        """Return the layout, names beside values and nothing to animate."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        return self.layout
