"""Writing what was measured: a file, or a part of a page between its marks."""

from __future__ import annotations

from pathlib import Path

from ...errors import InputError


def write_between(path: Path, name: str, text: str) -> None:
    """Put `text` between `<!-- NAME -->` and `<!-- end of NAME -->` of the page at `path`.

    InputError where the page lacks the marks.
    """
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = path.read_text(encoding="utf-8")
    before, found, rest = page.partition(first)
    _, ended, after = rest.partition(last)
    if not found or not ended:
        raise InputError(f"{path} has no marks {first} and {last}.", "Add them where it belongs.")
    write(path, f"{before}{first}\n{text.strip()}\n{last}{after}")


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(path.name + ".part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
