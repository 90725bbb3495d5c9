"""What the artist sets, kept in the scene and saved with the file."""

from __future__ import annotations

from typing import Any

import bpy

from ..clips import BUILTIN_CLIPS
from .variation import MicrofaceVariation


def _is_mesh(settings: Any, obj: Any) -> bool:
    return bool(obj.type == "MESH")


class MicrofaceSettings(bpy.types.PropertyGroup):  # type: ignore[misc]
    """Settings of the Microface panel."""

    character: bpy.props.PointerProperty(  # type: ignore[valid-type]
        name="Character",
        description="The mesh whose shape keys make the facial expressions",
        type=bpy.types.Object,
        poll=_is_mesh,
    )
    clip_source: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Source clip",
        items=(
            ("BUILTIN", "Built-in", "A clip that comes with Microface"),
            ("FILE", "File", "A video, or a folder of frames"),
        ),
        default="BUILTIN",
    )
    clip_builtin: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Clip", items=BUILTIN_CLIPS, default="brow-lower"
    )
    clip_path: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Clip",
        description="A video of a micro-expression, or a folder of its frames",
        subtype="FILE_PATH",
    )
    clip_fps: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Clip fps",
        description="Frames a second of the clip, as a number or a ratio such as 24000/1001; "
        "empty: as the file says",
    )
    variation: bpy.props.PointerProperty(type=MicrofaceVariation)  # type: ignore[valid-type]
    strength: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Strength",
        description="1 is as strong as in the clip",
        default=1.0,
        min=0.05,
        max=4.0,
    )
    resolution: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Resolution",
        description="Side of the neutral picture that is rendered and sent",
        default=512,
        min=128,
        max=4096,
        subtype="PIXEL",
    )
    start_frame: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Start frame", description="Scene frame at which the clip begins", default=1
    )
    whole_frames: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Whole frames",
        description="Key on whole frames instead of the clip's true times (for game engines)",
    )
    texture_format: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Format",
        items=(
            ("auto", "As the texture", "The kind of file that the character's own texture is"),
            ("png8", "PNG, 8 bits", "Small; fine for most skins"),
            ("png16", "PNG, 16 bits", "For what is graded later"),
            ("exr", "OpenEXR, half float", "Linear light, for film"),
        ),
        default="auto",
    )
    texture_size: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Plain size",
        description="Side of the textures where the character's colour is plain; others keep the "
        "size of the character's own",
        default=1024,
        min=64,
        max=8192,
        subtype="PIXEL",
    )
    server: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Server",
        description="Address of a retargeting server, such as tcp://127.0.0.1:5757; empty: the "
        "one set in the preferences, or one that Microface starts by itself",
    )
