"""How the tests ask for a data set, and what they compare."""

from __future__ import annotations

from pathlib import Path

from microface.server.embedded import EmbeddedServer


def arguments(materials: Path, server: EmbeddedServer, out: Path, *more: object) -> list[str]:
    """The command for two clips on two characters, twice each; `more` may say otherwise."""
    return [
        "augment", "--library", str(materials / "library"), "--server", server.address,
        "--character", str(materials / "one.png"), "--character", str(materials / "two.png"),
        "--mirror", "--strength", "0.5:2", "--variants", "2", "--seed", "11", "--out", str(out),
        *map(str, more),
    ]  # fmt: skip


def contents(out: Path) -> dict[str, bytes]:
    """Every file's bytes by its path in the set, but for a run's own records."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".augment" not in path.parts
    }
