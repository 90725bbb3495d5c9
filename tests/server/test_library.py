"""The clip library: nothing twice, everything found again."""

from __future__ import annotations

import datetime
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.errors import InputError
from microface.server.clips.library.consent import Consent
from microface.server.clips.library.entry import cut_out, entry_from_json
from microface.server.clips.library.library import ClipLibrary, clip_record
from microface.server.clips.library.profile import Profile
from microface.server.clips.library.query import Query, UnitQuery
from microface.server.clips.library.thumbnails import strip_indexes
from microface.server.clips.read import read_clip
from microface.server.clips.records import ActionUnit, ClipRecord
from PIL import Image

from .libraries import open_library, record


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


def test_subjects_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    with open_library(tmp_path / "library") as library:
        for subject in ("17", "9", "anna", "1"):
            library.import_clip(record(tmp_path, subject=subject))
        assert [entry.subject for entry in library.find()] == ["anna", "1", "9", "17"]


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
