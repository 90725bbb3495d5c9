"""What a synthetic data set says of itself: its sheet's rows, and its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..datasets.write_casme2 import Coded
from .plan import Item, Settings

#: IPTC's word for what a trained network made.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def coded(item: Item, sha256: str) -> Coded:
    """Return a clip's row of the sheet; its frames count from 1."""
    source = item.source
    onset, apex, offset = (
        None if index is None else index + 1 for index in (source.onset, source.apex, source.offset)
    )
    return Coded(
        item.subject, item.clip, onset, apex, offset, item.units, source.emotion, source.fps, sha256
    )


def manifest_of(
    records: Mapping[Item, Mapping[str, Any]],
    settings: Settings,
    left_out: Sequence[str],
    models: Mapping[str, str],
    version: str,
) -> dict[str, Any]:
    """Return the manifest: no times, so that equal runs write equal files."""
    sources = {item.source.name + item.source.digest: item.source for item in records}
    characters = {item.subject: item.character for item in records}
    return {
        "microface": version,
        "models": dict(models),
        "digital_source_type": SOURCE_TYPE,
        "settings": asdict(settings),
        "sources": [
            {
                "name": s.name, "sha256": s.sha256, "subject": s.subject, "data_set": s.data_set,
                "fps": str(s.fps), "frames": s.frames, "face": s.face,
                "rest_sha256": s.rest_sha256, "consent": s.consent,
            }
            for s in sources.values()
        ],
        "characters": [
            {
                "subject": subject, "name": c.name, "kind": c.kind, "sha256": c.sha256,
                "width": c.neutral.shape[1], "height": c.neutral.shape[0],
            }
            for subject, c in characters.items()
        ],
        "clips": [
            {
                "subject": item.subject, "clip": item.clip, "source": item.source.name,
                "source_sha256": item.source.sha256, "character": item.character.name,
                "variant": item.variant, "strength": item.strength, "mirrored": item.mirrored,
                "units": [str(unit) for unit in item.units], "frames": record["frames"],
                "sha256": record["sha256"],
            }
            for item, record in records.items()
            if "refused" not in record
        ],
        "left_out": [
            *left_out,
            *(f"{item.name}: {r['refused']}" for item, r in records.items() if "refused" in r),
        ],
    }  # fmt: skip
