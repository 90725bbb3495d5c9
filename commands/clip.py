"""Work with source clips: look them over, keep them in a library, make them."""

from __future__ import annotations

import argparse

from .verbs import add_verbs

EXAMPLE = """Examples:
  microface clip inspect smile.mp4 --page smile.html
  microface clip import --library clips --data-set casme2 /data/CASME2
  microface clip list --library clips --unit L12 --emotion positive
  microface clip spot interview.mp4 --kind micro
  microface clip synth curves.csv --fps 100 --out out/smirk

Each has a help of its own: microface clip inspect --help"""

#: The verbs, with the line that the help shows for each.
VERBS = {
    "inspect": "tell what a clip shows, and what is wrong with it",
    "import": "bring clips or a whole data set into a library",
    "list": "find clips in a library",
    "spot": "find expressions, blinks and more in a clip of any length",
    "describe": "tell which action units a clip shows, on which side, how strongly",
    "consent": "keep what the person in a clip has agreed to",
    "export": "write a coding sheet like CASME II's",
    "synth": "render a clip of a built-in head from curves of action units",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs, each with its arguments, to the command's parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, help="what to do")
    add_verbs(verbs, VERBS, "clip_", "run_verb")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    return int(arguments.run_verb(arguments))
