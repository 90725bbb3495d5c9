"""The clip library: nothing half after kills, and what is damaged is told."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import pytest
from microface.errors import InputError, RunError
from microface.server.clips.library.library import ClipLibrary, clip_record
from microface.server.clips.read import read_clip

from .libraries import folder_of, open_library, record


def test_what_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clip library"):
        ClipLibrary(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(InputError, match="something else"):
        open_library(tmp_path / "full")
    with open_library(tmp_path / "library") as library:
        with pytest.raises(InputError, match="missing"):
            library.import_clip(record(tmp_path, frames=()))
        broken = tmp_path / "broken"
        broken.mkdir()
        for index in range(2):
            (broken / f"{index}.png").write_bytes(b"no picture")
        with pytest.raises(InputError, match=r"0\.png"):
            library.import_clip(clip_record(broken, Fraction(100)))
        assert library.find() == []
        assert not list((tmp_path / "library" / "incoming").iterdir())
        with pytest.raises(InputError, match="--fps"):
            clip_record(broken, None)
    index = tmp_path / "library" / "index.sqlite"
    index.write_bytes(b"no database" * 100)
    with pytest.raises(RunError, match="damaged"):
        open_library(tmp_path / "library")


def test_a_newer_index_is_refused(tmp_path: Path) -> None:
    open_library(tmp_path / "library").__exit__()
    with contextlib.closing(sqlite3.connect(tmp_path / "library" / "index.sqlite")) as base:
        base.execute("PRAGMA user_version = 99")
        base.commit()
    with pytest.raises(InputError, match="newer"):
        open_library(tmp_path / "library")


def test_a_file_that_has_changed_is_found(tmp_path: Path) -> None:
    with open_library(tmp_path / "library") as library:
        entry, _ = library.import_clip(record(tmp_path))
        picture = next(library.source(entry).iterdir())
        picture.write_bytes(picture.read_bytes() + b"x")
        assert library.damaged() == [entry]
        picture.write_bytes(picture.read_bytes()[:-1])
        assert library.damaged() == []
        (annotation,) = (tmp_path / "library").rglob("entries/*.json")
        annotation.write_text("{")
        assert library.damaged() == [entry] and library.unread == ()
    (tmp_path / "library" / "index.sqlite").unlink()
    with open_library(tmp_path / "library") as library:
        assert library.find() == [] and library.unread == (annotation,)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_ends_a_copy_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    def fails(handle: int) -> None:
        raise fault

    clip = record(tmp_path)
    with open_library(tmp_path / "library") as library:
        monkeypatch.setattr(os, "fsync", fails)
        with pytest.raises(InputError if isinstance(fault, OSError) else KeyboardInterrupt):
            library.import_clip(clip)
    assert not list((tmp_path / "library" / "incoming").iterdir())


@pytest.mark.parametrize("text", ["{bad", "[{}]", "[1]", '[{"data_set": "", "subject": "a"}]', "7"])
def test_damaged_consents_are_told_and_not_taken_for_none(tmp_path: Path, text: str) -> None:
    open_library(tmp_path / "library").__exit__()
    (tmp_path / "library" / "index.sqlite").unlink()
    (tmp_path / "library" / "consents.json").write_text(text)
    with pytest.raises(InputError, match=r"consents\.json is damaged"):
        open_library(tmp_path / "library")


def test_a_file_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "library"):
        with pytest.raises(InputError, match="cannot be made a clip library"):
            open_library(place)


IMPORTER = """
import contextlib, sys
from fractions import Fraction
from pathlib import Path
from microface.server.clips.library.library import ClipLibrary, clip_record
from microface.server.clips.read import read_clip
quick = lambda path, fps: contextlib.nullcontext(read_clip(path, fps))
print("ready", flush=True)
with ClipLibrary(Path(sys.argv[1]), create=True, decode=quick) as library:
    for folder in sorted(Path(sys.argv[2]).iterdir()):
        library.import_clip(clip_record(folder, Fraction(100), subject=folder.name))
print("done", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_kills_in_mid_import_leave_nothing_half(tmp_path: Path) -> None:
    count = 24
    for seed in range(count):
        folder_of(tmp_path / "sources" / f"p{seed:02d}", seed, 12)
    library, sources = tmp_path / "library", tmp_path / "sources"
    rng = random.Random(5)
    kills = had = 0
    while True:
        command = [sys.executable, "-c", IMPORTER, str(library), str(sources)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if kills < 6:
            time.sleep(rng.uniform(0.0, 0.25))
            child.send_signal(signal.SIGKILL)
        told = child.stdout.read()
        child.wait()
        if told == "done\n":
            break
        kills += 1
        # Nothing that was in is lost, and what is in is whole.
        with open_library(library) as seen:
            assert seen.damaged() == []
            for entry in seen.find():
                assert len(read_clip(seen.source(entry), entry.fps)) == 12
                assert seen.strip(entry).exists()
            now = len(seen.find())
            assert now >= had
            had = now
    assert kills >= 3
    with open_library(library) as seen:
        assert sorted(e.subject for e in seen.find()) == [f"p{n:02d}" for n in range(count)]
        assert seen.damaged() == []
        seen.import_clip(clip_record(sources / "p00", Fraction(100), subject="p00"))
    assert not list((library / "incoming").iterdir())
    assert len(list((library / "clips").glob("*/*"))) == count


def test_many_read_while_one_writes(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    records = [record(tmp_path, seed) for seed in range(8)]
    open_library(folder).__exit__()
    stop = threading.Event()
    faults: list[BaseException] = []
    seen: list[int] = []

    def read() -> None:
        last = 0
        try:
            while not stop.is_set():
                with open_library(folder) as library:
                    found = library.find()
                assert len(found) >= last
                last = len(found)
        except (AssertionError, InputError, RunError, sqlite3.Error) as fault:
            faults.append(fault)
        seen.append(last)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    with open_library(folder) as library:
        for one in records:
            library.import_clip(one)
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
    with open_library(folder) as library:
        assert len(library.find()) == 8
