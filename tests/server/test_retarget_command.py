"""`microface retarget`: a whole result, or one line and nothing."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from microface.commands import main
from microface.commands.retarget import runs
from microface.server.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with EmbeddedServer(threads=1) as server:
        yield server.address


@pytest.fixture(scope="module")
def character(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture with a face: a frame of a built-in clip."""
    from microface.server.clips.builtin import builtin_clip

    path = tmp_path_factory.mktemp("character") / "neutral.png"
    cv2.imwrite(str(path), np.asarray(builtin_clip("brow-lower").frames[0])[..., ::-1])
    return path


def command(character: Path, clip: object, out: Path, *more: str) -> list[str]:
    return [
        "retarget",
        "--character",
        str(character),
        "--clip",
        str(clip),
        "--out",
        str(out),
        *more,
    ]


def folder_of(path: Path, frames: list[np.ndarray]) -> Path:
    path.mkdir(parents=True)
    for index, frame in enumerate(frames):
        cv2.imwrite(str(path / f"{index}.png"), frame[..., ::-1])
    return path


def face_frames(count: int) -> list[np.ndarray]:
    from microface.server.clips.builtin import builtin_clip

    return [np.asarray(f) for f in builtin_clip("lip-corner-left").frames[:count]]


def test_whole_result(
    character: Path, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = folder_of(tmp_path / "clip", face_frames(3))
    out = tmp_path / "new" / "out"
    assert main(command(character, clip, out, "--fps", "24000/1001", "--server", address)) == 0
    assert sorted(p.name for p in out.iterdir()) == ["edges", "frames", "motion.npz", "result.json"]
    neutral = cv2.imread(str(character))
    for index in range(3):
        frame = cv2.imread(str(out / "frames" / f"{index:06d}.png"))
        edge = cv2.imread(str(out / "edges" / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert frame.shape == neutral.shape and edge.shape == neutral.shape[:2]
    # The clip is measured from its mean at rest: what a frame's own noise moves is hardly seen.
    first = cv2.imread(str(out / "frames" / "000000.png"))
    assert (first != neutral).mean() < 0.005
    assert cv2.absdiff(first, neutral).max() < 8
    flow = np.load(out / "motion.npz")["flow"]
    assert flow.dtype == np.float16 and flow.shape == (3, *neutral.shape[:2], 2)
    result = json.loads((out / "result.json").read_text())
    assert result["frames"] == 3 and result["fps"] == "24000/1001"
    assert {"decode", "align", "motion", "generate", "encode", "transport"} <= set(
        result["seconds"]
    )
    assert {"onset", "apex", "offset", "settings", "model", "clip", "character"} <= set(result)
    assert result["settings"]["strength"] == 1.0
    assert "3 frames" in capsys.readouterr().out
    assert not [p for p in out.parent.iterdir() if p != out]


def test_force_replaces_only_results(character: Path, address: str, tmp_path: Path) -> None:
    clip = folder_of(tmp_path / "clip", face_frames(2))
    out = tmp_path / "out"
    arguments = command(character, clip, out, "--fps", "200", "--server", address)
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert main([*arguments, "--force"]) == 0
    (out / "mine.txt").write_text("keep")
    assert main([*arguments, "--force"]) == 2
    assert (out / "mine.txt").read_text() == "keep"


def refused(
    arguments: list[str], out: Path, capsys: pytest.CaptureFixture[str], status: int = 2
) -> str:
    before = {p.name for p in out.parent.iterdir()}
    assert main(arguments) == status
    said = capsys.readouterr().err.strip().splitlines()
    problem = [line for line in said if line.startswith("microface: ")]
    assert len(problem) == 1
    assert {p.name for p in out.parent.iterdir()} == before
    return problem[0]


def test_missing_inputs(
    character: Path, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    absent = tmp_path / "absent"
    assert "absent" in refused(command(absent, absent, out), out, capsys)
    assert "absent" in refused(command(character, absent, out), out, capsys)
    clip = folder_of(tmp_path / "clip", face_frames(2))
    assert "--fps" in refused(command(character, clip, out, "--server", address), out, capsys)
    weak = command(character, clip, out, "--strength", "9", "--fps", "9")
    assert "strength" in refused(weak, out, capsys)
    file = tmp_path / "file"
    file.write_text("")
    assert "is a file" in refused(command(character, clip, file), out, capsys)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--strength", "0"], "strength"),
        (["--timing", "apex=soon"], "apex=soon"),
        (["--timing", "duration=1", "--timing", "factor=2"], "duration"),
        (["--mix", "0.5"], "--second"),
        (["--second", "builtin:brow-lower", "--mix", "ears=1"], "ears"),
        (["--second", "nowhere.mp4"], "nowhere.mp4"),
        (["--neutral", "nowhere.png"], "nowhere.png"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    character: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    out = tmp_path / "out"
    arguments = command(character, "builtin:lip-corner-left", out, *more)
    assert said in refused(arguments, out, capsys)


def test_a_frame_that_is_not_there_is_one_line(
    character: Path, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, out = folder_of(tmp_path / "clip", face_frames(2)), tmp_path / "out"
    more = ("--fps", "100", "--server", address, "--neutral", "2")
    assert "no frame 2" in refused(command(character, clip, out, *more), out, capsys)


@pytest.mark.slow
def test_other_times_two_clips_and_a_neutral(character: Path, address: str, tmp_path: Path) -> None:
    from microface.server.clips.builtin import builtin_clip

    moving = [np.asarray(builtin_clip("lip-corner-left").frames[i]) for i in (2, 14, 25)]
    rest = folder_of(tmp_path / "rest", face_frames(1)) / "0.png"
    other = folder_of(tmp_path / "other", [moving[0], moving[2]])
    clip, out = folder_of(tmp_path / "clip", moving[1:]), tmp_path / "out"
    arguments = command(character, clip, out, "--fps", "10", "--server", address)
    arguments += ["--timing", "factor=2", "--neutral", str(rest)]
    arguments += ["--second", str(other), "--second-fps", "5", "--mix", "right=0.5"]
    assert main([*arguments, "--align", "start"]) == 0
    flow = np.load(out / "motion.npz")["flow"].astype(np.float32)
    result = json.loads((out / "result.json").read_text())
    assert result["times"] == pytest.approx([0, 0.1, 0.2]) and flow.shape[0] == 3
    assert result["neutral_frame"] is None and result["second"]["name"] == "other"
    assert result["settings"]["mix"] == "right=0.5" and result["settings"]["rest"] == "0.png"
    # Measured from its rest the first frame moves; the picture's right half is the subject's left.
    assert np.abs(flow[0, :, 160:]).max() > 0.3


def test_unusable_clips(
    character: Path, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    more = ("--fps", "100", "--server", address)
    noise = [np.random.default_rng(s).integers(0, 255, (200, 200, 3), np.uint8) for s in (0, 1)]
    clip = folder_of(tmp_path / "noise", noise)
    assert "no face" in refused(command(character, clip, out, *more), out, capsys)
    clip = folder_of(tmp_path / "one", face_frames(1))
    assert "one frame" in refused(command(character, clip, out, *more), out, capsys)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing" * 1000)
    assert "broken" in refused(command(character, broken, out, *more), out, capsys)
    clip = folder_of(tmp_path / "bomb", face_frames(2))
    write_bomb(clip / "9.png", 5000, 4000)
    assert "5000 x 4000" in refused(command(character, clip, out, *more), out, capsys)
    assert "5000 x 4000" in refused(command(clip / "9.png", clip, out, *more), out, capsys)
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((256, 256, 3), 90, np.uint8))
    clip = folder_of(tmp_path / "good", face_frames(2))
    said = refused(command(blank, clip, out, *more), out, capsys)
    assert "no face" in said and "character" in said


def write_bomb(path: Path, width: int, height: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(height * (1 + 3 * width)))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def test_server_that_is_not_there(
    character: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = folder_of(tmp_path / "clip", face_frames(2))
    out = tmp_path / "out"
    arguments = command(character, clip, out, "--fps", "100", "--server", "tcp://127.0.0.1:9")
    assert "127.0.0.1:9" in refused(arguments, out, capsys)


@pytest.mark.slow
def test_server_that_dies_leaves_nothing(character: Path, tmp_path: Path) -> None:
    frames = face_frames(2) * 30
    clip = folder_of(tmp_path / "clip", frames)
    out = tmp_path / "here" / "out"
    out.parent.mkdir()
    others = {p.pid for p in psutil.Process().children(recursive=True)}
    with EmbeddedServer(threads=1) as server:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "microface",
                *command(character, clip, out, "--fps", "100", "--server", server.address),
            ],
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        assert child.stderr is not None
        for line in child.stderr:
            if "generate" in line:
                break
        for process in psutil.Process().children(recursive=True):
            if process.pid not in others | {child.pid}:
                process.kill()
        rest = child.stderr.read()
        assert child.wait(60) in (1, 2)
    assert len([line for line in rest.splitlines() if line.startswith("microface: ")]) == 1
    assert not list(out.parent.iterdir())


def test_embedded_server_leaves_no_process(character: Path, tmp_path: Path) -> None:
    clip = folder_of(tmp_path / "clip", face_frames(2))
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    assert main(command(character, clip, tmp_path / "out", "--fps", "100")) == 0
    assert {p.pid for p in psutil.Process().children(recursive=True)} <= before


def test_progress_is_lines_in_a_log(
    character: Path, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = folder_of(tmp_path / "clip", face_frames(2))
    main(command(character, clip, tmp_path / "out", "--fps", "100", "--server", address))
    lines = capsys.readouterr().err.splitlines()
    assert "retarget: generate 100%" in lines
    assert all("\r" not in line for line in lines)


def test_frames_are_told_in_runs() -> None:
    assert runs([3, 4, 5, 7, 9, 10]) == "3-5, 7, 9-10"
    assert runs([0]) == "0"
