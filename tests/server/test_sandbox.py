"""Clips are decoded in a process that can be killed, within limits."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from microface.errors import InputError, MicrofaceError, RunError
from microface.server.clips.read import Limits, read_clip
from microface.server.protocol.content import BytesContent, bundle_content, clip_content
from microface.server.sandbox import Decoding, SandboxLimits, decoded


def png(width: int, height: int) -> bytes:
    """A PNG of one colour, small as a file however large it claims to be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compressobj(9)
    row = bytes(1 + width)
    data = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def wait(decoding: Decoding) -> None:
    """Wait until decoding has ended."""
    while not decoding.poll():
        time.sleep(0.005)


def refused(path: Path, limits: SandboxLimits | None = None) -> MicrofaceError:
    """The error that decoding a clip ends with."""
    with pytest.raises(MicrofaceError) as error, decoded(path, Fraction(25), limits):
        pass
    return error.value


def test_it_gives_what_reading_gives(clip_folder: Path, clip_frames: np.ndarray[Any, Any]) -> None:
    fps = Fraction(24000, 1001)
    here = read_clip(clip_folder, fps)
    with decoded(clip_folder, fps) as there:
        np.testing.assert_array_equal(np.stack(there.frames), clip_frames)
        np.testing.assert_array_equal(there.times, here.times)
        assert (there.fps, there.name, there.sha256) == (here.fps, here.name, here.sha256)


def test_a_folder_arrives_as_a_bundle(tmp_path: Path, clip_folder: Path) -> None:
    content, kind = clip_content(clip_folder)
    assert kind == "frames"
    path = tmp_path / "bundle"
    path.write_bytes(content.read(0, content.size))
    decoding = Decoding(path, Fraction(25), kind="bundle", name="small", into=tmp_path)
    wait(decoding)
    clip = decoding.clip()
    assert (clip.name, len(clip)) == ("small", 12)
    decoding.close()
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_builtin_clip_is_named(tmp_path: Path) -> None:
    decoding = Decoding(Path("x"), None, kind="builtin", name="no-such-clip", into=tmp_path)
    wait(decoding)
    with pytest.raises(InputError, match="no-such-clip"):
        decoding.clip()
    decoding.close()


@pytest.mark.parametrize("kind", ["frames", "bundle"])
def test_a_bomb_is_refused_quickly_and_small(tmp_path: Path, kind: str) -> None:
    bombs = tmp_path / "bombs"
    bombs.mkdir()
    bomb = png(7000, 7000)
    assert len(bomb) < 100_000
    for index in range(2):
        (bombs / f"{index}.png").write_bytes(bomb)
    path, name = bombs, None
    if kind == "bundle":
        content, _ = clip_content(bombs)
        path, name = tmp_path / "bundle", "bombs"
        path.write_bytes(content.read(0, content.size))
    decoding = Decoding(path, Fraction(25), kind=kind, name=name, into=tmp_path)
    process = psutil.Process(decoding._child.pid)
    highest = 0
    while not decoding.poll():
        try:
            highest = max(highest, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.005)
    wait(decoding)
    with pytest.raises(InputError, match="pixels"):
        decoding.clip()
    assert highest < 256 << 20
    decoding.close()


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
def test_memory_is_limited(tmp_path: Path) -> None:
    for index in range(2):
        (tmp_path / f"{index}.png").write_bytes(png(4000, 4000))
    limits = SandboxLimits(memory_bytes=300 << 20)
    error = refused(tmp_path, limits)
    assert isinstance(error, InputError)
    assert re.search("memory|cannot be decoded|pixels", error.what)


def test_time_is_limited_and_the_process_gone(clip_folder: Path, tmp_path: Path) -> None:
    limits = SandboxLimits(seconds=0.05)
    decoding = Decoding(clip_folder, Fraction(25), limits, into=tmp_path)
    wait(decoding)
    with pytest.raises(InputError, match="too long"):
        decoding.clip()
    assert decoding._child.poll() is not None
    decoding.close()
    assert not list(tmp_path.iterdir())


def test_closing_ends_a_decoding_that_runs(clip_folder: Path, tmp_path: Path) -> None:
    decoding = Decoding(clip_folder, Fraction(25), into=tmp_path)
    decoding.close()
    assert decoding._child.returncode is not None
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
def test_a_full_disk_is_told_as_one(clip_folder: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, before[1]))  # the frames take 147 kB
    try:
        error = refused(clip_folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(error, RunError)
    assert "small cannot be decoded here" in error.what and "has room" in error.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="processes as POSIX has them")
def test_what_a_killed_run_decoded_is_swept_up(
    clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"microface-clip-{ended.pid}-x"
    left.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with decoded(clip_folder, Fraction(25)) as clip:
        assert len(clip) == 12
    assert not list(tmp_path.iterdir())


def test_limits_reach_the_process(clip_folder: Path) -> None:
    limits = SandboxLimits(clip=Limits(max_frames=5))
    assert "more than 5 frames" in refused(clip_folder, limits).what


def test_a_hostile_bundle_writes_nothing_elsewhere(tmp_path: Path) -> None:
    whole = bundle_content([("../../escaped.png", BytesContent(b"x"))])
    path = tmp_path / "bundle"
    path.write_bytes(whole.read(0, whole.size))
    into = tmp_path / "a" / "b"
    into.mkdir(parents=True)
    decoding = Decoding(path, Fraction(25), kind="bundle", name="x", into=into)
    wait(decoding)
    with pytest.raises(InputError, match="bundle"):
        decoding.clip()
    decoding.close()
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "a", into, path]


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Frames go to the disk as they are decoded; ten times as many take no more memory."""
    peaks = []
    for count in (20, 120):
        folder = tmp_path / str(count)
        folder.mkdir()
        picture = png(600, 600)
        for index in range(count):
            (folder / f"{index}.png").write_bytes(picture)
        decoding = Decoding(folder, Fraction(25), into=tmp_path)
        process = psutil.Process(decoding._child.pid)
        peak, seen = 0, set()
        while not decoding.poll():
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            seen.add(decoding.progress())
            time.sleep(0.005)
        assert len(decoding.clip()) == count
        assert decoding.progress() == 1.0
        peaks.append(peak)
        decoding.close()
    assert any(share is not None and 0 < share < 1 for share in seen)
    assert peaks[1] - peaks[0] < 30 << 20  # its frames are 130 MB
