"""The clip library: nothing twice, nothing half, everything found again."""

from __future__ import annotations

import contextlib
import datetime
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

import cv2
import numpy as np
import pytest
from microface.errors import InputError, RunError
from microface.server.clips.library.consent import Consent
from microface.server.clips.library.entry import cut_out, entry_from_json
from microface.server.clips.library.library import ClipLibrary, clip_record
from microface.server.clips.library.profile import Profile
from microface.server.clips.library.query import Query, UnitQuery
from microface.server.clips.library.thumbnails import strip_indexes
from microface.server.clips.read import read_clip
from microface.server.clips.records import ActionUnit, ClipRecord
from PIL import Image


def quick(path: Path, fps: Fraction | None) -> contextlib.AbstractContextManager[object]:
    """Reads in this process; what the sandbox gives is tested elsewhere."""
    return contextlib.nullcontext(read_clip(path, fps))


def folder_of(path: Path, seed: int, count: int = 9) -> tuple[Path, ...]:
    path.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    files = []
    for index in range(count):
        file = path / f"img{index + 1}.png"
        cv2.imwrite(str(file), rng.integers(0, 255, (48, 64, 3), np.uint8))
        files.append(file)
    return tuple(files)


def record(tmp_path: Path, seed: int = 0, **more: object) -> ClipRecord:
    path = tmp_path / f"source{seed}"
    frames = tuple(sorted(path.iterdir())) if path.exists() else folder_of(path, seed)
    values: dict[str, object] = {
        "subject": "s1", "clip": f"c{seed}", "path": path, "frames": frames, "fps": Fraction(100),
        "onset": 1, "apex": 4, "offset": 7, "units": (ActionUnit(12, "left"), ActionUnit(4)),
        "emotion": "happiness", "valence": "positive", "data_set": "CASME II",
    }  # fmt: skip
    return ClipRecord(**(values | more))  # type: ignore[arg-type]


def open_library(folder: Path) -> ClipLibrary:
    return ClipLibrary(folder, create=True, decode=quick)  # type: ignore[arg-type]


def test_a_clip_comes_in_once(tmp_path: Path) -> None:
    with open_library(tmp_path / "library") as library:
        entry, new = library.import_clip(record(tmp_path))
        assert new
        assert (entry.frames, entry.width, entry.height, entry.fps) == (9, 64, 48, 100)
        assert entry.event_seconds == pytest.approx(0.06)
        # Digest and pictures are those that reading the clip gives.
        here, there = read_clip(tmp_path / "source0", Fraction(100)), library.source(entry)
        assert entry.sha256 == here.sha256
        for one, other in zip(here.frames, read_clip(there, Fraction(100)).frames, strict=True):
            assert np.array_equal(one, other)
        with Image.open(library.strip(entry)) as picture:
            assert picture.format == "WEBP"
            assert picture.size == (7 * 128 + 6 * 2, 96)
        before = sorted(p for p in (tmp_path / "library").rglob("*"))
        again, new = library.import_clip(record(tmp_path))
        assert (again, new) == (entry, False)
        assert sorted(p for p in (tmp_path / "library").rglob("*")) == before
        # A second annotation of the same content shares its pictures.
        other, new = library.import_clip(record(tmp_path, onset=2))
        assert new and other.sha256 == entry.sha256 and other.id != entry.id
        assert library.source(other) == there
        assert library.damaged() == []
    with open_library(tmp_path / "library") as library:
        assert {e.id for e in library.find()} == {entry.id, other.id}
        assert library.one(entry.id[:12]) == entry
        with pytest.raises(InputError, match="2 clips begin"):
            library.one(entry.sha256[:10])
    assert entry_from_json(entry.to_json()) == entry


def test_a_video_comes_in_with_its_own_rate(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 50, (64, 64))
    for level in range(8):
        writer.write(np.full((64, 64, 3), level * 20, np.uint8))
    writer.release()
    # Once with the sandbox, as the command does.
    with ClipLibrary(tmp_path / "library", create=True) as library:
        entry, _ = library.import_clip(clip_record(path, None), own_rate=True)
        assert entry.fps == 50
        assert entry.sha256 == read_clip(path).sha256
        assert library.source(entry).name == "clip.avi"


def test_searches(tmp_path: Path) -> None:
    with open_library(tmp_path / "library") as library:
        smile, _ = library.import_clip(record(tmp_path, 0))
        frown, _ = library.import_clip(
            record(
                tmp_path,
                1,
                subject="s2",
                emotion="disgust",
                valence="negative",
                offset=3,
                units=(ActionUnit(4, sure=False), ActionUnit(9)),
                data_set="SAMM",
            )
        )
        bare, _ = library.import_clip(
            record(tmp_path, 2, onset=None, units=(), emotion=None, valence=None, kind="macro")
        )

        def found(**query: object) -> set[str]:
            return {e.id for e in library.find(Query(**query))}  # type: ignore[arg-type]

        assert found() == {smile.id, frown.id, bare.id}
        assert found(units=(UnitQuery(4),)) == {smile.id, frown.id}
        assert found(units=(UnitQuery(4, sure=True),)) == {smile.id}
        assert found(units=(UnitQuery(4), UnitQuery(9))) == {frown.id}
        assert found(units=(UnitQuery(12, "left"),)) == {smile.id}
        assert found(units=(UnitQuery(12, "right"),)) == set()
        assert found(emotion="Happiness") == found(emotion="positive") == {smile.id}
        assert found(shortest=0.03) == {smile.id}
        assert found(longest=0.03) == {frown.id}
        assert found(asymmetric=True) == {smile.id}
        assert found(asymmetric=False) == {frown.id, bare.id}
        assert found(data_set="samm") == found(subject="S2") == {frown.id}
        assert found(kind="macro") == {bare.id}
        assert found(subject="'; DROP TABLE entries; --") == set()


def test_consent(tmp_path: Path) -> None:
    day = datetime.date(2026, 11, 21)
    with open_library(tmp_path / "library") as library:
        entry, _ = library.import_clip(record(tmp_path))
        made, _ = library.import_clip(record(tmp_path, 1, data_set="synthetic"))
        assert library.consent(entry, day) == "none"
        assert library.consent(made, day) == "synthetic"
        until = Consent("animation", "show", day, "0" * 64)
        library.set_consent("CASME II", "s1", until)
        assert library.consent(entry, day) == "granted"
        assert library.consent(entry, day + datetime.timedelta(1)) == "expired"
        library.set_consent("CASME II", "s1", Consent(revoked=True))
        assert library.consent(entry, day) == "revoked"
    # The index can be lost: entries and consents are made again from their files.
    (tmp_path / "library" / "index.sqlite").unlink()
    with open_library(tmp_path / "library") as library:
        assert {e.id for e in library.find()} == {entry.id, made.id}
        assert library.consent(entry, day) == "revoked"
    with pytest.raises(InputError, match="no SHA-256"):
        Consent(release_sha256="release.pdf")


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


def test_a_profile_is_kept_beside_its_clip(tmp_path: Path) -> None:
    profile = Profile((0.0, 0.01, 0.02), (0.0, 0.5, 0.1), 0.0, 0.01, None)
    with open_library(tmp_path / "library") as library:
        entry, _ = library.import_clip(record(tmp_path))
        assert library.profile(entry) is None
        library.keep_profile(entry, profile)
    with open_library(tmp_path / "library") as library:
        assert library.profile(entry) == profile
        assert library.damaged() == []
        (path,) = (tmp_path / "library").rglob("profiles/*.json")
        path.write_text('{"seconds": [0], "pixels": []}')
        assert library.profile(entry) is None


def test_a_long_recording_is_cut_to_its_event() -> None:
    frames = tuple(Path(f"{n}.jpg") for n in range(1000))
    long = ClipRecord(
        "s", "c", Path(), frames, Fraction(30), 400, 405, 410, (), None, None, "CAS(ME)^2"
    )
    cut = cut_out(long, 1.0, 10.0)
    assert cut.frames == frames[370:441]
    assert (cut.onset, cut.apex, cut.offset) == (30, 35, 40)
    assert "370 to 440 of 1000" in cut.notes[0]
    assert cut_out(long, 1.0, 60.0) is long


@pytest.mark.parametrize(
    ("frames", "phases", "indexes"),
    [
        (41, (0, 13, 40), [0, 7, 13, 20, 27, 33, 40]),
        (41, (None, None, None), [0, 7, 13, 20, 27, 33, 40]),
        (3, (0, 1, 2), [0, 1, 2]),
        (5, (2, None, 99), [2, 3, 4]),
    ],
)
def test_strips_show_the_event(
    frames: int, phases: tuple[int | None, int | None, int | None], indexes: list[int]
) -> None:
    assert strip_indexes(frames, *phases) == indexes


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
