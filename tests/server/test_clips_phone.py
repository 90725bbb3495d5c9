"""Films as phones make them: trimmed without being written anew, of high dynamic range."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.server.clips.hdr import NAMES, Shower, pressed
from microface.server.clips.iso import video_track
from microface.server.clips.read import read_clip

RATE, FRAMES = 30, 20
#: BT.709's primaries in BT.2020's, in linear light (ITU-R BT.2087).
WIDER = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def film(path: Path, level: Callable[[int], float] = lambda k: 12.0 * k) -> Path:
    """Write an MP4 of even pictures, 64 x 48, whose levels tell their places."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), RATE, (64, 48))
    for index in range(FRAMES):
        writer.write(np.full((48, 64, 3), level(index), np.uint8))
    writer.release()
    return path


def replaced(content: bytes, way: list[bytes], change: Callable[[bytes], bytes]) -> bytes:
    """Return boxes with the one at the end of a way changed, sizes and all; entries of `stsd` are
    boxes after 8 bytes, those of a video's entry after 78."""
    if not way:
        return change(content)
    lead = {b"stsd": 8, b"mp4v": 78}
    made, at = b"", 0
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        inner = content[at + 8 : at + size]
        if name == way[0]:
            skip = lead.get(name, 0) if len(way) > 1 or name == b"mp4v" else 0
            inner = inner[:skip] + replaced(inner[skip:], way[1:], change)
        made += struct.pack(">I4s", 8 + len(inner), name) + inner
        at += size
    return made


def trimmed(path: Path, first: int, count: int) -> Path:
    """Let a film show `count` frames from `first` on; all others stay in the file."""
    track = [b"moov", b"trak"]
    data = path.read_bytes()
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    whole = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)[0]
    edit = struct.pack(">IIIii", 0, 1, count * whole // RATE, first * scale // RATE, 1 << 16)
    box = struct.pack(">I4sI4s", 16 + len(edit), b"edts", 8 + len(edit), b"elst") + edit
    data = data.replace(b"edts", b"free")
    path.write_bytes(replaced(data, track, lambda content: content + box))
    return path


def coloured(path: Path, transfer: int) -> Path:
    """Let a film name BT.2020 and these transfer characteristics."""
    box = struct.pack(">I4s4s3HB", 19, b"colr", b"nclx", 9, transfer, 9, 0)
    way = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"mp4v"]
    data = path.read_bytes().replace(b"colr", b"free")
    path.write_bytes(replaced(data, way, lambda content: content + box))
    return path


def test_a_trimmed_film_shows_what_is_left_of_it(tmp_path: Path) -> None:
    path = trimmed(film(tmp_path / "trimmed.mov"), 13, 5)
    clip = read_clip(path)
    assert [float(f.mean()) for f in clip.frames] == pytest.approx(
        [12 * k for k in range(13, 18)], abs=4
    )
    assert clip.times == pytest.approx(np.arange(5) / RATE, abs=1e-3)
    assert clip.fps == RATE
    assert clip.notes == ()


def test_a_film_that_is_not_trimmed_shows_all(tmp_path: Path) -> None:
    track = video_track(film(tmp_path / "whole.mp4"))
    assert track is not None
    assert (track.shown, track.transfer in NAMES) == (FRAMES, False)
    assert video_track(Path(__file__)) is None


def test_a_film_cut_off_is_still_told(tmp_path: Path) -> None:
    path = trimmed(film(tmp_path / "cut.mp4"), 4, 16)
    data = path.read_bytes()
    # The samples of the second half are of no codec.
    begin = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    middle = (begin + end) // 2
    path.write_bytes(data[:middle] + bytes(end - middle) + data[end:])
    with pytest.raises(InputError, match="of its 16 frames"):
        read_clip(path)


def test_a_damaged_table_is_no_fault(tmp_path: Path) -> None:
    data = film(tmp_path / "a.mp4").read_bytes()
    path, table = tmp_path / "b.mp4", data[data.index(b"moov") - 4 :]
    for length in range(0, len(table), 3):
        path.write_bytes(table[:length])
        track = video_track(path)
        assert track is None or track.shown <= FRAMES


def signal_of(transfer: int, nits: np.ndarray) -> np.ndarray:
    """Return the signal of light in cd/m2 (ITU-R BT.2100), 0..1."""
    if NAMES[transfer] == "PQ":
        power = (nits / 10_000) ** (2610 / 16384)
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    scene = (nits / 1000) ** (1 / 1.2)
    low, high = np.sqrt(3 * scene), 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9))
    return np.where(scene <= 1 / 12, low, high + 0.55991073)


@pytest.mark.parametrize("transfer", NAMES)
def test_high_dynamic_range_is_shown_as_screens_show_it(transfer: int) -> None:
    screen = np.array([[[30, 30, 30], [128, 128, 128], [190, 140, 120], [80, 50, 45]]], np.uint8)
    bent = screen / 255
    light = np.where(bent <= 0.04045, bent / 12.92, ((bent + 0.055) / 1.055) ** 2.4)
    signal = signal_of(transfer, 203 * light @ WIDER.T)
    shown = Shower(transfer)((signal * 255 + 0.5).astype(np.uint8))
    assert np.abs(shown.astype(int) - screen).max() <= 6  # a step of the signal is up to five
    bright = Shower(transfer)(np.full((1, 1, 3), 255, np.uint8))
    assert bright.min() > 250


def test_lights_are_pressed_and_keep_their_order() -> None:
    pressed_light = pressed(np.linspace(0, 3, 500, dtype=np.float32))
    assert (np.diff(pressed_light) > 0).all()
    assert pressed_light[-1] <= 1
    assert pressed_light[100] == pytest.approx(np.linspace(0, 3, 500)[100])


def test_a_film_of_high_dynamic_range_says_so(tmp_path: Path) -> None:
    path = coloured(film(tmp_path / "hlg.mov", lambda k: 128.0), 18)
    clip = read_clip(path, Fraction(30))
    assert clip.notes == ("high dynamic range (HLG), shown as sRGB",)
    stored = read_clip(film(tmp_path / "plain.mov", lambda k: 128.0)).frames[3]
    assert np.array_equal(clip.frames[3], Shower(18)(stored))
