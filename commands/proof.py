"""The proof that a command leaves with a bake: evidence in the .blend, a report beside it."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..addon.bake.publish import Publication
    from ..addon.bake.shape_keys import ShapeKeyBake
    from ..addon.bake.texture import TextureBake
    from ..addon.bake.time import TimeBase
    from ..addon.generated import Generated
    from .progress import ProgressReport

#: With more events than this in a file, only the apex of each is rendered.
FULLY_SHOWN = 3


@dataclass(frozen=True)
class Baked:
    """One event as it was baked: what was generated, its keys and textures.

    `files` are more written files (a flipbook's) that no material shows, by their kind.
    """

    generated: Generated
    time_base: TimeBase
    keys: ShapeKeyBake | None = None
    textures: TextureBake | None = None
    files: Mapping[str, Sequence[Path]] | None = None


def settings_told(arguments: argparse.Namespace) -> dict[str, str]:
    """Return what a bake was asked, and the character's file by its hash, for the report."""
    asked = {
        "character": arguments.character.name,
        "character SHA-256": hashlib.sha256(arguments.character.read_bytes()).hexdigest(),
        "object": arguments.object,
        "strength": f"{arguments.strength:g}",
        "baked to": arguments.to or "shape-keys",
    }
    for name in ("layer", "duration", "hold", "balance", "tolerance", "whole_frames", "sheet"):
        value = getattr(arguments, name, None)
        if value:
            asked[name.replace("_", " ")] = "yes" if value is True else str(value)
    return asked


def prove(
    character: Any,
    place: Publication,
    baked: Sequence[Baked],
    settings: Mapping[str, str],
    report: ProgressReport,
    *,
    rendered: bool,
) -> None:
    """Leave evidence of all events in the open file; `rendered`, also a report in the draft."""
    from ..addon.verify.prove import leave_evidence
    from ..addon.verify.report import write_report
    from ..addon.verify.textures import record_files

    proofs = []
    for number, one in enumerate(baked):
        report.stage("proof", number / len(baked))
        records = tuple(
            record_files(kind, sorted(paths), place.relative)
            for kind, paths in (one.files or {}).items()
            if paths
        )
        proofs.append(
            leave_evidence(
                character,
                one.generated,
                one.time_base,
                keys=one.keys,
                textures=one.textures,
                records=records,
                relative=place.relative,
                settings=settings,
                render=rendered,
                only_apex=len(baked) > FULLY_SHOWN,
            )
        )
    report.stage("proof", 1.0)
    if rendered and proofs:
        write_report(character, proofs, place.draft_pictures / "report")
