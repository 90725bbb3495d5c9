"""What the panel's settings choose: the character, what was generated for it, what it plays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...errors import InputError
from ..bake.kept import as_dragged, bakes_of
from ..bake.retime import Timing
from ..bake.shape_keys import ShapeKeyBake
from ..bake.shaping import limited_weights
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
    """Return the bake of shape keys that textures go over, if it plays and is from this result.

    As it was edited since: its strength, balance and start. Raises `InputError` where it has other
    times than its clip, which textures could not keep up with.
    """
    bake = desk().baked.get(obj.name)
    kept = next((one for one in bakes_of(obj) if bake and one.name == bake.action_name), None)
    if bake is None or kept is None or kept.record.settings.muted:
        return None
    record = as_dragged(kept)
    if record.settings.timing != Timing():
        raise InputError(
            f"'{kept.name}' was given other times than its clip, and textures play at the clip's.",
            "Give it the clip's duration and no hold, or turn it off.",
        )
    names = [channel.name for channel in record.channels]
    weights = limited_weights(record)[:, [names.index(name) for name in bake.names]]
    base = replace(bake.time_base, start_frame=float(record.settings.start_frame))
    return replace(bake, weights=weights, time_base=base)


def texture_start(settings: Any, over: ShapeKeyBake | None) -> float:
    """Return the scene frame at which textures begin: with the keys that they go over."""
    return float(settings.start_frame if over is None else over.time_base.start_frame)
