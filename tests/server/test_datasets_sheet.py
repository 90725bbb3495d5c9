"""Annotation sheets as they come: a damaged one is refused, whatever the damage."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from microface.errors import InputError
from microface.server.clips.datasets.catalogue import read_data_set
from microface.server.clips.datasets.reading import Overrides
from microface.server.clips.datasets.sheet import read_sheets

from . import copies

openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture(scope="module")
def workbook() -> bytes:
    """A workbook's bytes."""
    book = openpyxl.Workbook()
    for row in range(30):
        book.active.append(["sub01", f"EP{row}", row, row * 1.5])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@given(damage=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=4))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bytes_are_read_or_refused(
    tmp_path: Path, workbook: bytes, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(workbook)
    for place, value in damage:
        data[place % len(data)] = value
    path = tmp_path / "coding.xlsx"
    path.write_bytes(data)
    try:
        assert read_sheets(path)
    except InputError as error:
        assert "coding.xlsx" in error.what


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.99])
def test_a_cut_workbook_is_refused(tmp_path: Path, workbook: bytes, share: float) -> None:
    path = tmp_path / "coding.xlsx"
    path.write_bytes(workbook[: int(share * len(workbook))])
    with pytest.raises(InputError, match="not a workbook"):
        read_sheets(path)


def test_a_copys_damaged_workbook_is_named(tmp_path: Path) -> None:
    path = copies.casme2(tmp_path) / "CASME2-coding-20140508.xlsx"
    whole = path.read_bytes()
    for broken in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="workbook"):
            read_data_set("casme2", tmp_path)
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"no sheet 'x'.*'Sheet1'"):
        read_data_set("casme2", tmp_path, Overrides(tab="x"))
