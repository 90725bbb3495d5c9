"""What the artist may change about a clip before it is generated: regions, times, a second clip."""

from __future__ import annotations

from typing import Any

import bpy

from ...server.client import Performance
from ...server.protocol.regions import REGIONS, SIDES
from ..bake.time import parse_fps
from ..clips import BUILTIN_CLIPS, clip_label

#: What of the face the second clip has, as a mix says it; `{}` is the share.
_PARTS = (
    ("ALL", "Whole face", "A share of the second clip everywhere", "{}"),
    ("UPPER", "Brows and lids", "The second clip's brows and lids", "brows={0}, lids={0}"),
    (
        "LOWER",
        "Below the eyes",
        "The second clip's nose, cheeks, lips and chin",
        "nose={0}, cheeks={0}, lips={0}, chin={0}",
    ),
    ("LEFT", "Left side", "The subject's left of the second clip", "left={}"),
    ("RIGHT", "Right side", "The subject's right of the second clip", "right={}"),
)
_SOURCES = (
    ("BUILTIN", "Built-in", "A clip that comes with Microface"),
    ("FILE", "File", "A video, or a folder of frames"),
)


def _gain(name: str, what: str) -> Any:
    return bpy.props.FloatProperty(
        name=name, description=f"How much of the motion of {what} comes through",
        default=1.0, min=0.0, max=4.0,
    )  # fmt: skip


def _seconds(name: str, what: str) -> Any:
    return bpy.props.FloatProperty(
        name=name, description=f"When {what}, in seconds from the start; 0 leaves it",
        default=0.0, min=0.0, max=60.0, precision=3, step=1,
        subtype="TIME_ABSOLUTE", unit="TIME_ABSOLUTE",
    )  # fmt: skip


class MicrofaceVariation(bpy.types.PropertyGroup):  # type: ignore[misc]
    """What is changed about a clip."""

    brows: _gain("Brows", "the brows")  # type: ignore[valid-type]
    lids: _gain("Lids", "the lids")  # type: ignore[valid-type]
    nose: _gain("Nose", "the nose")  # type: ignore[valid-type]
    cheeks: _gain("Cheeks", "the cheeks")  # type: ignore[valid-type]
    lips: _gain("Lips", "the lips")  # type: ignore[valid-type]
    chin: _gain("Chin", "the chin")  # type: ignore[valid-type]
    left: _gain("Left", "the subject's left")  # type: ignore[valid-type]
    right: _gain("Right", "the subject's right")  # type: ignore[valid-type]
    stretch: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Stretch",
        description="How many times as long as the clip it lasts",
        default=1.0,
        min=0.05,
        max=20.0,
        soft_max=4.0,
    )
    onset: _seconds("Onset", "the expression begins")  # type: ignore[valid-type]
    apex: _seconds("Apex", "the expression peaks")  # type: ignore[valid-type]
    offset: _seconds("Offset", "the expression has gone")  # type: ignore[valid-type]
    face: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Face",
        description="Of several faces in the clip, the one that is meant",
        items=(
            ("largest", "Largest", "The largest face"),
            ("left", "Left", "The face furthest left in the picture"),
            ("right", "Right", "The face furthest right in the picture"),
        ),
        default="largest",
    )
    spectacles: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Spectacles",
        description="What spectacles on the character do while the face behind them moves",
        items=(
            ("still", "Still", "They stay as they are"),
            ("move", "Move", "They move with the face: for a picture on which none are worn"),
        ),
        default="still",
    )
    neutral: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Neutral",
        items=(
            ("FOUND", "Found", "The frames in which the source's face rests are found"),
            ("FRAME", "Frame", "A frame of the clip"),
            ("FILE", "File", "A picture or video of the same person at rest"),
        ),
        default="FOUND",
    )
    neutral_frame: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Frame", description="Frame of the clip at rest, the first is 0", min=0
    )
    neutral_path: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="File",
        description="A picture or video of the same person at rest",
        subtype="FILE_PATH",
    )
    use_second: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Second clip", description="Mix another clip in"
    )
    second_source: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Source", items=_SOURCES, default="BUILTIN"
    )
    second_builtin: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Clip", items=BUILTIN_CLIPS, default="lip-corner-left"
    )
    second_path: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Clip", description="A video, or a folder of frames", subtype="FILE_PATH"
    )
    second_fps: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Clip fps", description="Frames a second; empty: as the file says"
    )
    part: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Part",
        description="What of the face is mixed; the rest is the first clip's",
        items=tuple(entry[:3] for entry in _PARTS),
        default="ALL",
    )
    share: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Share",
        description="How much of the second clip: 0 none, 1 all",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    align: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Align",
        items=(
            ("moments", "Onset, apex, offset", "The clips' moments meet"),
            ("start", "Start", "The clips start together"),
        ),
        default="moments",
    )


def asked_of(settings: Any) -> Performance:
    """Return what the panel's settings ask for; raises `InputError` for what makes no sense."""
    change = settings.variation
    second = None
    if change.use_second:
        second = clip_at(change.second_source, change.second_builtin, change.second_path)
        clip_label(second)
    found = Performance(
        clip_at(settings.clip_source, settings.clip_builtin, settings.clip_path),
        parse_fps(settings.clip_fps) if settings.clip_fps else None,
        settings.strength,
        _gains(change),
        _timing(change),
        _rest(change),
        second,
        parse_fps(change.second_fps) if change.second_fps else None,
        {entry[0]: entry[3] for entry in _PARTS}[change.part].format(round(change.share, 4)),
        change.align,
        change.face,
        change.spectacles,
    )
    found.check()
    return found


def clip_at(source: str, builtin: str, path: str) -> str:
    """Return a chosen clip as the API takes it: a path, or `builtin:NAME`."""
    return f"builtin:{builtin}" if source == "BUILTIN" else str(bpy.path.abspath(path))


def _gains(change: Any) -> str:
    given = {name: round(getattr(change, name), 4) for name in (*REGIONS, *SIDES)}
    return ", ".join(f"{name}={gain:g}" for name, gain in given.items() if gain != 1)


def _timing(change: Any) -> str:
    given = {name: round(getattr(change, name), 4) for name in ("onset", "apex", "offset")}
    words = [f"{name}={seconds:g}" for name, seconds in given.items() if seconds]
    stretch = round(change.stretch, 4)
    return ", ".join([f"factor={stretch:g}"] * (stretch != 1) + words)


def _rest(change: Any) -> int | str | None:
    if change.neutral == "FRAME":
        return int(change.neutral_frame)
    return str(bpy.path.abspath(change.neutral_path)) if change.neutral == "FILE" else None
