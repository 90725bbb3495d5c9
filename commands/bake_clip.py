"""Bake one clip: generate it, bake what was asked for, prove it, publish it."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .performance import performance
from .progress import ProgressReport
from .proof import Baked, prove, settings_told

if TYPE_CHECKING:
    from ..addon.bake.publish import Publication
    from ..addon.bake.shape_keys import ShapeKeyBake
    from ..addon.bake.texture import TextureBake
    from ..addon.generated import Generated
    from ..server.client import Client


def bake_clip(
    arguments: argparse.Namespace,
    character: Any,
    fps: Fraction | None,
    options: dict[str, Any],
    client: Client,
    place: Publication,
    report: ProgressReport,
) -> list[Path]:
    """Bake a clip at `fps` (its own where None) into the open file; return what was written.

    `options` are those of `api.bake_shape_keys`.
    """
    from ..addon import api
    from ..addon.bake.time import scene_time
    from ..addon.character.stage import home_scene

    generated = _generated(arguments, character, fps, client, report)
    start = 1.0 if arguments.start is None else arguments.start
    pictures, kinds = place.draft_pictures, arguments.to
    beside: list[Path] = []
    keys = textures = None
    if kinds in ("shape-keys", "wrinkle-maps", "all"):
        keys = api.bake_shape_keys(character, generated, start, server=client, **options)
        table = place.draft / f"{place.out.stem}.csv"
        keys.write_csv(table)
        beside.append(table)
        report.say(f"{keys.key_count} keys in '{keys.action_name}'; {_strongest(keys)}")
    if kinds in ("texture", "flipbook", "all"):
        textures = _textures(arguments, character, generated, pictures, start, keys, report)
    if kinds == "wrinkle-maps":
        _wrinkle_maps(arguments, character, generated, pictures, start, keys, report)
    if kinds == "all":
        api.bake_edges(character, generated, pictures / "edges")
    files = {"flipbook": [one for one in (pictures / "flipbook").glob("*") if one.is_file()]}
    prove(
        character,
        place,
        [Baked(generated, scene_time(home_scene(character), start), keys, textures, files)],
        settings_told(arguments),
        report,
        rendered=not arguments.no_report,
    )
    has_pictures = pictures.exists()
    place.publish(*beside)
    return [place.out, *(place.out.with_name(path.name) for path in beside)] + (
        [place.pictures] if has_pictures else []
    )


def _generated(
    arguments: argparse.Namespace,
    character: Any,
    fps: Fraction | None,
    client: Client,
    report: ProgressReport,
) -> Generated:
    """Let the server generate the clip on the character."""
    from ..addon import api
    from ..addon.bake.time import parse_fps

    asked = performance(arguments)
    generated = api.generate(
        character,
        arguments.clip,
        fps,
        arguments.strength,
        client,
        arguments.resolution,
        lambda event: report.stage(event.stage, event.progress),
        arguments.views,
        gains=asked.gains,
        timing=asked.timing,
        rest=asked.rest,
        second=asked.second,
        second_fps=parse_fps(arguments.second_fps) if arguments.second_fps else None,
        mix=asked.mix,
        align=asked.align,
        face=asked.face,
        spectacles=asked.spectacles,
    )
    report.say(f"{len(generated.frames)} frames at {float(generated.fps):g} a second")
    for note in generated.result.get("notes", []):
        report.say(note)
    return generated


def _textures(
    arguments: argparse.Namespace,
    character: Any,
    generated: Generated,
    pictures: Path,
    start: float,
    keys: ShapeKeyBake | None,
    report: ProgressReport,
) -> TextureBake | None:
    """Bake textures; return what the file shows of them, None where only a flipbook stays."""
    from ..addon import api

    into, kinds = pictures / "texture", arguments.to
    bake = api.bake_texture(character, generated, into, start, over=keys, kind=arguments.format)
    for note in bake.notes:
        report.say(note)
    if not bake.textures:
        report.say("no texture changes")
    if kinds in ("flipbook", "all"):
        api.bake_flipbook(bake, generated, pictures / "flipbook")
    if kinds == "flipbook":
        api.unbake_texture(character)
        for texture in bake.textures:
            for path in texture.files:
                path.unlink()
            texture.files[0].parent.rmdir()
        if into.exists():
            into.rmdir()
        return None
    return bake


def _wrinkle_maps(
    arguments: argparse.Namespace,
    character: Any,
    generated: Generated,
    pictures: Path,
    start: float,
    keys: ShapeKeyBake | None,
    report: ProgressReport,
) -> None:
    """Bake what the shape keys leave over as wrinkle maps."""
    from ..addon import api

    kind = "exr" if arguments.format == "exr" else "png16"
    into = pictures / "wrinkles"
    found = api.bake_wrinkle_maps(character, generated, into, start, over=keys, kind=kind)
    if not found:
        report.say("no wrinkle maps: the shape keys leave nothing over that would be seen")
    for maps in found:
        report.say(
            f"{len(maps.files)} wrinkle maps of {maps.texture} explain {maps.explained:.1%};"
            f" off by {maps.error_levels:.2f} levels of {maps.still_levels:.2f}"
        )


def _strongest(keys: ShapeKeyBake) -> str:
    peaks = dict(zip(keys.names, abs(keys.weights).max(axis=0), strict=True))
    named = [f"{name} {peaks[name]:.2f}" for name in keys.active()[:4]]
    return "strongest: " + ", ".join(named) if named else "no key moves"
