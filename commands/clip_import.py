"""Bring clips, or a whole data set, into a library.

A library is a folder: the clips by their content, and an index. Importing a clip twice adds
nothing; a run that is killed leaves nothing half. A clip that cannot be used is told, and costs
none of the others. With --data-set, CLIP is the folder of your own copy of that set; every row of
its sheet that has its pictures becomes a clip, and every defect is told. Files are copied; the
originals are not touched. Whom --face chooses and --neutral shows at rest is kept with the clip:
all that is done with it later goes by that.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .clip_import_set import add_set_arguments, read_set, tell_findings
from .clip_query import clips
from .clip_source import (
    add_face_argument,
    add_neutral_argument,
    chosen_face,
    opened_neutral,
    rate,
)
from .progress import ProgressReport

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from ..server.clips.library.consent import Consent
    from ..server.clips.library.library import ClipLibrary
    from ..server.clips.records import ClipRecord
    from ..server.protocol.faces import FaceChoice

EXAMPLE = """Examples:
  microface clip import --library clips smile.mp4 --subject anna --consent anna-release.pdf
  microface clip import --library clips takes/t01 takes/t02 --fps 24000/1001 --subject anna
  microface clip import --library clips crying.mp4 --subject anna --neutral anna-at-rest.mp4
  microface clip import --library clips interview.mp4 --subject ben --face right
  microface clip import --library clips --data-set casme2 /data/CASME2 --findings casme2.csv
  microface clip import --library clips --data-set samm /data/SAMM --sheet SAMM.csv \\
      --column onset=Begin

Data sets: casme casme2 samm smic-hs smic-vis smic-nir cas-me2 cas-me3 mmew 4dme dfme"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    parser.add_argument(
        "clips",
        nargs="+",
        type=Path,
        metavar="CLIP",
        help="videos, folders, or a data set's folder",
    )
    parser.add_argument(
        "--library", type=Path, required=True, metavar="DIR", help="the library, made if need be"
    )
    parser.add_argument("--fps", metavar="FPS", help="frame rate, instead of what is known of it")
    parser.add_argument(
        "--subject", default="", metavar="NAME", help="who is seen, for clips without a sheet"
    )
    add_face_argument(parser)
    add_neutral_argument(parser)
    add_set_arguments(parser.add_argument_group("data sets"))
    consent = parser.add_argument_group("consent")
    consent.add_argument(
        "--consent", type=Path, metavar="FILE", help="the signed release or agreement"
    )
    add_terms(consent)


def add_terms(consent: argparse._ActionsContainer) -> None:
    """Add what a consent allows, for what, and until when."""
    consent.add_argument("--scope", default="", metavar="TEXT", help="what it allows")
    consent.add_argument("--show", default="", metavar="NAME", help="the show that it is for")
    consent.add_argument("--expires", metavar="DATE", help="its last valid day, YYYY-MM-DD")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    consent = _consent(arguments)
    if arguments.data_set is not None:
        read, brought = read_set(arguments), Brought()
        _bring_all(arguments, [(record, False) for record in read.records], consent, brought)
        tell_findings(read, brought.refused, arguments.findings)
        return 0 if brought.new + brought.there else InputError.exit_status
    records, brought = _plain_records(arguments)
    if records:  # else there is nothing to make a library for
        _bring_all(arguments, records, consent, brought)
    for line in brought.refused:
        print(f"microface: {line}", file=sys.stderr)
    return InputError.exit_status if brought.refused else 0


@dataclass
class Brought:
    """What became of clips: how many are `new`, how many were `there` before, a line for each that
    was `refused`, and of `whose` clips (data set, subject) the others are."""

    new: int = 0
    there: int = 0
    refused: list[str] = field(default_factory=list)
    whose: set[tuple[str, str]] = field(default_factory=set)

    def count(self, record: ClipRecord, is_new: bool) -> None:
        """Count a clip that is in the library now."""
        self.new, self.there = self.new + is_new, self.there + (not is_new)
        self.whose.add((record.data_set, record.subject))


def _consent(arguments: argparse.Namespace) -> Consent | None:
    """Return the consent that comes with the clips; raises InputError where it is nobody's."""
    from ..server.clips.library.consent import Consent

    if arguments.consent is None:
        return None
    if arguments.data_set is None and not arguments.subject:
        raise InputError("A consent of nobody.", "Give --subject, whose clips these are.")
    release = file_sha256(arguments.consent)
    return Consent(arguments.scope, arguments.show, day(arguments.expires), release)


def _plain_records(
    arguments: argparse.Namespace,
) -> tuple[list[tuple[ClipRecord, bool]], Brought]:
    """Return the records of clips without a sheet, and whether each goes by its own frame rate; a
    line for each that is no clip."""
    from ..server.clips.library.library import clip_record

    fps = rate(arguments.fps)
    records, brought = [], Brought()
    for path in arguments.clips:
        try:
            _refuse_folder(path)
            record = clip_record(path, fps, subject=arguments.subject)
        except InputError as error:
            brought.refused.append(str(error))
        else:
            records.append((record, path.is_file() and fps is None))
    return records, brought


def _refuse_folder(path: Path) -> None:
    """Raise InputError where a folder is no clip but holds clips, or is a whole data set."""
    from ..server.clips.images import PICTURE_SUFFIXES
    from ..server.clips.video import VIDEO_SUFFIXES

    held = list(path.iterdir()) if path.is_dir() else []
    kinds = {"" if one.is_dir() else one.suffix.lower() for one in held}
    if kinds & set(PICTURE_SUFFIXES):
        return
    if kinds & set(VIDEO_SUFFIXES):
        raise InputError(
            f"The folder {path} holds videos, no pictures.", f"Give them by name: {path / '*'}"
        )
    if any(one.is_dir() for one in held):
        raise InputError(
            f"The folder {path} holds folders, no pictures.",
            "Give a clip's own folder, or name the data set that it is, like --data-set casme2.",
        )


def _bring_all(
    arguments: argparse.Namespace,
    records: Sequence[tuple[ClipRecord, bool]],
    consent: Consent | None,
    brought: Brought,
) -> None:
    """Bring clips in, each going by its own frame rate or not, and say how many there are; one
    that cannot be used is counted among the refused and costs none of the others."""
    from ..server.clips.library.library import ClipLibrary

    face = chosen_face(arguments)
    rest = _rest(arguments.neutral, rate(arguments.fps))
    with (
        ClipLibrary(arguments.library, create=True) as library,
        ProgressReport("clip import") as report,
    ):
        for index, (record, own_rate) in enumerate(records):
            try:
                _bring(library, record, own_rate, face, rest, brought)
            except InputError as error:
                of_set = arguments.data_set is not None
                brought.refused.append(f"{record.source}: {error.what}" if of_set else str(error))
            report.stage("import", (index + 1) / len(records))
        if consent is not None:
            for data_set, subject in brought.whose:
                library.set_consent(data_set, subject, consent)
    print(
        f"{clips(brought.new)} imported into {arguments.library}, "
        f"{brought.there} were there already"
    )


def _bring(
    library: ClipLibrary,
    record: ClipRecord,
    own_rate: bool,
    face: FaceChoice | None,
    rest: NDArray[np.uint8] | None,
    brought: Brought,
) -> None:
    """Bring one clip in, with whom `face` chooses and what it is at `rest`; raises InputError."""
    if face is not None and not face.is_largest:
        record = _faced(record, face, own_rate)
    entry, is_new = library.import_clip(record, own_rate=own_rate)
    if rest is not None:
        library.keep_neutral(entry, rest)
    brought.count(record, is_new)


def _faced(record: ClipRecord, choice: FaceChoice, own_rate: bool) -> ClipRecord:
    """Return a clip's record with the place of the face that is meant; raises InputError."""
    from ..server.clips.choose import face_place
    from ..server.clips.limits import LONG
    from ..server.engine.runtime import OnnxRuntime
    from ..server.sandbox import SandboxLimits, decoded

    fps = None if own_rate else record.fps
    with decoded(record.path, fps, SandboxLimits(clip=LONG)) as clip:
        place = face_place(clip, choice, OnnxRuntime().encode)
    return replace(record, face=place and (round(place[0], 1), round(place[1], 1)))


def _rest(path: Path | None, fps: Fraction | None) -> NDArray[np.uint8] | None:
    """Return the neutral picture (H, W, 3) of the clip at `path`, None for None."""
    from ..server.clips.measure import rest_of
    from ..server.engine.runtime import OnnxRuntime

    with opened_neutral(path, fps) as clip:
        return None if clip is None else rest_of(clip, OnnxRuntime().encode)[0].image


def day(text: str | None) -> datetime.date | None:
    """Return a day from YYYY-MM-DD, None for None; raises InputError."""
    try:
        return None if text is None else datetime.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no day.", "Write it as YYYY-MM-DD.") from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; raises InputError where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
