"""`microface clip`: what it prints, and one line for each input that cannot be used."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.commands import main
from microface.server import sandbox
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.datasets.catalogue import read_data_set
from microface.server.clips.library.library import ClipLibrary
from microface.server.clips.synthesize import course_of
from microface.server.clips.unit_curves import read_curves

from ..full_disk import largest_file
from . import copies
from .bombs import bomb
from .libraries import quick

pytest.importorskip("openpyxl")


def clip(*arguments: object) -> int:
    return main(["clip", *map(str, arguments)])


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    """Return what was printed, and the errors' lines without those of progress."""
    out, err = capsys.readouterr()
    return out, [line for line in err.splitlines() if line.startswith("microface:")]


def contents(library: Path) -> list[str]:
    with ClipLibrary(library) as opened:
        return [entry.id for entry in opened.find()]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A library of a copy of CASME II, and the copy."""
    folder = tmp_path_factory.mktemp("clips")
    copy, library = copies.casme2(folder / "CASME2"), folder / "library"
    assert clip("import", "--library", library, "--data-set", "casme2", copy) == 0
    return library, copy


def test_a_set_that_is_not_named_is_asked_for(
    library: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, copy = library
    assert clip("import", "--library", folder, "--fps", "200", copy) == 2
    _, errors = said(capsys)
    assert len(errors) == 1 and "--data-set casme2" in errors[0]


def test_a_set_comes_in_is_found_and_leaves_as_it_came(
    library: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, copy = library
    findings = tmp_path / "found.csv"
    again = ("import", "--library", folder, "--data-set", "casme2", copy, "--findings", findings)
    assert clip(*again) == 0
    out, errors = said(capsys)
    assert errors == []
    assert "0 clips imported" in out and "3 were there" in out and "CASME II: 3 rows" in out
    assert "assumed: 200 frames a second" in out
    assert "row 4: the offset 91 lies before the onset 131" in out
    with findings.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["where"].rpartition(", ")[2] for row in rows} == {"row 3", "row 4"}
    assert clip("list", "--library", folder, "--unit", "L10", "--emotion", "negative") == 0
    out, _ = said(capsys)
    assert out.splitlines()[0].split() == [
        "id", "data", "set", "subject", "clip", "frames", "event", "units", "emotion", "consent",
    ]  # fmt: skip
    assert "EP02_01f" in out and "4+L10" in out and out.endswith("1 clip\n")
    for name in ("casme2", "CASME II"):
        assert clip("list", "--library", folder, "--data-set", name) == 0
        assert said(capsys)[0].endswith("3 clips\n")
    out_folder = tmp_path / "out"
    assert clip("export", "--library", folder, "--pictures", "--out", out_folder) == 0

    def coded(folder: Path) -> set[object]:
        records = read_data_set("casme2", folder).records
        return {(r.onset, r.apex, r.offset, r.units, r.emotion) for r in records}

    assert coded(out_folder) == coded(copy)
    said(capsys)
    assert clip("list", "--library", folder, "--json", "--asymmetric") == 0
    (row,) = json.loads(said(capsys)[0])
    assert row["consent"] == "none" and Path(row["path"]).is_dir()
    assert clip("list", "--library", folder, "--unit", "smile") == 2
    assert "'smile' is no action unit" in said(capsys)[1][0]


def test_bad_clips_are_a_line_each_and_cost_no_other(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (shared / "clips" / "smile.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("This is no video at all.\n" * 40)
    huge = tmp_path / "huge"
    huge.mkdir()
    for index in range(2):
        bomb(huge / f"{index}.png", 30_000, 30_000)
    many = tmp_path / "many"
    many.mkdir()
    cv2.imwrite(str(many / "0.png"), np.zeros((48, 64, 3), np.uint8))
    for index in range(1, 20_001):
        (many / f"{index}.png").hardlink_to(many / "0.png")
    good = shared / "clips" / "frown.mp4"
    library = tmp_path / "library"
    bad = [tmp_path / name for name in ("cut.mp4", "empty.mp4", "text.mp4", "huge", "many")]
    assert clip("import", "--library", library, "--fps", 100, *bad, good) == 2
    out, errors = said(capsys)
    assert "1 clip imported" in out
    assert len(errors) == len(bad)
    for line, path in zip(errors, bad, strict=True):
        assert path.name in line and line.endswith(".")
    whys = ("cut off", "empty", "not a video", "far too large", "more than 20000 frames (20001)")
    for line, why in zip(errors, whys, strict=True):
        assert why in line and "incoming" not in line
    with ClipLibrary(library) as opened:
        assert [entry.clip for entry in opened.find()] == ["frown"]
        assert opened.damaged() == []
    assert not list((library / "incoming").iterdir())


def test_what_is_no_clip_is_a_line_and_costs_no_other(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, library = shared / "clips" / "frown.mp4", tmp_path / "library"
    takes = tmp_path / "takes"
    (takes / "empty").mkdir(parents=True)
    copies.pictures(takes / "unrated", ["1.png", "2.png"])
    (takes / "frown.mp4").hardlink_to(good)
    bad = [tmp_path / "absent.mp4", takes, takes / "empty", takes / "unrated"]
    assert clip("import", "--library", library, *bad) == 2
    assert not library.exists()
    assert clip("import", "--library", library, *bad, good) == 2
    assert len(contents(library)) == 1
    _, errors = said(capsys)
    whys = ("There is no clip at", "holds videos", "holds no pictures", "Give --fps")
    for line, why in zip(errors, whys * 2, strict=True):
        assert why in line


def test_an_export_is_whole_or_not_at_all(
    tmp_path: Path,
    shared: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library, out = tmp_path / "library", tmp_path / "out"
    assert clip("import", "--library", library, shared / "clips" / "frown.mp4") == 0
    capfd.readouterr()
    # The decoder's process has to write more.
    monkeypatch.setattr(sandbox, "decoded", lambda path, fps, limits: quick(path, fps))
    with largest_file(60_000):  # a picture takes twice as much
        assert clip("export", "--library", library, "--pictures", "--out", out) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"microface: {out} cannot be written whole (File too large).")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library"]
    assert clip("export", "--library", library, "--pictures", "--out", out) == 0
    assert len(list(out.glob("CASME2-RAW/unknown/frown_*/img*.png"))) == 60


def test_a_consent_is_somebodys(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, library = shared / "clips" / "frown.mp4", tmp_path / "library"
    release = tmp_path / "release.pdf"
    release.write_bytes(b"I agree.")
    assert clip("import", "--library", library, good, "--consent", release) == 2
    assert "--subject" in said(capsys)[1][0]
    # Of a clip that could not be brought in nothing is kept, so that nobody's next clip is used.
    absent = tmp_path / "absent.mp4"
    named = ("--subject", "anna", "--consent", release)
    assert clip("import", "--library", library, good, "--subject", "ben") == 0
    assert clip("import", "--library", library, absent, *named) == 2
    assert clip("import", "--library", library, good, "--subject", "anna") == 0
    with ClipLibrary(library) as opened:
        assert [opened.consent(entry) for entry in opened.find()] == ["none", "none"]
    assert clip("import", "--library", library, good, *named) == 0
    with ClipLibrary(library) as opened:
        told = {entry.subject: opened.consent(entry) for entry in opened.find()}
    assert told == {"anna": "granted", "ben": "none"}


@pytest.mark.slow
def test_inspect_spot_and_describe_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, events, curves = tmp_path / "p.html", tmp_path / "e.csv", tmp_path / "c.csv"
    smirk = tmp_path / "smirk"
    smirk.mkdir()
    # Every second frame of a smile of the left lip corner, whose apex is at 0.25 s.
    for index, frame in enumerate(builtin_clip("lip-corner-left").frames[6:46:2]):
        cv2.imwrite(str(smirk / f"{index}.png"), np.asarray(frame)[..., ::-1])
    given = (smirk, "--fps", 50)
    assert clip("inspect", *given, "--page", page, "--json") == 0
    seen = json.loads(said(capsys)[0])
    assert seen["fps"] == "50" and seen["frames"] == 20
    assert [w for w in seen["warnings"] if "frames a second" not in w] == []
    (event,) = seen["events"]
    assert event["kind"] == "micro" and event["regions"][0] == "lips"
    assert event["apex"] == pytest.approx(0.19, abs=0.025)
    assert event["apex_frame"] == pytest.approx(event["apex"] * 50, abs=0.02)
    text = page.read_text(encoding="utf-8")
    for told in ("AU12 lip corner puller", "What the face does", "0.38 s", "data:image/webp"):
        assert told in text
    assert clip("inspect", *given, "--page", page) == 2
    assert "--force" in said(capsys)[1][0]
    assert clip("spot", *given, "--kind", "micro", "--out", events) == 0
    table = said(capsys)[0].splitlines()
    assert [line.split()[0] for line in table] == ["kind", "micro"]
    with events.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["apex"]) == event["apex"] and row["regions"].split()[0] == "lips"
    assert clip("describe", *given, "--curves", curves) == 0
    out, _ = said(capsys)
    assert "AU12  lip corner puller  left" in out and "a hint only" in out
    # In a library it has its own name; a disk that takes nothing costs no result.
    library = tmp_path / "library"
    assert clip("import", "--library", library, *given) == 0
    with ClipLibrary(library) as opened:
        (entry,) = opened.find()
    (library / "clips" / entry.sha256[:2] / entry.sha256 / "profiles").touch()
    capsys.readouterr()
    assert clip("inspect", entry.id[:8], "--library", library) == 0
    out, err = capsys.readouterr()
    assert "clip          smirk\n" in out and "not kept in the library: " in err
    # What is described can be rendered again.
    course = course_of(read_curves(curves), Fraction(50))
    assert set(course.weights) == {"mouthSmileLeft"}
    assert course.apex == pytest.approx(9.5, abs=1.5)


@pytest.mark.parametrize("verb", ["inspect", "spot", "describe"])
def test_no_face_is_one_line(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((200, 200, 3), 90, np.uint8))
    assert clip("spot", tmp_path, "--fps", 100) == 2
    out, (line,) = said(capsys)
    assert out == "" and "face" in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"OnsetFrame": "Begin"}, "no column 'OnsetFrame' or 'OnsetF' or 'Onset' for the onset"),
        ({"Filename": "Filmname"}, "no column 'Filename'"),
        ({"EP02_01f": "../../EP02_01f"}, "row 2: the clip '../../EP02_01f' leads out"),
        ({1: "../sub01"}, "row 2: the subject '../sub01' leads out"),
        ({"happiness": "..\\joy"}, "row 2: the emotion '..\\\\joy' leads out"),
    ],
)
def test_bad_sheets_are_a_line_and_change_nothing(
    library: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[object, object],
    told: str,
) -> None:
    folder, copy = library
    before = contents(folder)
    rows = [
        copies.CASME2_HEADER,
        [1, "EP02_01f", None, 50, 59, 86, None, "12", "happiness"],
    ]
    cells = [[change.get(cell, cell) for cell in row] for row in rows]
    sheet = copies.workbook(tmp_path / "coding.xlsx", {"Sheet1": cells})
    given = ("--data-set", "casme2", "--sheet", sheet, copy)
    assert clip("import", "--library", folder, *given) == 2
    out, errors = said(capsys)
    assert out == "" and len(errors) == 1
    assert told in errors[0]
    assert contents(folder) == before
    # A library is not made for what cannot be read.
    assert clip("import", "--library", tmp_path / "new", *given) == 2
    assert not (tmp_path / "new").exists()
