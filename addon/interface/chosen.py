"""What the panel's settings choose: the character, what was generated for it, what it plays."""

from __future__ import annotations

from typing import Any

from ...errors import InputError
from ..bake.kept import bakes_of
from ..bake.shape_keys import ShapeKeyBake
from ..generated import Generated
from .desk import desk


def chosen_character(context: Any) -> Any:
    """Return the chosen character, or raise `InputError`."""
    obj = context.scene.microface.character
    if obj is None:
        raise InputError("No character is chosen.", "Choose the mesh of the face.")
    return obj


def chosen_generated(context: Any) -> tuple[Any, Generated]:
    """Return the chosen character and what was generated for it, or raise `InputError`."""
    obj = chosen_character(context)
    session = desk().done.get(obj.name)
    if session is None:
        raise InputError(f"Nothing is generated for '{obj.name}'.", "Press Generate first.")
    return obj, session.result()


def playing_bake(obj: Any) -> ShapeKeyBake | None:
    """Return the bake of shape keys that the character plays, if it comes from this result."""
    bake = desk().baked.get(obj.name)
    if bake is None:
        return None
    playing = [kept.name for kept in bakes_of(obj) if not kept.record.settings.muted]
    return bake if bake.action_name in playing else None
