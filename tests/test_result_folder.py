"""What does not change is deflated once, and what is written is what was given."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.commands.bands import BAND_ROWS, Bands, joined_adler, joined_crc
from microface.commands.motion_archive import MotionArchive
from microface.commands.png import SIGNATURE, PngSeries


def skin(height: int, width: int, *channels: int) -> np.ndarray:
    rough = np.random.default_rng(0).normal(128, 40, (height, width, *channels))
    return np.clip(cv2.GaussianBlur(rough, (0, 0), 2), 0, 255).astype(np.uint8)


def read(path: Path) -> np.ndarray:
    """A picture as OpenCV reads it, in our order of colours."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def inflated(path: Path) -> bytes:
    """The pixels' stream, every chunk's and the stream's own checksum looked at."""
    data = path.read_bytes()
    assert data.startswith(SIGNATURE)
    place, stream, kinds = len(SIGNATURE), b"", []
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length)[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        stream += body if kind == b"IDAT" else b""
        place += 12 + length
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND" and set(kinds[1:-1]) == {b"IDAT"}
    return zlib.decompress(stream)


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("height", [1, BAND_ROWS, 3 * BAND_ROWS + 5])
def test_pictures_come_back(channels: tuple[int, ...], height: int, tmp_path: Path) -> None:
    first = skin(height, 90, *channels)
    moved = first.copy()
    moved[height // 2, 40:60] += 9
    series = PngSeries()
    for index, pixels in enumerate((first, moved, moved, first)):
        path = tmp_path / f"{index}.png"
        series.write(path, pixels)
        assert np.array_equal(read(path), pixels)
        assert len(inflated(path)) == height * (1 + pixels[0].size)
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "3.png").read_bytes()


def test_other_sizes_may_follow(tmp_path: Path) -> None:
    series = PngSeries()
    for pixels in (skin(200, 40, 3), skin(100, 70, 3), skin(100, 70)):
        series.write(tmp_path / "a.png", pixels)
        assert np.array_equal(read(tmp_path / "a.png"), pixels)


def test_files_are_no_larger_than_opencv_makes_them(tmp_path: Path) -> None:
    for pixels in (skin(512, 512, 3), skin(512, 512)):
        PngSeries().write(tmp_path / "ours.png", pixels)
        cv2.imwrite(str(tmp_path / "its.png"), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        ours, its = ((tmp_path / name).stat().st_size for name in ("ours.png", "its.png"))
        assert ours < its


def test_a_band_that_stays_is_deflated_once() -> None:
    deflated = []

    def seen(rows: np.ndarray) -> np.ndarray:
        deflated.append(len(rows))
        return rows

    bands = Bands(zlib.crc32, seen)
    first = skin(4 * BAND_ROWS, 50)
    moved = first.copy()
    moved[BAND_ROWS] += 1
    assert len(bands.deflate(first)) == len(deflated) == 4
    bands.deflate(moved)
    assert len(deflated) == 5
    bands.deflate(moved.copy())
    assert len(deflated) == 5


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 70_000))
def test_checksums_are_joined(first: bytes, count: int) -> None:
    second = os.urandom(count)
    crcs, adlers = (
        [check(each) for each in (first, second)] for check in (zlib.crc32, zlib.adler32)
    )
    assert joined_crc(*crcs, count) == zlib.crc32(first + second)
    assert joined_adler(*adlers, count) == zlib.adler32(first + second)


def test_motion_comes_back(tmp_path: Path) -> None:
    flows = np.random.default_rng(1).normal(0, 2, (4, 150, 60, 2)).astype(np.float16)
    flows[1] = 0
    flows[2, :BAND_ROWS] = 0
    flows[3] = -flows[1]  # zeros, and not the same ones
    path = tmp_path / "motion.npz"
    archive = MotionArchive(path)
    for flow in flows:
        archive.add(flow)
    archive.finish()
    with zipfile.ZipFile(path) as whole:
        assert whole.namelist() == ["flow.npy"] and whole.testzip() is None
    with np.load(path) as whole:
        assert whole["flow"].dtype == np.float16
        assert whole["flow"].tobytes() == flows.tobytes()
    assert path.stat().st_size < 0.8 * flows.nbytes
