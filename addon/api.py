"""The public Python API: generate a clip's expression on a character, then bake it.

Operators, commands and farm jobs are thin callers of these functions. All of them work with and
without a window, block until done, and leave the user's scene as it was apart from what they are
asked to make.

    import bpy
    from microface.addon import api

    face = bpy.data.objects["Face"]
    generated = api.generate(face, "clips/smile.mp4", strength=0.3)
    api.bake_shape_keys(face, generated, start_frame=101)

    preflight, fix, face_channels, render_frame    is the character ready, what of it moves
    generate                                       put a clip on it
    bake_shape_keys, bake_sheet                    bake it into shape keys and controls
    bake_texture, bake_wrinkle_maps                bake it into the materials
    bake_edges, bake_flipbook                      pictures to be taken elsewhere
    list_bakes, edit_bake, remove_bake             change a bake of shape keys later
    unbake_shape_keys, unbake_texture              take all bakes off
"""

from __future__ import annotations

from ..server.client import Performance
from .bake.edit import BakeInfo, edit_bake, list_bakes, remove_bake
from .bake.retime import Timing
from .bake.shape_keys import unbake_shape_keys
from .character.channels import Channel, face_channels
from .character.fixes import fix
from .character.neutral import render_frame
from .character.preflight import Finding, preflight
from .generated import Generated
from .generating import generate
from .keying import bake_shape_keys, bake_sheet
from .painting import (
    bake_edges,
    bake_flipbook,
    bake_texture,
    bake_wrinkle_maps,
    output_folder,
    unbake_texture,
)
from .retarget.prepare import VIEWS

__all__ = [
    "VIEWS",
    "BakeInfo",
    "Channel",
    "Finding",
    "Generated",
    "Performance",
    "Timing",
    "bake_edges",
    "bake_flipbook",
    "bake_shape_keys",
    "bake_sheet",
    "bake_texture",
    "bake_wrinkle_maps",
    "edit_bake",
    "face_channels",
    "fix",
    "generate",
    "list_bakes",
    "output_folder",
    "preflight",
    "remove_bake",
    "render_frame",
    "unbake_shape_keys",
    "unbake_texture",
]
