"""Pictures appear whole or not at all, and only where they change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.addon.bake.sheet import STRIP_ROWS, Change, Sheet
from microface.addon.bake.stored import Store
from microface.addon.colour import DATA, SRGB
from microface.addon.exr import read_own_exr
from microface.addon.png import read_own_png, write_png
from microface.addon.whole_file import write_whole
from microface.errors import RunError

FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from microface.addon.png import write_png
from microface.errors import RunError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_png(Path(sys.argv[1]), np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8))
except RunError as error:
    print(error)
"""


def test_a_full_disk_leaves_no_half_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_png(path, np.zeros((4, 4), np.uint8))
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert "could not be written" in done.stdout
    assert "space" in done.stdout
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="could not be written"):
        write_whole(tmp_path / "no" / "a.png", [b"a"])


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert write_whole(path, [b"one", b"two"])
    os.utime(path, (1, 1))
    assert not write_whole(path, [b"onet", b"wo"])
    assert path.stat().st_mtime == 1
    assert write_whole(path, [b"onetwi"])
    assert path.read_bytes() == b"onetwi"


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 100),
    st.integers(1, 9),
    st.sampled_from([1, 3, 4]),
    st.sampled_from(["png8", "png16", "exr"]),
    st.integers(0, 2**31),
)
def test_any_change_of_any_sheet_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    height: int,
    width: int,
    channels: int,
    kind: str,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    store = Store(kind, DATA if channels == 1 else SRGB)
    stored = rng.integers(0, 255, (height, width, channels)).astype(store.type)
    count = int(rng.integers(0, height * width + 1))
    index = np.sort(rng.choice(height * width, count, replace=False)).astype(np.int32)
    change = Change(index, rng.integers(0, 255, (count, min(channels, 3))).astype(store.type))
    path = tmp_path_factory.mktemp("sheet") / "a"
    sheet = Sheet(stored, store, {})
    assert sheet.write(path, change)
    read = read_own_exr(path)[0] if kind == "exr" else read_own_png(path)
    assert np.array_equal(read.reshape(stored.shape), sheet.painted(change))
    assert not sheet.write(path, change)


def test_still_strips_are_compressed_once() -> None:
    store = Store("png8", SRGB)
    sheet = Sheet(np.zeros((4 * STRIP_ROWS, 8, 3), np.uint8), store, {})
    first = sheet._strip(0, Change(np.zeros(0, np.int32), np.zeros((0, 3), np.uint8)), 0, 0)
    again = sheet._strip(0, Change(np.zeros(0, np.int32), np.zeros((0, 3), np.uint8)), 0, 0)
    assert first is again
