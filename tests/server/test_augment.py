"""Synthetic data sets: drawn from the seed alone, whole through kills, read back as written."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.commands import main
from microface.errors import InputError
from microface.server.clips.augmented import characters
from microface.server.clips.augmented.characters import head_character, head_names
from microface.server.clips.augmented.plan import (
    Character,
    Settings,
    Source,
    planned,
    shown,
    with_noise,
)
from microface.server.clips.datasets.catalogue import read_data_set
from microface.server.clips.library.consent import Consent
from microface.server.clips.library.library import ClipLibrary
from microface.server.clips.read import read_clip
from microface.server.clips.records import ActionUnit, ClipRecord
from microface.server.embedded import EmbeddedServer

pytest.importorskip("openpyxl")

#: What the tests' engine does for a neutral whose first pixel says so.
SLOW, REFUSE = 3, 4
SIDES = ("both", "left", "right", "asymmetric")


def source(name: str, number: int = 0) -> Source:
    digest = hashlib.sha256(f"{name}{number}".encode()).hexdigest()
    return Source(
        name, f"/clips/{name}", digest, Fraction(100), 9, 1, 4, 7, (ActionUnit(12, "left"),),
        "happiness", "s1", "CASME II", {"status": "granted"},
    )  # fmt: skip


def face(name: str, level: int) -> Character:
    return Character(name, "picture", np.full((32, 32, 3), level, np.uint8))


SOURCES = [source("smile"), source("frown"), source("a smile!")]
FACES = [face("one", 90), face("two", 120)]


def test_every_clip_on_every_character() -> None:
    items = planned(SOURCES, FACES, Settings())
    assert [item.name for item in items] == [
        f"sub0{subject}/EP0{number}_{name}"
        for subject in (1, 2)
        for number, name in enumerate(("smile", "frown", "a-smile"), 1)
    ]
    assert all((item.strength, item.mirrored) == (1.0, False) for item in items)
    assert len({item.key for item in items}) == len(items)
    with pytest.raises(InputError, match="nothing to make"):
        planned([], FACES, Settings())


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 12))
@settings(max_examples=30)
def test_what_is_drawn_depends_on_the_seed_alone(seed: int, variants: int, most: int) -> None:
    wanted = Settings(seed, variants, (0.5, 2.0), True, 1.0)
    items = planned(SOURCES, FACES, wanted)
    assert items == planned(SOURCES, FACES, wanted)
    assert all(0.5 <= item.strength <= 2.0 for item in items)
    # Neither what else is made nor how many are kept changes a clip.
    keys = {item.key for item in items}
    assert {i.key for i in planned(SOURCES[:2], FACES[1:], wanted)} <= keys
    kept = planned(SOURCES, FACES, Settings(seed, variants, (0.5, 2.0), True, 1.0, most))
    assert len(kept) == min(most, len(items))
    assert {item.key for item in kept} <= keys
    assert not keys & {
        i.key for i in planned(SOURCES, FACES, Settings((seed + 1) % 2**32, variants, (0.5, 2.0)))
    }


def test_two_people_in_one_clip_are_two_sources() -> None:
    plain, other = source("smile"), source("smile")
    right = replace(other, face="470,190")
    rested = replace(other, rest="/n.png", rest_sha256="1" * 64)
    items = planned([plain, other, right, rested], [face("one", 10)], Settings())
    assert [item.key == items[0].key for item in items] == [True, True, False, False]
    assert items[2].key != items[3].key and plain.digest == plain.sha256


def test_draws_are_spread() -> None:
    drawn = planned(SOURCES * 1, FACES, Settings(1, 20, (0.25, 4.0), mirror=True))
    assert np.mean(np.log([item.strength for item in drawn])) == pytest.approx(0, abs=0.3)
    assert 0.3 < np.mean([item.mirrored for item in drawn]) < 0.7


@given(st.lists(st.builds(ActionUnit, st.integers(1, 46), st.sampled_from(SIDES)), max_size=5))
def test_a_mirrored_mirror_is_the_source(units: list[ActionUnit]) -> None:
    assert shown(shown(units, 1, True), 1, True) == tuple(units)
    assert shown(units, 1, False) == tuple(units)


def test_labels_are_what_is_shown() -> None:
    coded = (ActionUnit(12, "left", 0, True, "B"), ActionUnit(4, order=1), ActionUnit(2, "right"))
    assert [str(u) for u in shown(coded, 1, True)] == ["R12B", "4", "L2"]
    assert [str(u) for u in shown(coded, 0.5, False)] == ["L12", "4", "R2"]


def test_noise_is_the_seeds() -> None:
    one, other = planned(SOURCES[:2], FACES[:1], Settings(5))
    grey = np.full((48, 48, 3), 100, np.uint8)
    noisy = with_noise(grey, one, 3, 2.0)
    assert np.array_equal(noisy, with_noise(grey, one, 3, 2.0))
    assert not np.array_equal(noisy, with_noise(grey, one, 4, 2.0))
    assert not np.array_equal(noisy, with_noise(grey, other, 3, 2.0))
    assert noisy.std() == pytest.approx(2.0, rel=0.1) and abs(noisy.mean() - 100) < 0.1
    assert np.array_equal(with_noise(grey, one, 3, 0), grey)


@pytest.mark.parametrize(
    "wrong",
    [
        {"variants": 0}, {"variants": 21}, {"strength": (0.01, 1)}, {"strength": (2, 1)},
        {"strength": (1, 5)}, {"noise": -1}, {"noise": 33}, {"most": 0}, {"seed": -1},
    ],
)  # fmt: skip
def test_ranges(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_names_of_heads() -> None:
    assert head_names("ada") == ("ada",)
    assert "ada" in (head_names("all") or ())
    assert head_names("random:3") == ("random-001", "random-002", "random-003")
    assert head_names("face.png") is None
    for wrong in ("random:0", "random:x", "random:1001"):
        with pytest.raises(InputError, match="random:1"):
            head_names(wrong)


def test_heads_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[object] = []

    def drawn(identity: object, *_: object) -> Iterator[np.ndarray]:
        drawings.append(identity)
        yield np.full((128, 128, 3), len(drawings), np.uint8)

    monkeypatch.setattr(characters, "drawn", drawn)
    first = head_character("random-001", 3, 128, cache=tmp_path)
    again = head_character("random-001", 3, 128, cache=tmp_path)
    assert first.sha256 == again.sha256 and len(drawings) == 1
    assert head_character("random-001", 4, 128, cache=tmp_path).sha256 != first.sha256
    assert head_character("ada", 3, 128, cache=tmp_path).kind == "built-in"
    assert head_character("ada", 4, 128, cache=tmp_path).neutral.max() == 3 == len(drawings)
    # What a kill or a full disk leaves is no picture, and no harm.
    for kept in tmp_path.iterdir():
        kept.write_bytes(kept.read_bytes()[:40])
    assert head_character("random-001", 3, 128, cache=tmp_path).neutral.max() == 4
    unwritable = tmp_path / "file"
    unwritable.touch()
    assert head_character("random-002", 3, 128, cache=unwritable / "heads").neutral.max() == 5


# With a server and a library


def quick(path: Path, fps: Fraction | None) -> contextlib.AbstractContextManager[object]:
    return contextlib.nullcontext(read_clip(path, fps))


def write(path: Path, picture: np.ndarray) -> Path:
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with three subjects' clips and two characters."""
    folder = tmp_path_factory.mktemp("materials")
    rng = np.random.default_rng(3)
    with ClipLibrary(folder / "library", create=True, decode=quick) as library:  # type: ignore[arg-type]
        for number, subject in enumerate(("anna", "ben", "eve")):
            frames = folder / f"c{number}"
            frames.mkdir()
            for index in range(8):
                write(frames / f"{index}.png", rng.integers(0, 250, (48, 48, 3), dtype=np.uint8))
            library.import_clip(
                ClipRecord(
                    subject, f"c{number}", frames, tuple(sorted(frames.iterdir())), Fraction(200),
                    0, 3 if number else None, 6, (ActionUnit(12, "left"), ActionUnit(4, order=1)),
                    "happiness", "positive", "studio",
                )
            )  # fmt: skip
        for subject in ("anna", "ben"):
            library.set_consent("studio", subject, Consent("research", "", None, "0" * 64))
        past = datetime.date(2020, 1, 1)
        library.set_consent("studio", "eve", Consent("research", "", past, "0" * 64))
    for name, mode in (("one", SLOW), ("two", SLOW), ("faceless", REFUSE)):
        picture = rng.integers(0, 250, (48, 48, 3), dtype=np.uint8)
        picture[0, 0, :2] = mode, 1
        write(folder / f"{name}.png", picture)
    return folder


def arguments(materials: Path, server: EmbeddedServer, out: Path, *more: object) -> list[str]:
    return [
        "augment", "--library", str(materials / "library"), "--server", server.address,
        "--character", str(materials / "one.png"), "--character", str(materials / "two.png"),
        "--mirror", "--strength", "0.5:2", "--variants", "2", "--seed", "11", "--out", str(out),
        *map(str, more),
    ]  # fmt: skip


def contents(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".augment" not in path.parts
    }


@pytest.fixture(scope="module")
def whole(
    materials: Path, server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A data set that was made in one go."""
    out = tmp_path_factory.mktemp("whole") / "set"
    assert main(arguments(materials, server, out)) == 0
    return out


def test_it_reads_back_as_casme2(whole: Path) -> None:
    read = read_data_set("casme2", whole)
    assert len(read.records) == 2 * 2 * 2
    manifest = json.loads((whole / "manifest.json").read_text())
    for record, told in zip(read.records, manifest["clips"], strict=True):
        assert (record.subject, record.clip) == (told["subject"], told["clip"])
        assert record.fps == 200 and record.emotion == "happiness"
        assert record.valence == "positive"
        assert (record.onset, record.offset) == (0, 6)
        assert record.apex == (None if "c0" in record.clip else 3)
        side = "right" if told["mirrored"] else "left"
        assert record.units == (ActionUnit(12, side), ActionUnit(4, order=1))
        assert record.frames is not None and len(record.frames) == told["frames"] == 8
        assert record.data_set == "synthetic"
        made, *rest = record.notes
        assert made.startswith(
            f"generated by microface {manifest['microface']}, seed 11: the clip c"
        )
        assert ("mirrored" in made) == told["mirrored"]
        assert rest == ([] if record.apex else ["the apex is '/'"])
        assert read_clip(record.path, record.fps).sha256 == told["sha256"]
    assert {told["mirrored"] for told in manifest["clips"]} == {True, False}


def test_a_library_needs_nobodys_consent_for_it(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    # Somebody's pictures in the place of generated ones are somebody's.
    first, *others = sorted(copy.glob("CASME2-RAW/*/*"))
    changed = cv2.imread(str(first / "img2.png"))
    cv2.imwrite(str(first / "img2.png"), 255 - changed)
    library = tmp_path / "library"
    given = ["clip", "import", "--library", str(library), "--data-set", "casme2", str(copy)]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert "nobody's consent is needed" in out
    assert f"{first.name} has other pictures than manifest.json says" in out
    with ClipLibrary(library) as opened:
        stands = {
            f"sub{entry.subject}/{entry.clip}": (entry.data_set, opened.consent(entry))
            for entry in opened.find()
        }
    assert stands.pop(f"{first.parent.name}/{first.name}") == ("CASME II", "none")
    assert set(stands) == {f"{place.parent.name}/{place.name}" for place in others}
    assert set(stands.values()) == {("synthetic", "synthetic")}


def test_the_pictures_are_the_engines_noisy_and_mirrored(whole: Path, materials: Path) -> None:
    manifest = json.loads((whole / "manifest.json").read_text())
    told = next(t for t in manifest["clips"] if t["mirrored"] and t["character"] == "one")
    number = told["source"].removeprefix("c")
    neutral = cv2.imread(str(materials / "one.png"))[..., ::-1]
    first = cv2.imread(str(materials / f"c{number}" / "2.png"))[..., ::-1]
    made = neutral + np.uint8(2) + first[0, 0]  # as the tests' engine does
    place = whole / "CASME2-RAW" / f"sub{told['subject']}" / told["clip"] / "img3.png"
    seen = cv2.imread(str(place))[:, ::-1, ::-1]
    assert np.median(np.abs(seen.astype(int) - made)) <= 1


def test_the_manifest_says_whose_and_on_what_ground(whole: Path) -> None:
    manifest = json.loads((whole / "manifest.json").read_text())
    assert {s["subject"] for s in manifest["sources"]} == {"anna", "ben"}
    for told in manifest["sources"]:
        assert told["consent"]["status"] == "granted"
        assert told["consent"]["release_sha256"] == "0" * 64
    assert manifest["left_out"] == ["eve c2 (studio): consent expired"]
    assert manifest["settings"]["seed"] == 11
    sheet = whole / manifest["sheet"]["name"]
    assert hashlib.sha256(sheet.read_bytes()).hexdigest() == manifest["sheet"]["sha256"]
    assert manifest["digital_source_type"].endswith("trainedAlgorithmicMedia")
    assert [c["name"] for c in manifest["characters"]] == ["one", "two"]


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


@pytest.mark.slow
def test_built_in_clips_on_heads_of_a_seed(tmp_path: Path) -> None:
    out = tmp_path / "set"
    command = ["augment", "--clip", "builtin:lip-corner-left", "--character", "random:1"]
    assert main([*command, "--size", "128", "--noise", "0", "--out", str(out)]) == 0
    (record,) = read_data_set("casme2", out).records
    assert (record.onset, record.apex, record.offset) == (
        9,
        25,
        41,
    )  # 2 % of the peak or less before and after
    assert record.units == (ActionUnit(12, "left"),)
    frames = [np.asarray(f, int) for f in read_clip(record.path, record.fps).frames]
    moved = np.abs(frames[25] - frames[0]).sum(2)
    assert moved[:, 64:].sum() > 3 * moved[:, :64].sum()  # the subject's left is our right
    same = head_character("random-001", 0, 128)
    assert same.sha256 == json.loads((out / "manifest.json").read_text())["characters"][0]["sha256"]
    assert same.sha256 != head_character("random-001", 1, 128).sha256
