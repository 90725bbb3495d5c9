"""Heads that are named or drawn from the seed, and kept once they are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from microface.errors import InputError
from microface.server.clips.augmented import characters
from microface.server.clips.augmented.characters import head_character, head_names


def test_names_of_heads() -> None:
    assert head_names("ada") == ("ada",)
    assert "ada" in (head_names("all") or ())
    assert head_names("random:3") == ("random-001", "random-002", "random-003")
    assert head_names("face.png") is None
    for wrong in ("random:0", "random:x", "random:1001"):
        with pytest.raises(InputError, match="random:1"):
            head_names(wrong)


def test_heads_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[object] = []

    def drawn(identity: object, *_: object) -> Iterator[np.ndarray]:
        drawings.append(identity)
        yield np.full((128, 128, 3), len(drawings), np.uint8)

    monkeypatch.setattr(characters, "drawn", drawn)
    first = head_character("random-001", 3, 128, cache=tmp_path)
    again = head_character("random-001", 3, 128, cache=tmp_path)
    assert first.sha256 == again.sha256 and len(drawings) == 1
    assert head_character("random-001", 4, 128, cache=tmp_path).sha256 != first.sha256
    assert head_character("ada", 3, 128, cache=tmp_path).kind == "built-in"
    assert head_character("ada", 4, 128, cache=tmp_path).neutral.max() == 3 == len(drawings)
    # What a kill or a full disk leaves is no picture, and no harm.
    for kept in tmp_path.iterdir():
        kept.write_bytes(kept.read_bytes()[:40])
    assert head_character("random-001", 3, 128, cache=tmp_path).neutral.max() == 4
    unwritable = tmp_path / "file"
    unwritable.touch()
    assert head_character("random-002", 3, 128, cache=unwritable / "heads").neutral.max() == 5
