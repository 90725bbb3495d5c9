"""The window side of the add-on: properties, operators and one panel."""

from __future__ import annotations

import bpy

from .bake_list import BAKE_LIST, close_bake_list, open_bake_list
from .desk import close_desk, open_desk
from .operators import OPERATORS
from .panel import PANELS
from .preferences import MicrofacePreferences
from .properties import MicrofaceSettings
from .variation import MicrofaceVariation
from .variation_panels import VARIATION_PANELS

#: In the order in which Blender must learn of them: a panel before those below it.
_CLASSES = (
    MicrofacePreferences,
    MicrofaceVariation,
    MicrofaceSettings,
    *OPERATORS,
    PANELS[0],
    *VARIATION_PANELS,
    *PANELS[1:],
    *BAKE_LIST,
)


def register() -> None:
    """Register the classes and the scene property with Blender."""
    for one in _CLASSES:
        bpy.utils.register_class(one)
    bpy.types.Scene.microface = bpy.props.PointerProperty(type=MicrofaceSettings)
    open_bake_list()
    open_desk()


def unregister() -> None:
    """Stop what runs, and unregister everything, last first."""
    close_desk()
    close_bake_list()
    del bpy.types.Scene.microface
    for one in reversed(_CLASSES):
        bpy.utils.unregister_class(one)
