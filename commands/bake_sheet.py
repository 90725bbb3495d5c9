"""Bake the clips of a sheet, one after the other on one timeline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .progress import ProgressReport
from .proof import Baked, prove, settings_told

if TYPE_CHECKING:
    from ..addon.bake.publish import Publication
    from ..addon.bake.shape_keys import ShapeKeyBake
    from ..addon.bake.shot_sheet import Row
    from ..server.client import Client


def bake_sheet(
    arguments: argparse.Namespace,
    character: Any,
    rows: list[Row],
    client: Client,
    place: Publication,
    report: ProgressReport,
) -> list[Path]:
    """Bake the rows of a sheet, write a table of weights for each, and publish."""
    from ..addon import api
    from ..addon.bake.time import TOLERANCE

    baked: list[Baked] = []
    bakes = api.bake_sheet(
        character,
        rows,
        whole_frames=arguments.whole_frames,
        tolerance=TOLERANCE if arguments.tolerance is None else arguments.tolerance,
        server=client,
        resolution=arguments.resolution,
        on_event=lambda event: report.stage(event.stage, event.progress),
        on_bake=lambda generated, bake: baked.append(Baked(generated, bake.time_base, bake)),
        views=arguments.views,
    )
    playing = [one for one, row in zip(baked, rows, strict=True) if not row.settings.muted]
    tables = place.draft_pictures / "weights"
    tables.mkdir(parents=True)
    for row, bake in zip(rows, bakes, strict=True):
        bake.write_csv(tables / f"{row.number:03d}_{row.label}.csv")
        report.say(f"row {row.number}: {_told(bake)}")
    settings = settings_told(arguments)
    prove(character, place, playing, settings, report, rendered=not arguments.no_report)
    place.publish()
    return [place.out, place.pictures]


def _told(bake: ShapeKeyBake) -> str:
    moving = ", ".join(bake.active()[:3]) or "no key moves"
    lines = [f"{bake.key_count} keys in '{bake.action_name}'; {moving}", *map(str, bake.cuts)]
    return "; ".join(lines)
