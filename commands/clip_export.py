"""Write a coding sheet like CASME II's of a library's clips.

The sheet has Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, Action Units and Estimated
Emotion as CASME II's has, then Fps and SHA-256. Frames count from 1; what is not coded is `/`. With
--pictures the clips' pictures are written too, in CASME II's layout (`sub01/CLIP/img1.png`), so
that whatever reads that set reads this folder.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .clip_query import add_query_arguments, clips, query_of
from .output import check_file, whole_folder

if TYPE_CHECKING:
    from ..server.clips.datasets.write_casme2 import Coded
    from ..server.clips.library.entry import Entry

EXAMPLE = """Examples:
  microface clip export --library clips --out coding.xlsx
  microface clip export --library clips --unit 12 --out smiles.csv
  microface clip export --library clips --emotion positive --pictures --out out/positive"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    add_query_arguments(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="sheet (.xlsx, .csv), or a folder"
    )
    parser.add_argument(
        "--pictures", action="store_true", help="write a folder with sheet and pictures"
    )
    parser.add_argument("--force", action="store_true", help="replace an earlier one")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    from ..server.clips.datasets.write_casme2 import write_coding
    from ..server.clips.library.library import ClipLibrary

    out = arguments.out.absolute()
    with ClipLibrary(arguments.library) as library:
        found = library.find(query_of(arguments))
        if not found:
            raise InputError("No clip of the library fits.", "See them with: microface clip list.")
        rows = [coded(entry) for entry in found]
        if not arguments.pictures:
            check_file(out, force=arguments.force)
            write_coding(out, rows)
        else:
            known = ["coding.csv", "CASME2-RAW"]
            with whole_folder(out, known, force=arguments.force) as folder:
                for entry, row in zip(found, rows, strict=True):
                    name = f"sub{row.subject}" if row.subject.isdecimal() else row.subject
                    place = folder / "CASME2-RAW" / name / row.clip
                    _pictures(library.source(entry), place, entry)
                write_coding(folder / "coding.csv", rows)
    print(f"{clips(len(rows))} in {out}")
    return 0


def coded(entry: Entry) -> Coded:
    """Return a clip's row; its name tells its content, for several clips may share one."""
    from ..server.clips.datasets.cells import subject_key
    from ..server.clips.datasets.write_casme2 import Coded

    def counted(index: int | None) -> int | None:
        return None if index is None else index + 1

    subject = subject_key(entry.subject)
    subject = subject.zfill(2) if subject.isdecimal() else _plain(subject or "unknown")
    return Coded(
        subject,
        f"{_plain(entry.clip)}_{entry.id[:8]}",
        counted(entry.onset),
        counted(entry.apex),
        counted(entry.offset),
        entry.units,
        entry.emotion,
        entry.fps,
        entry.sha256,
    )


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "clip"


def _pictures(source: Path, place: Path, entry: Entry) -> None:
    from ..server.clips.images import write_png
    from ..server.clips.limits import LONG
    from ..server.clips.stream import pictures_in
    from ..server.sandbox import SandboxLimits, decoded

    place.mkdir(parents=True)
    if source.is_dir():
        for index, file in enumerate(pictures_in(source)):
            shutil.copyfile(file, place / f"img{index + 1}{file.suffix.lower()}")
        return
    with decoded(source, entry.fps, SandboxLimits(clip=LONG)) as clip:
        for index, frame in enumerate(clip.frames):
            write_png(place / f"img{index + 1}.png", frame)
