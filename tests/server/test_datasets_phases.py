"""Onset, apex and offset as coders write them."""

from __future__ import annotations

from microface.server.clips.datasets.phases import in_order, to_indexes


def test_phases_out_of_order() -> None:
    notes: list[str] = []
    assert in_order((10, 5, 20), notes) == (10, None, 20)
    assert in_order((10, 15, 12), notes) == (10, 15, None)
    assert in_order((10, None, 5), notes) == (10, None, None)
    assert in_order((0, 0, 4), notes) == (0, 0, 4)
    assert len(notes) == 3


def test_numbers_beyond_the_pictures_have_no_index() -> None:
    notes: list[str] = []
    assert to_indexes((1, 3, 99), {1: 0, 2: 1, 3: 2}, 3, notes) == (0, 2, None)
    assert "99 is not among the pictures 1 to 3" in notes[0]
    assert to_indexes((1, 2, 3), {}, 3, notes) == (0, 1, 2)
    assert to_indexes((1, 2, 3), {}, 0, notes) == (None, None, None)
