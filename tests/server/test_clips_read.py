"""Reading source clips: right pixels and times, and one clear line for what cannot be used."""

from __future__ import annotations

import os
import struct
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.server.clips.images import natural_key, read_picture
from microface.server.clips.read import Limits, read_clip
from PIL import Image

from .bombs import bomb

FPS = Fraction(200)


def write_frames(folder: Path, count: int, side: int = 64, suffix: str = "png") -> list[np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    frames = []
    for index in range(count):
        picture = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"img{index + 1}.{suffix}"), picture[..., ::-1])
        frames.append(picture)
    return frames


def test_folder_in_natural_order(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "clip", 12)
    clip = read_clip(tmp_path / "clip", FPS)
    assert len(clip) == 12
    for read, written in zip(clip.frames, frames, strict=True):
        assert np.array_equal(read, written)
    assert clip.times == pytest.approx(np.arange(12) / 200)
    assert clip.size == (64, 64)
    assert clip.seconds == pytest.approx(11 / 200)
    assert len(clip.sha256) == 64
    assert read_clip(tmp_path / "clip", FPS).sha256 == clip.sha256


def test_natural_key_orders_numbers_by_value() -> None:
    names = [Path(n) for n in ("a10.png", "a9.png", "A1.png", "b.png")]
    assert [p.name for p in sorted(names, key=natural_key)] == [
        "A1.png",
        "a9.png",
        "a10.png",
        "b.png",
    ]


def test_grey_and_16_bit_pictures(tmp_path: Path) -> None:
    grey = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    assert np.array_equal(read_picture(tmp_path / "grey.png"), np.repeat(grey[..., None], 3, 2))
    deep = grey.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert np.array_equal(read_picture(tmp_path / "deep.png")[..., 0], grey)
    cv2.imwrite(str(tmp_path / "deep.tif"), np.repeat(deep[..., None], 3, 2))
    assert np.array_equal(read_picture(tmp_path / "deep.tif")[..., 2], grey)


def test_video_brings_times(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 100, (64, 64))
    for level in range(8):
        writer.write(np.full((64, 64, 3), level * 20, np.uint8))
    writer.release()
    clip = read_clip(path)
    assert clip.fps == 100
    assert clip.times == pytest.approx(np.arange(8) / 100, abs=1e-6)
    assert [int(f.mean().round()) for f in clip.frames] == pytest.approx(
        [20 * k for k in range(8)], abs=3
    )
    assert read_clip(path, Fraction(50)).times[1] == pytest.approx(0.02)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_phone_held_upright(tmp_path: Path, turn: int) -> None:
    path = tmp_path / "phone.mp4"
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:32, :48, 0] = 240
    lying = np.rot90(picture, turn)  # turned so often against the clock, to be turned back
    height, width = lying.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30, (width, height))
    for _ in range(4):
        writer.write(np.ascontiguousarray(lying[..., ::-1]))
    writer.release()
    # The matrix of the track's header (ISO/IEC 14496-12, 8.3.2): 16.16, the last column 2.30.
    a, b, c, d = ((0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0))[turn - 1]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    assert struct.unpack(">9i", data[at : at + 36]) == (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    rows = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    data[at : at + 36] = struct.pack(">9i", *rows)
    path.write_bytes(data)
    clip = read_clip(path)
    assert clip.size == (96, 64)
    assert np.abs(clip.frames[1].astype(int) - picture).mean() < 8


def test_film_rate_is_an_exact_ratio(shared: Path) -> None:
    clip = read_clip(shared / "clips" / "smile.mp4")
    assert clip.fps == Fraction(24000, 1001)
    assert len(clip) == 48
    assert clip.times[-1] == pytest.approx(47 * 1001 / 24000, abs=1e-3)


def refused(path: Path, fps: Fraction | None = FPS, limits: Limits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_clip(path, fps, limits)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_missing_clip(tmp_path: Path) -> None:
    assert "no clip at" in refused(tmp_path / "absent.mp4")


def test_unreadable_video(tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"not a video" * 100)
    assert "not a video" in refused(path)


def test_empty_folder(tmp_path: Path) -> None:
    assert "no pictures" in refused(tmp_path)


def test_one_frame(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip", 1)
    assert "one frame" in refused(tmp_path / "clip")


def test_folder_without_fps(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip", 3)
    assert "--fps" in refused(tmp_path / "clip", None)


def test_frames_of_different_sizes(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip", 2)
    cv2.imwrite(str(tmp_path / "clip" / "img3.png"), np.zeros((60, 64, 3), np.uint8))
    assert "img3.png is 64 x 60" in refused(tmp_path / "clip")


def test_damaged_picture(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip", 2)
    (tmp_path / "clip" / "img3.png").write_bytes(b"\x89PNG nothing")
    assert "img3.png" in refused(tmp_path / "clip")


@pytest.mark.parametrize("size", [(5000, 4000), (60000, 60000)])
def test_bomb_is_refused_by_its_header(tmp_path: Path, size: tuple[int, int]) -> None:
    bomb(tmp_path / "bomb.png", *size)
    assert "bomb.png" in refused(tmp_path)


def test_limits(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip", 4)
    assert "more than 3 frames" in refused(tmp_path / "clip", FPS, Limits(max_frames=3))
    assert "more than 2 frames" in refused(tmp_path / "clip", FPS, Limits(max_seconds=0.01))
    assert "MB" in refused(tmp_path / "clip", FPS, Limits(max_file_bytes=100))
    assert "GB" in refused(tmp_path / "clip", FPS, Limits(max_decoded_bytes=20_000))
    assert "at least 100" in refused(tmp_path / "clip", FPS, Limits(min_side_pixels=100))
    assert "frames a second" in refused(tmp_path / "clip", Fraction(0))


def test_a_folder_of_exr_is_shown_as_srgb(tmp_path: Path) -> None:
    os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
    linear = np.full((64, 80, 3), 0.2140, np.float32)
    linear[0, 0] = np.nan
    linear[0, 1] = np.inf
    linear[0, 2] = 7.0
    for index, kind in enumerate((cv2.IMWRITE_EXR_TYPE_HALF, cv2.IMWRITE_EXR_TYPE_FLOAT)):
        path = tmp_path / f"{index}.exr"
        cv2.imwrite(str(path), linear, [cv2.IMWRITE_EXR_TYPE, kind])
    clip = read_clip(tmp_path, FPS)
    assert clip.size == (80, 64)
    for frame in clip.frames:
        assert abs(int(frame[32, 32, 0]) - 127) <= 1  # 0.214 is sRGB's middle
        assert frame[0, :3, 0].tolist() == [0, 255, 255]


def test_a_damaged_exr(tmp_path: Path) -> None:
    for index in range(2):
        (tmp_path / f"{index}.exr").write_bytes(
            b"\x76\x2f\x31\x01\2\0\0\0dataWindow\0box2i\0\x10\0"
        )
    assert "0.exr is not a picture" in refused(tmp_path)


def test_an_exr_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    window = struct.pack("<4i", 0, 0, 99_999, 99_999)
    head = b"\x76\x2f\x31\x01\2\0\0\0" + b"dataWindow\0box2i\0" + struct.pack("<i", 16) + window
    (tmp_path / "0.exr").write_bytes(head + bytes(100))
    assert "100000 x 100000" in refused(tmp_path)


def test_12_bits_in_words_of_16(tmp_path: Path) -> None:
    ramp = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"{index}.png"), ramp)
    clip = read_clip(tmp_path, FPS)
    assert clip.frames[0].max() == 255
    assert abs(int(clip.frames[0][32, 0, 0]) - 127) <= 1
    assert "12 bits in words of 16" in clip.notes[0]


def test_near_infrared_is_grey(tmp_path: Path) -> None:
    levels = (np.arange(64 * 64).reshape(64, 64) % 251).astype(np.uint8)
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"{index}.bmp"), levels)
    frame = read_clip(tmp_path, Fraction(25)).frames[1]
    assert all(np.array_equal(frame[..., channel], levels) for channel in range(3))


def test_a_variable_rate_goes_by_its_time_stamps(tmp_path: Path) -> None:
    path = tmp_path / "varies.gif"
    pictures = [Image.new("L", (64, 64), 25 * level) for level in range(6)]
    durations = [20, 20, 60, 20, 100, 20]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations)
    clip = read_clip(path)
    assert clip.times == pytest.approx([0, 0.02, 0.04, 0.10, 0.12, 0.22], abs=1e-3)
    assert "rate varies: 20 to 100 ms" in clip.notes[0]
    even = read_clip(path, Fraction(24000, 1001))
    assert even.times[1] == pytest.approx(1001 / 24000)
    assert even.notes == ()


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert "is empty" in refused(tmp_path / "empty.mp4")
    write_frames(tmp_path / "clip", 1)
    (tmp_path / "clip" / "img2.png").write_bytes(b"")
    assert "img2.png" in refused(tmp_path / "clip")


def test_a_video_that_is_cut_off(tmp_path: Path, shared: Path) -> None:
    whole = (shared / "clips" / "smile.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    assert "cut off" in refused(path, None)


def avi(path: Path, count: int, size: tuple[int, int] = (64, 48), codec: bytes = b"MJPG") -> None:
    """Write a motion JPEG of the same picture over and over; `size` is what the header claims."""
    _, jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))
    data = jpeg.tobytes() + b"\0" * (len(jpeg) % 2)
    frame = b"00dc" + struct.pack("<I", len(jpeg)) + data
    width, height = size
    main = struct.pack("<14I", 10_000, 0, 0, 0x10, count, 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = b"vids" + codec + struct.pack("<10I", 0, 0, 0, 1, 100, 0, count, 0, 0, 0) + bytes(8)
    form = struct.pack("<IIIHH4sIIIII", 40, width, height, 1, 24, codec, 0, 0, 0, 0, 0)

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content

    inner = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", form))
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + inner)
    movie = chunk(b"LIST", b"movi" + frame * count)
    path.write_bytes(chunk(b"RIFF", b"AVI " + header + movie))


def test_a_hundred_thousand_frames_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "long.avi"
    avi(path, 5)
    assert len(read_clip(path, None, Limits(min_side_pixels=16))) == 5
    avi(path, 100_000)
    begun = time.perf_counter()
    assert "more than 2000 frames (100000)" in refused(path)
    assert time.perf_counter() - begun < 2


def test_huge_frames_are_refused_by_the_header(tmp_path: Path) -> None:
    avi(tmp_path / "huge.avi", 2, (20_000, 10_000), bytes(4))
    assert "20000 x 10000 pixels, over the limit" in refused(tmp_path / "huge.avi")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mov", "mp4v"), ("a.mkv", "MJPG"), ("a.mp4", "mp4v"), ("a.avi", "XVID")]
)
def test_kinds_of_video(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 120, (64, 48))
    if not writer.isOpened():
        pytest.skip(f"this OpenCV writes no {name}")
    for level in range(10):
        writer.write(np.full((48, 64, 3), level * 20, np.uint8))
    writer.release()
    clip = read_clip(path)
    assert (clip.fps, clip.size, len(clip)) == (120, (64, 48), 10)
    assert clip.times == pytest.approx(np.arange(10) / 120, abs=1e-3)
    levels = [float(frame.mean()) for frame in clip.frames]
    assert levels == pytest.approx([20 * k for k in range(10)], abs=6)
