"""The annotated clips that a synthetic data set is made from, and the ground to use each."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence

import numpy as np

from ..builtin import PREFIX, RECIPES, builtin_clip
from ..datasets.units import parse_units
from ..library.entry import Entry
from ..library.library import ClipLibrary
from ..records import SYNTHETIC
from .plan import Source

#: Of the most weight, what counts as the motion's beginning and end.
_ON_SHARE = 0.02
#: A clip may be used where its subject's consent stands so.
_ALLOWED = ("granted", "synthetic")


def builtin_source(name: str) -> Source:
    """Return a built-in clip, annotated by what was rendered; InputError for an unknown one."""
    clip = builtin_clip(name)
    short = name.removeprefix(PREFIX)
    recipe = RECIPES[short]
    course = np.sum(list(clip.truth.values()), axis=0)
    apex = int(course.argmax())
    still = np.flatnonzero(course <= _ON_SHARE * course.max())
    units, _ = parse_units(recipe.unit)
    if short.endswith(("-left", "-right")):
        units = parse_units(f"{short.rpartition('-')[2][0]}{units[0].number}")[0]
    return Source(
        short, PREFIX + short, clip.sha256, clip.fps, len(clip),
        int(still[still < apex].max()), apex, int(still[still > apex].min(initial=len(course) - 1)),
        units, None, recipe.identity, SYNTHETIC, {"status": "synthetic"},
    )  # fmt: skip


def library_sources(
    library: ClipLibrary, entries: Sequence[Entry], today: datetime.date | None = None
) -> tuple[list[Source], list[str]]:
    """Return a library's clips that may be used, and a line for each that may not.

    A clip may be used where its subject's consent holds on the day, or where it was rendered.
    """
    status = library.consents(today)
    found, refused = [], []
    for entry in entries:
        stands = status(entry)
        who = f"{entry.subject or 'unknown'} {entry.clip} ({entry.data_set or 'no data set'})"
        if stands not in _ALLOWED:
            refused.append(f"{who}: consent {stands}")
            continue
        consent = library.consent_record(entry)
        told: dict[str, str] = {"status": stands}
        if consent is not None:
            told |= {
                "scope": consent.scope,
                "show": consent.show,
                "expires": consent.expires.isoformat() if consent.expires else "",
                "release_sha256": consent.release_sha256,
            }
        rest = library.neutral(entry)
        found.append(
            Source(
                entry.clip, str(library.source(entry)), entry.sha256, entry.fps, entry.frames,
                entry.onset, entry.apex, entry.offset, entry.units, entry.emotion, entry.subject,
                entry.data_set, told,
                "largest" if entry.face is None else "{:g},{:g}".format(*entry.face),
                None if rest is None else str(rest),
                "" if rest is None else hashlib.sha256(rest.read_bytes()).hexdigest(),
            )
        )  # fmt: skip
    return found, refused
