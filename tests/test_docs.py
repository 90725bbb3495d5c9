"""What the documents name is there: files, sections, commands, options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from microface.commands import parser

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/**/*.md")])


def sections(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made of their words."""
    heads = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, section = link.partition("#")
        target = page if not path else (page.parent / path)
        assert target.exists(), link
        assert not section or section in sections(target), link


def verbs_of(command: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """A parser's commands or verbs by name, none where it has none."""
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def commands_in(page: Path) -> Iterator[list[str]]:
    """The words of every call of `microface` that a page shows."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for call in re.findall(r"^microface ([^\n#]+)|`microface ([a-z][^`]*)`", text, re.MULTILINE):
        yield "".join(call).split()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_are_there(page: Path) -> None:
    whole = parser()
    for first, *words in commands_in(page):
        command = verbs_of(whole)[first]
        if words and words[0] in verbs_of(command):
            command = verbs_of(command)[words[0]]
        known = {option for action in command._actions for option in action.option_strings}
        for word in words:
            option = word.strip("[]").partition("=")[0]
            assert not option.startswith("--") or option in known, (first, words)
