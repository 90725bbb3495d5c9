"""The operator that brings the built-in character into the scene, for a first try."""

from __future__ import annotations

from typing import Any

import bpy

from ...head import IDENTITIES
from ..character.builtin import create_character, named_identity


class MICROFACE_OT_add_character(bpy.types.Operator):  # type: ignore[misc]
    """Add a head that comes with Microface: shape keys, texture and all"""

    bl_idname = "microface.add_character"
    bl_label = "Add Built-in Character"
    bl_options = {"REGISTER", "UNDO"}

    identity: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Identity",
        description="Whose head to add",
        items=tuple((name, name.capitalize(), "") for name in IDENTITIES),
        default="ada",
    )

    def execute(self, context: Any) -> set[str]:
        """Make the head, select it and choose it as the character."""
        made = create_character(named_identity(self.identity), self.identity.capitalize())
        for obj in context.selected_objects:
            obj.select_set(False)
        made.select_set(True)
        context.view_layer.objects.active = made
        context.scene.microface.character = made
        return {"FINISHED"}
