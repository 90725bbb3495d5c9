"""A folder of results is whole or not there."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from microface.commands.output import whole_folder
from microface.errors import InputError, RunError

PARTS = ("a.txt",)

WRITER = """
import signal, sys, time, types
from pathlib import Path
from microface import commands
from microface.commands.output import whole_folder

def run(arguments):
    with whole_folder(Path(sys.argv[1]), ("a.txt",), force=False) as folder:
        (folder / "a.txt").write_text("half")
        print("writing", flush=True)
        time.sleep(60)

# As in a terminal: whoever runs the tests may ignore it, as nohup does, and so would this.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
commands.parser = lambda: types.SimpleNamespace(
    parse_args=lambda _: types.SimpleNamespace(run=run)
)
sys.exit(commands.main([]))
"""


def write(out: Path, *, force: bool = False) -> None:
    with whole_folder(out, PARTS, force=force) as folder:
        (folder / "a.txt").write_text("whole")


def start_writer(out: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(out)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def test_it_appears_whole(tmp_path: Path) -> None:
    write(tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        whole_folder(tmp_path / "out", PARTS, force=False) as folder,
    ):
        (folder / "a.txt").write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_named_with_its_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=r"out cannot be written whole.*Make room"),
        whole_folder(tmp_path / "out", PARTS, force=False) as folder,
    ):
        (folder / "a.txt").write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_only_an_earlier_result_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    with pytest.raises(InputError, match="not empty"):
        write(out)
    write(out, force=True)
    (out / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match=r"mine\.txt"):
        write(out, force=True)
    assert (out / "mine.txt").read_text() == "precious"


def test_the_quicker_of_two_runs_keeps_its_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        pytest.raises(InputError, match="not empty"),
        whole_folder(out, PARTS, force=False) as folder,
    ):
        (folder / "a.txt").write_text("late")
        write(out)
    assert (out / "a.txt").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_polite_kill_and_a_closed_terminal_leave_nothing(tmp_path: Path, name: str) -> None:
    process = start_writer(tmp_path / "out")
    process.send_signal(getattr(signal, name))
    assert process.wait(10) == 130
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="asks the system for a process by number")
def test_a_hard_kill_is_swept_up_by_the_next_run(tmp_path: Path) -> None:
    process = start_writer(tmp_path / "out")
    process.kill()
    process.wait(10)
    assert len(list(tmp_path.iterdir())) == 1
    write(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(os.name != "posix", reason="asks the system for a process by number")
def test_a_draft_in_the_making_is_left_alone(tmp_path: Path) -> None:
    process = start_writer(tmp_path / "out")
    try:
        write(tmp_path / "out")
        time.sleep(0.05)
        assert len(list(tmp_path.iterdir())) == 2
    finally:
        process.kill()
        process.wait(10)
