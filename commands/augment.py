"""Put source clips on characters: a labelled synthetic data set in CASME II's layout.

Every clip is put on every character, in as many variants as asked; strength, mirroring and noise
are drawn from the seed. Clips are taken from a library, where their subjects' consent holds, or are
built-in ones; characters are built-in heads, heads drawn from the seed, pictures at rest, or faces
of .blend files. The labels are the source's: its frames' onset, apex and offset, its action units
(sides change places in a mirrored clip) and its emotion. Writes:

  OUT/CASME2-RAW/sub01/EP01_smile/img1.png ...   sub01 is the first character
  OUT/CASME2-coding.xlsx                         as CASME II's, then Fps and SHA-256
  OUT/manifest.json                              sources, characters, settings, hashes, consent

The same command goes on with a run that was stopped or killed, and gives the same files, bit by
bit, on the same machine. manifest.json is written last: a folder that has it is whole.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import InputError, RunError
from .clip_query import add_query_arguments, clips, query_of
from .needs import need_blender
from .options import add_server_argument
from .progress import ProgressReport

if TYPE_CHECKING:
    from ..server.client import Client, Event
    from ..server.clips.augmented.output import Output
    from ..server.clips.augmented.plan import Character, Item, Settings, Source

EXAMPLE = """Examples:
  microface augment --clip builtin:brow-lower --clip builtin:chin-raise --out out/set
  microface augment --library clips --emotion positive --character all --out out/smiles
  microface augment --library clips --character random:40 --variants 3 --strength 0.7:1.3 \\
      --mirror --seed 7 --most 2000 --out out/set
  microface augment --library clips --character npc.png --character hero.blend:Face --out out/npc"""

#: Lines on clips that were left out that are printed; the manifest has all.
_PRINTED = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write or to go on with"
    )
    parser.add_argument(
        "--clip",
        action="append",
        default=[],
        metavar="builtin:NAME",
        help="a built-in clip; may be repeated, and given beside a library",
    )
    parser.add_argument(
        "--character",
        action="append",
        default=[],
        metavar="WHO",
        help="a built-in head, all, random:N (1 to 1000 heads drawn from the seed), a picture, or "
        "FILE.blend:OBJECT; may be repeated (default: all)",
    )
    parser.add_argument(
        "--variants", type=int, default=1, metavar="N", help="1 to 20 of each (default: 1)"
    )
    parser.add_argument(
        "--strength",
        default="1",
        metavar="S|LOW:HIGH",
        help="0.05 to 4 times the clip's own motion, or a range to draw from (default: 1)",
    )
    parser.add_argument("--mirror", action="store_true", help="mirror half of the clips")
    parser.add_argument(
        "--noise", type=float, default=1.0, metavar="LEVELS",
        help="the sensor's noise, 0 to 32 grey levels (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--most", type=int, metavar="N", help="keep N clips of all, drawn from the seed"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="0 to 4294967295 (default: 0)"
    )
    parser.add_argument(
        "--size", type=int, default=320, metavar="PIXELS",
        help="side of pictures of heads and .blend faces, 128 to 1024 (default: 320)",
    )  # fmt: skip
    parser.add_argument(
        "--sheet", choices=("xlsx", "csv"), default="xlsx", help="kind of sheet (default: xlsx)"
    )
    add_server_argument(parser)
    parser.add_argument("--force", action="store_true", help="replace another data set in DIR")
    add_query_arguments(parser.add_argument_group("clips of a library"), needed=False)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from ..server.clips.augmented.output import Output
    from ..server.clips.augmented.plan import Settings, planned

    if arguments.sheet == "xlsx" and importlib.util.find_spec("openpyxl") is None:
        raise RunError(
            "The sheet needs openpyxl, which is not installed.",
            'Install it with: pip install "microface[datasets]"; or give --sheet csv.',
        )
    settings = Settings(
        arguments.seed, arguments.variants, _range(arguments.strength), arguments.mirror,
        arguments.noise, arguments.most,
    )  # fmt: skip
    with ProgressReport("augment") as report:
        sources, left_out = _sources(arguments)
        characters = _characters(arguments, report)
        items = planned(sources, characters, settings)
        output = Output(
            arguments.out.absolute(),
            _plan(items, settings),
            f"CASME2-coding.{arguments.sheet}",
            force=arguments.force,
        )
        try:
            told = _make(items, output, settings, arguments.server, report)
        except BaseException:
            output.leave_nothing()
            raise
        refused = [f"{i.name}: {t['refused']}" for i, t in told.items() if "refused" in t]
        if not output.is_whole:
            _finish(output, told, settings, left_out)
    for line in [*left_out, *refused][:_PRINTED]:
        print(f"left out: {line}", file=sys.stderr)
    if (more := len(left_out) + len(refused) - _PRINTED) > 0:
        print(f"left out: {more} more; the manifest has all", file=sys.stderr)
    who = f"{len(characters)} character" + "s" * (len(characters) != 1)
    print(f"{clips(len(items) - len(refused))} of {who} in {arguments.out}")
    return InputError.exit_status if len(refused) == len(items) else 0


def _sources(arguments: argparse.Namespace) -> tuple[list[Source], list[str]]:
    from ..server.clips.augmented.sources import builtin_source, library_sources
    from ..server.clips.builtin import is_builtin
    from ..server.clips.library.library import ClipLibrary

    found: list[Source] = []
    left_out: list[str] = []
    for name in arguments.clip:
        if not is_builtin(name):
            raise InputError(
                f"The clip {name} has no labels.", "Import it into a library and give --library."
            )
        found.append(builtin_source(name))
    if arguments.library is not None:
        with ClipLibrary(arguments.library) as library:
            more, left_out = library_sources(library, library.find(query_of(arguments)))
        found += more
    if not found:
        why = f" ({left_out[0]})" if left_out else ""
        remedy = (
            "Give the subject's release: microface clip consent."
            if left_out
            else "Give --library, with clips that fit, or --clip builtin:NAME."
        )
        raise InputError(f"There is no clip that may be used{why}.", remedy)
    return found, left_out


def _characters(arguments: argparse.Namespace, report: ProgressReport) -> list[Character]:
    from ..server.clips.augmented.characters import (
        head_character,
        head_names,
        picture_character,
    )

    asked: list[str] = []
    for given in arguments.character or ["all"]:
        asked += head_names(given) or [given]
    found: dict[str, Character] = {}
    for index, given in enumerate(dict.fromkeys(asked)):
        if head_names(given) or given.startswith("random-"):
            character = head_character(given, arguments.seed, arguments.size)
        elif Path(given.partition(".blend:")[0]).suffix == ".blend" or ".blend:" in given:
            character = _blend_character(given, arguments.size)
        else:
            character = picture_character(Path(given))
        found[character.sha256] = character
        report.stage("characters", (index + 1) / len(asked))
    return list(found.values())


def _blend_character(given: str, pixels: int) -> Character:
    from ..server.clips.augmented.plan import Character

    path, colon, name = given.rpartition(".blend:")
    if not colon:
        raise InputError(f"{given} does not say whose face.", "Give FILE.blend:OBJECT.")
    need_blender()
    from ..addon.files import open_blend
    from ..addon.retarget.prepare import find_character, prepare

    open_blend(Path(f"{path}.blend"))
    prepared = prepare(find_character(name), pixels)
    return Character(f"{Path(path).name}-{name}", "blend", prepared.neutral)


def _make(
    items: tuple[Item, ...],
    output: Output,
    settings: Settings,
    address: str | None,
    report: ProgressReport,
) -> dict[Item, dict[str, Any]]:
    """Make what is missing; return every clip's record."""
    from ..server.client import Client
    from ..server.embedded import EmbeddedServer

    told = {item: record for item in items if (record := output.done(item)) is not None}
    missing = [item for item in items if item not in told]
    if not missing:
        return told
    if told:
        report.say(f"{len(told)} of {clips(len(items))} are there")
    if output.is_whole:  # something was deleted or changed since
        output.reopen()
    with ExitStack() as stack:
        if address is None:
            report.say("starting a server")
            address = stack.enter_context(EmbeddedServer()).address
        client = stack.enter_context(Client(address))
        client.hello()  # a server that is not there is no fault of a clip
        for item in missing:
            try:
                _generate(client, item, output, settings.noise)
            except InputError as error:
                output.refuse(item, error.what)
            record = output.done(item)
            if record is None:
                raise RunError(f"{item.name} changed while it was written.", "Start again.")
            told[item] = record
            report.stage("clips", len(told) / len(items))
    return {item: told[item] for item in items}


def _generate(client: Client, item: Item, output: Output, noise: float) -> None:
    from ..server.client import Done, Frame, Performance
    from ..server.clips.augmented.plan import with_noise
    from ..server.clips.builtin import is_builtin

    source = item.source
    fps = None if is_builtin(source.clip) else source.fps
    asked = Performance(source.clip, fps, item.strength, rest=source.rest, face=source.face)
    job = client.perform(item.character.neutral, asked)
    with output.making(item) as take:

        def heard(event: Event) -> None:
            match event:
                case Frame():
                    take(event.index, with_noise(event.image, item, event.index, noise))
                case Done():
                    output.check_models(dict(event.result.get("model", {})))

        job.follow(heard)


def _plan(items: tuple[Item, ...], settings: Settings) -> dict[str, Any]:
    """Return what has to be the same for a run to go on with an earlier one."""
    keys = hashlib.sha256("".join(item.key + item.name for item in items).encode()).hexdigest()
    return {"microface": __version__, "clips": len(items), "keys": keys, "seed": settings.seed}


def _finish(
    output: Output,
    told: dict[Item, dict[str, Any]],
    settings: Settings,
    left_out: list[str],
) -> None:
    from ..server.clips.augmented.manifest import coded, manifest_of

    made = {item: record for item, record in told.items() if "refused" not in record}
    rows = [coded(item, record["sha256"]) for item, record in made.items()]
    output.finish(rows, manifest_of(told, settings, left_out, output.models, __version__))


def _range(text: str) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    try:
        return float(low), float(high if colon else low)
    except ValueError as error:
        raise InputError(f"The strength {text!r}.", "Give a number, or LOW:HIGH.") from error
