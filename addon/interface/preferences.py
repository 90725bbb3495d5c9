"""Preferences of the add-on, kept under the name that Blender enabled it by."""

from __future__ import annotations

from typing import Any

import bpy

#: `microface`, or `bl_ext.<repository>.microface` as an extension.
ADDON = (__package__ or "").removesuffix(".addon.interface")


class MicrofacePreferences(bpy.types.AddonPreferences):  # type: ignore[misc]
    """What holds for every file."""

    bl_idname = ADDON

    server: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Server",
        description="Address of a retargeting server; empty: Microface starts one by itself",
    )

    def draw(self, context: Any) -> None:
        """Draw the preferences."""
        self.layout.prop(self, "server")


def preferred_server(settings: Any) -> str:
    """Return the server to use: the scene's, else the preferences', else "" (embedded)."""
    if settings.server:
        return str(settings.server)
    addon = bpy.context.preferences.addons.get(ADDON)
    return str(addon.preferences.server) if addon is not None and addon.preferences else ""
