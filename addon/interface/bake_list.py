"""The list of a character's bakes, each with sliders for what can be edited after the bake.

A slider shows what lies on the bake's action and hands a change to the API: one change, one undo.
"""

from __future__ import annotations

from typing import Any

import bpy

from ...errors import InputError, MicrofaceError
from .. import api
from ..bake.kept import Kept, as_dragged, bakes_of
from ..bake.record import BakeRecord, read_record
from ..bake.stack import is_by_hand
from ..character.shape_keys import ACTION_PREFIX
from ..verify.store import drop_event
from .desk import desk, redraw


def _record(owner: Any) -> BakeRecord:
    """Return the record of the bake that a slider belongs to, with its strip as it lies."""
    action = owner.id_data
    return as_dragged(Kept(action, read_record(action)))


def _edit(owner: Any, **change: Any) -> None:
    """Hand a change to the API; what it says of it is shown in the panel."""
    state, obj = desk(), bpy.context.scene.microface.character
    state.message = state.remedy = ""
    try:
        if obj is None:
            raise InputError("No character is chosen.", "Choose the mesh of the face.")
        info = api.edit_bake(obj, owner.id_data.name, **change)
        state.message = str(info.cuts[0]) if info.cuts else ""
    except MicrofaceError as error:
        state.message, state.remedy = error.what, error.remedy
    redraw()


# Blender evaluates the annotations below by themselves: what they call must have a name here.
def _get_strength(owner: Any) -> float:
    return _record(owner).settings.strength


def _set_strength(owner: Any, value: float) -> None:
    _edit(owner, strength=value)


def _get_balance(owner: Any) -> float:
    return _record(owner).settings.balance


def _set_balance(owner: Any, value: float) -> None:
    _edit(owner, balance=value)


def _get_start_frame(owner: Any) -> float:
    return _record(owner).settings.start_frame


def _set_start_frame(owner: Any, value: float) -> None:
    _edit(owner, start_frame=value)


def _get_duration(owner: Any) -> float:
    record = _record(owner)
    given = record.settings.timing.duration
    return float(record.times[-1]) if given is None else given


def _set_duration(owner: Any, value: float) -> None:
    clip = float(_record(owner).times[-1])
    # A slider holds fewer digits: what looks like the clip's own duration is it.
    _edit(owner, duration=clip if abs(value - clip) < 1e-6 * clip else value)


def _get_hold(owner: Any) -> int:
    return _record(owner).settings.timing.hold


def _set_hold(owner: Any, value: int) -> None:
    _edit(owner, hold=value)


def _get_shown(owner: Any) -> bool:
    return not _record(owner).settings.muted


def _set_shown(owner: Any, value: bool) -> None:
    _edit(owner, muted=not value)


class MicrofaceBake(bpy.types.PropertyGroup):  # type: ignore[misc]
    """What can be edited of a bake, on its action. Nothing is stored twice."""

    strength: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Strength",
        description="1 is as strong as it was generated",
        min=0.0,
        max=4.0,
        soft_max=2.0,
        get=_get_strength,
        set=_set_strength,
    )
    balance: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Left - right",
        description="0: both sides; 1: the character's left side alone; -1: its right side alone",
        min=-1.0,
        max=1.0,
        get=_get_balance,
        set=_set_balance,
    )
    start_frame: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Start",
        description="Scene frame at which the clip begins",
        step=100,
        precision=2,
        get=_get_start_frame,
        set=_set_start_frame,
    )
    duration: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Duration",
        description="Seconds that the clip takes; its apex keeps its share",
        min=0.001,
        soft_max=4.0,
        step=1,
        precision=3,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
        get=_get_duration,
        set=_set_duration,
    )
    hold: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Hold apex",
        description="On how many whole frames the apex is shown in full; 0: at its true time",
        min=0,
        soft_max=24,
        get=_get_hold,
        set=_set_hold,
    )
    shown: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="On",
        description="Whether the bake plays; off, the character is as without it",
        get=_get_shown,
        set=_set_shown,
    )


class MICROFACE_UL_bakes(bpy.types.UIList):  # type: ignore[misc]
    """The actions of the file that are bakes of the chosen character"""

    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
    ) -> None:
        """Draw a bake's name, its start and whether it plays."""
        row = layout.row(align=True)
        row.label(text=item.name.removeprefix(f"{ACTION_PREFIX} "), icon="ACTION")
        start = row.row()
        start.alignment = "RIGHT"
        start.label(text=f"{_record(item.microface_sliders).settings.start_frame:g}")
        on = item.microface_sliders.shown
        row.prop(
            item.microface_sliders,
            "shown",
            text="",
            icon="HIDE_OFF" if on else "HIDE_ON",
            emboss=False,
        )

    def filter_items(self, context: Any, data: Any, name: str) -> tuple[list[int], list[int]]:
        """Show the bakes of the character, in the order they were made."""
        obj = context.scene.microface.character
        own = [kept.name for kept in bakes_of(obj)] if obj is not None else []
        actions = [action.name for action in data.actions]
        flags = [self.bitflag_filter_item if one in own else 0 for one in actions]
        rest = iter(range(len(own), len(actions)))
        return flags, [own.index(one) if one in own else next(rest) for one in actions]


class MICROFACE_PT_bakes(bpy.types.Panel):  # type: ignore[misc]
    """The bakes of the character, to be edited"""

    bl_idname = "MICROFACE_PT_bakes"
    bl_label = "Bakes"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Microface"
    bl_parent_id = "MICROFACE_PT_main"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where something is baked."""
        obj = context.scene.microface.character
        return obj is not None and bool(bakes_of(obj))

    def draw(self, context: Any) -> None:
        """Draw the list, and the sliders of the chosen bake."""
        layout, manager = self.layout, context.window_manager
        layout.template_list(
            "MICROFACE_UL_bakes", "", bpy.data, "actions", manager, "microface_bake", rows=3
        )
        action = chosen_bake(context)
        if action is None:
            return
        layout.use_property_split = True
        layout.use_property_decorate = False
        bake = action.microface_sliders
        column = layout.column()
        column.prop(action, "name", text="")
        for name in ("strength", "balance"):
            column.prop(bake, name, slider=True)
        for name in ("start_frame", "duration", "hold"):
            column.prop(bake, name)
        kept = Kept(action, read_record(action))
        if any(is_by_hand(part) for part in kept.parts):
            box = layout.box().column(align=True)
            box.label(text="Its curves were edited by hand", icon="ERROR")
            box.operator("microface.discard_hand_edits", icon="LOOP_BACK")
        layout.operator("microface.remove_bake", icon="TRASH")


def chosen_bake(context: Any) -> Any:
    """Return the action of the bake that is chosen in the list, else of the last one, or None."""
    obj = context.scene.microface.character
    own = [kept.action for kept in bakes_of(obj)] if obj is not None else []
    index = context.window_manager.microface_bake
    action = bpy.data.actions[index] if 0 <= index < len(bpy.data.actions) else None
    return action if action in own else next(reversed(own), None)


def choose_bake(context: Any, name: str) -> None:
    """Choose a bake in the list, by its action's name."""
    context.window_manager.microface_bake = bpy.data.actions.find(name)


class _OnChosenBake:
    """What operators on the chosen bake share."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where a bake is chosen."""
        return chosen_bake(context) is not None

    def execute(self, context: Any) -> set[str]:
        """Do it, or report why not."""
        state = desk()
        state.message = state.remedy = ""
        try:
            self.act(context.scene.microface.character, chosen_bake(context).name)
        except MicrofaceError as error:
            state.message, state.remedy = error.what, error.remedy
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        finally:
            redraw()
        return {"FINISHED"}

    def act(self, obj: Any, name: str) -> None:
        """Do it to a bake of a character, by its name."""
        raise NotImplementedError


class MICROFACE_OT_remove_bake(_OnChosenBake, bpy.types.Operator):  # type: ignore[misc]
    """Delete the chosen bake: what it changed is as it was before"""

    bl_idname = "microface.remove_bake"
    bl_label = "Remove Bake"

    def act(self, obj: Any, name: str) -> None:
        """Remove the bake."""
        api.remove_bake(obj, name)
        drop_event(obj, name)
        left = chosen_bake(bpy.context)
        if left is not None:
            choose_bake(bpy.context, left.name)


class MICROFACE_OT_discard_hand_edits(_OnChosenBake, bpy.types.Operator):  # type: ignore[misc]
    """Give the bake the curves again that its settings make"""

    bl_idname = "microface.discard_hand_edits"
    bl_label = "Discard Hand Edits"

    def act(self, obj: Any, name: str) -> None:
        """Write the curves anew."""
        api.edit_bake(obj, name, discard_hand_edits=True)


BAKE_LIST = (
    MicrofaceBake,
    MICROFACE_UL_bakes,
    MICROFACE_PT_bakes,
    MICROFACE_OT_remove_bake,
    MICROFACE_OT_discard_hand_edits,
)


def open_bake_list() -> None:
    """Hang the sliders on actions, and the place in the list on the window manager."""
    bpy.types.Action.microface_sliders = bpy.props.PointerProperty(type=MicrofaceBake)
    bpy.types.WindowManager.microface_bake = bpy.props.IntProperty(name="Bake", default=-1)


def close_bake_list() -> None:
    """Take both off again."""
    del bpy.types.WindowManager.microface_bake
    del bpy.types.Action.microface_sliders
