"""Where a file keeps its evidence: a text block per character, saved and seen like any text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import bpy

from ...errors import InputError
from ...report.proof.evidence import FORMAT, Event, Evidence, read_evidence, write_evidence

#: Name of such a text block, before the character's.
PREFIX = "Microface proof "


def stored(obj: Any) -> Evidence | None:
    """Return the evidence about a character in the open file, or None; raises `InputError`."""
    text = bpy.data.texts.get(PREFIX + obj.name)
    return None if text is None else read_evidence(text.as_string())


def all_stored() -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every evidence in the open file, by the text's own first line."""
    for text in bpy.data.texts:
        if FORMAT in text.lines[0].body:
            yield str(text.name), str(text.as_string())


def store(evidence: Evidence) -> None:
    """Keep evidence in the open file in place of what was there about the same character."""
    name = PREFIX + evidence.object_name
    text = bpy.data.texts.get(name) or bpy.data.texts.new(name)
    text.from_string(write_evidence(evidence))
    text.use_fake_user = True


def add_event(evidence: Evidence, event: Event) -> Evidence:
    """Return the evidence with an event more; one of the same action and start is replaced.

    What it knew of the character is renewed by `evidence`.
    """
    others = [one for one in evidence.events if _place(one) != _place(event)]
    return replace(evidence, events=(*others, event))


def drop(obj: Any) -> bool:
    """Remove the evidence about a character; return whether there was some."""
    text = bpy.data.texts.get(PREFIX + obj.name)
    if text is None:
        return False
    bpy.data.texts.remove(text)
    return True


def drop_event(obj: Any, action_name: str) -> None:
    """Remove the evidence of a bake that was removed on purpose, by the name of its action."""
    try:
        evidence = stored(obj)
    except InputError:
        return  # of another version: the next bake renews it
    if evidence is None:
        return
    left = tuple(event for event in evidence.events if event.action != action_name)
    if left:
        store(replace(evidence, events=left))
    else:
        drop(obj)


def _place(event: Event) -> tuple[str, str, float]:
    return (event.clip, event.action, event.start_frame)
