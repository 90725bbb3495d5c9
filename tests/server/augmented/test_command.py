"""The command: whole through kills, gone on with, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from microface.commands import main
from microface.server.clips.datasets.catalogue import read_data_set
from microface.server.embedded import EmbeddedServer

from ...full_disk import largest_file
from .asking import arguments, contents


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_kills_cost_only_the_clip_that_was_being_made(
    whole: Path, materials: Path, server: EmbeddedServer, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    command = [sys.executable, "-m", "microface", *arguments(materials, server, out)]
    made: dict[Path, float] = {}
    for at_least in (1, 3):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            drafts = list(out.glob(".augment/drafts/.clip.draft-*/img[34].png"))
            if drafts and len(list(out.glob("CASME2-RAW/*/*"))) >= at_least:
                break
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not (out / "manifest.json").exists()
        there = {p: p.stat().st_mtime for p in out.glob("CASME2-RAW/*/*/*.png")}
        assert len(there) % 8 == 0 and len(there) >= 8 * at_least
        assert made.items() <= there.items()  # nothing is made twice
        made = there
    assert main(arguments(materials, server, out)) == 0
    assert {p: p.stat().st_mtime for p in made} == made
    assert contents(out) == contents(whole)
    assert not list(out.glob(".augment/drafts/*/*"))


def test_a_whole_set_is_left_alone_and_mended(
    whole: Path,
    materials: Path,
    server: EmbeddedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = contents(whole)
    assert main(arguments(materials, server, whole)) == 0
    assert "8 clips of 2 characters" in capsys.readouterr().out
    assert contents(whole) == before
    next(whole.glob("CASME2-RAW/*/*/img5.png")).unlink()
    assert main(arguments(materials, server, whole)) == 0
    assert contents(whole) == before
    # Other options make another data set, which takes --force.
    assert main(arguments(materials, server, whole, "--most", "1")) == 2
    assert "--force" in capsys.readouterr().err
    assert contents(whole) == before
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "thesis.tex").touch()
    assert main(arguments(materials, server, strange, "--force")) == 2
    assert "thesis.tex" in capsys.readouterr().err
    assert [p.name for p in strange.iterdir()] == ["thesis.tex"]


def test_a_clip_that_cannot_be_made_is_told(
    materials: Path, server: EmbeddedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    command = arguments(materials, server, out, "--variants", "1", "--sheet", "csv")
    command[command.index(str(materials / "one.png"))] = str(materials / "faceless.png")
    assert main(command) == 0
    printed = capsys.readouterr()
    assert printed.err.count("There is no face in the clip") == 2
    manifest = json.loads((out / "manifest.json").read_text())
    assert len(manifest["clips"]) == 2 and len(manifest["left_out"]) == 3
    assert len(read_data_set("casme2", out).records) == 2
    assert not list(out.glob("CASME2-RAW/sub01/*"))


@pytest.mark.skipif(os.name != "posix", reason="limits files as POSIX does")
def test_a_full_disk_is_one_line_and_costs_nothing(
    materials: Path, server: EmbeddedServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    command = arguments(materials, server, out, "--most", "2")
    with largest_file(4000):  # a picture takes 7 kB
        assert main(command) == 1
    told = [line for line in capfd.readouterr().err.splitlines() if "augment:" not in line]
    assert len(told) == 1 and f"cannot be written to {out} (File too large)" in told[0]
    assert not out.exists()
    assert main(command) == 0
    before = contents(out)
    next(out.glob("CASME2-RAW/*/*/img5.png")).unlink()
    with largest_file(4000):  # what is there is kept
        assert main(command) == 1
    assert len(list(out.glob("CASME2-RAW/*/*/img1.png"))) == 2
    assert main(command) == 0
    assert contents(out) == before


@pytest.mark.slow
def test_a_server_that_is_not_there_is_no_fault_of_a_clip(
    materials: Path, server: EmbeddedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    command = arguments(materials, server, out, "--most", "1")
    absent = [word.replace(server.address, "tcp://127.0.0.1:1") for word in command]
    assert main(absent) == 2
    assert "No Microface server answers" in capsys.readouterr().err
    assert not out.exists()
    assert main(command) == 0
    assert "1 clip of 2 characters" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--clip", "smile.mp4"], "has no labels"),
        (["--clip", "builtin:grin"], "no built-in clip 'grin'"),
        (["--subject", "eve"], "eve c2 (studio): consent expired"),
        (["--subject", "nobody"], "no clip that may be used"),
        (["--character", "absent.png"], "no character 'absent.png'"),
        (["--character", "hero.blend"], "whose face"),
        (["--strength", "strong"], "strength 'strong'"),
        (["--size", "64", "--character", "ada"], "size of 64"),
    ],
)
def test_bad_options_are_one_line_and_nothing(
    materials: Path,
    server: EmbeddedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    told: str,
) -> None:
    assert main(arguments(materials, server, tmp_path / "set", *more)) == 2
    (line,) = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("microface:")
    ]
    assert told in line
    assert not (tmp_path / "set").exists()
