"""Keep what the person in a library's clips has agreed to, or that it was taken back.

A consent holds for all clips of a subject of one data set. What is kept is the release's SHA-256,
never the release itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from .clip_import import add_terms, day, file_sha256
from .clip_query import clips

EXAMPLE = """Examples:
  microface clip consent --library clips --subject anna --release anna.pdf --expires 2027-12-31
  microface clip consent --library clips --subject anna --revoke"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    parser.add_argument(
        "--library", type=Path, required=True, metavar="DIR", help="the library's folder"
    )
    parser.add_argument(
        "--subject", required=True, metavar="NAME", help="the subject, as the list shows it"
    )
    parser.add_argument("--data-set", default="", metavar="NAME", help="the set the subject is of")
    parser.add_argument("--release", type=Path, metavar="FILE", help="the signed release")
    add_terms(parser)
    parser.add_argument("--revoke", action="store_true", help="the consent was taken back")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    from ..server.clips.datasets.catalogue import published_name
    from ..server.clips.library.consent import Consent
    from ..server.clips.library.library import ClipLibrary
    from ..server.clips.library.query import Query

    if arguments.revoke == (arguments.release is not None):
        raise InputError("A consent is given or taken back.", "Give either --release or --revoke.")
    with ClipLibrary(arguments.library) as library:
        data_set = published_name(arguments.data_set)
        found = library.find(Query(subject=arguments.subject, data_set=data_set))
        if not found:
            of = f"of {data_set}" if data_set else "without a data set"
            raise InputError(
                f"No clip is of the subject {arguments.subject!r} {of}.",
                "See both with: microface clip list.",
            )
        digest = "" if arguments.release is None else file_sha256(arguments.release)
        consent = Consent(
            arguments.scope, arguments.show, day(arguments.expires), digest, arguments.revoke
        )
        library.set_consent(found[0].data_set, found[0].subject, consent)
        print(f"{clips(len(found))} of {found[0].subject}: consent {library.consent(found[0])}")
    return 0
