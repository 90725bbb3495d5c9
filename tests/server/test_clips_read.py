"""Reading source clips: right pixels and times, and one clear line for what cannot be used."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.server.clips.images import natural_key, read_picture
from microface.server.clips.read import Limits, read_clip

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


def bomb(path: Path, width: int, height: int) -> None:
    """Write a PNG whose header claims a size that its data does not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


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
