"""A bake that goes wrong leaves what was there, nothing half made, and no process behind."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import psutil
import pytest
from microface.addon.bake.publish import publication
from microface.commands import main
from microface.drafts import MOVES, make_draft, move_all
from microface.errors import RunError

from ..full_disk import largest_file

COMMAND = Path(__file__).with_name("quick_command.py")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


@pytest.fixture
def blend(mask: Any, tmp_path: Path) -> Path:
    path = tmp_path / "in" / "mask.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def words(blend: Path, clip: Path, out: Path, to: str = "all") -> list[str]:
    asked = ["bake", str(blend), "--object", "Mask", "--clip", str(clip), "--fps", "100"]
    return [*asked, "--to", to, "--out", str(out), "--resolution", "128"]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def start(moment: str, arguments: list[str]) -> subprocess.Popen[str]:
    """Start the command; tests that run in a shell's background would hand their deafness to
    interrupts on to it."""
    deaf = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    if deaf:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(
            [sys.executable, str(COMMAND), moment, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        if deaf:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def until(process: subprocess.Popen[str], line: str) -> list[psutil.Process]:
    """Wait for a line of a process's output; return its children."""
    assert process.stdout is not None
    for said in process.stdout:
        if said.strip() == line:
            return psutil.Process(process.pid).children(recursive=True)
    raise AssertionError(process.stderr.read() if process.stderr else "")


@pytest.fixture
def earlier(blend: Path, clip: Path, lifting_server: str, tmp_path: Path) -> Path:
    """An earlier bake's folder: what must stay."""
    out = tmp_path / "out" / "shot.blend"
    assert main([*words(blend, clip, out, "texture"), "--server", lifting_server]) == 0
    return out


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["save", "move"])
def test_a_killed_bake_leaves_what_was_there(
    moment: str, blend: Path, clip: Path, lifting_server: str, earlier: Path
) -> None:
    kept, before = blend.read_bytes(), contents(earlier.parent)
    process = start(moment, words(blend, clip, earlier))
    children = until(process, f"AT {moment}")
    assert children  # the server and its worker
    process.send_signal(signal.SIGKILL)
    process.wait()
    psutil.wait_procs(children, timeout=40)
    assert not [child for child in children if child.is_running()]
    assert blend.read_bytes() == kept
    left = contents(earlier.parent)
    if moment != "move":  # then the new pictures are in place, and the next run goes on
        assert {name: left[name] for name in before} == before
    assert left["shot.blend"] == before["shot.blend"]
    if moment == "move":
        make_draft(earlier).rmdir()
    else:
        assert main([*words(blend, clip, earlier, "texture"), "--server", lifting_server]) == 0
    after = contents(earlier.parent)
    assert not [name for name in after if "draft" in name]
    assert ("shot.csv" in after) == (moment == "move")
    if moment == "move":
        bpy.ops.wm.open_mainfile(filepath=str(earlier))
        assert bpy.data.objects["Mask"].data.shape_keys.animation_data is not None


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["generate", "keys", "texture"])
def test_a_killed_bake_between_its_bakes(
    moment: str, blend: Path, clip: Path, lifting_server: str, earlier: Path
) -> None:
    test_a_killed_bake_leaves_what_was_there(moment, blend, clip, lifting_server, earlier)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_stopped_bake_cleans_up_at_once(
    number: signal.Signals, blend: Path, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "shot.blend"
    process = start("texture", words(blend, clip, out))
    children = until(process, "AT texture")
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == ("microface: stopped; nothing was left half written.")
    psutil.wait_procs(children, timeout=40)
    assert not [child for child in children if child.is_running()]
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize(("to", "largest"), [("texture", 20_000), ("shape-keys", 60_000)])
def test_a_full_disk_leaves_what_was_there(
    to: str,
    largest: int,
    blend: Path,
    clip: Path,
    lifting_server: str,
    earlier: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = contents(earlier.parent)
    capsys.readouterr()
    with largest_file(largest):
        status = main([*words(blend, clip, earlier, to), "--server", lifting_server])
    lines = [line for line in capsys.readouterr().err.splitlines() if "microface:" in line]
    assert status == 1, lines
    assert len(lines) == 1 and "Check the disk" in lines[0]
    assert contents(earlier.parent) == before


def test_what_cannot_be_written_is_named_by_where_it_was_to_lie(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=str(tmp_path / "b_microface" / "1.png")),
        publication(tmp_path / "b.blend") as place,
    ):
        raise RunError(f"{place.draft_pictures / '1.png'} could not be written.", "Make room.")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(
    blend: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    was_root = os.geteuid() == 0
    if was_root:  # nothing is locked for root
        for parent in (tmp_path, *list(tmp_path.parents)[:3], clip.parent, clip):
            parent.chmod(0o755)
        os.seteuid(65534)
    try:
        status = main([*words(blend, clip, folder / "shot.blend"), "--server", "tcp://127.0.0.1:9"])
    finally:
        if was_root:
            os.seteuid(0)
    assert status == 2
    assert "cannot be written to (Permission denied)" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_the_characters_own_file_is_no_place_for_a_bake(
    blend: Path, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = blend.read_bytes()
    roundabout = blend.parent / ".." / "in" / "mask.blend"
    assert main([*words(blend, clip, roundabout), "--server", "tcp://127.0.0.1:9"]) == 2
    assert "is the character's own file. Give --out another name" in capsys.readouterr().err
    assert blend.read_bytes() == kept
    assert [path.name for path in blend.parent.iterdir()] == ["mask.blend"]


def test_any_name_will_do(mask: Any, clip: Path, lifting_server: str, tmp_path: Path) -> None:
    mask.name = "Müller, 顔 #1"
    mask.data.shape_keys.name = "Schlüssel 鍵"
    path = tmp_path / "Ein Ordner" / "ein Gesicht — 顔.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    out = tmp_path / "Größe 'zwei' é" / "fertig 完.blend"
    asked = ["bake", str(path), "--object", mask.name, "--clip", str(clip), "--fps", "100"]
    more = ["--to", "all", "--out", str(out), "--resolution", "128", "--server", lifting_server]
    assert main([*asked, *more]) == 0
    assert sorted(one.name for one in out.parent.iterdir()) == [
        "fertig 完.blend",
        "fertig 完.csv",
        "fertig 完_microface",
    ]
    bpy.ops.wm.open_mainfile(filepath=str(out))
    sequences = [image for image in bpy.data.images if image.source == "SEQUENCE"]
    assert sequences
    assert all(Path(bpy.path.abspath(image.filepath)).exists() for image in sequences)


def test_files_of_a_newer_blender_are_refused(
    blend: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.blend"
    data = bytearray(blend.read_bytes())
    assert data[:9] == b"BLENDER-v"
    data[9:12] = b"999"
    newer = tmp_path / "newer.blend"
    newer.write_bytes(data)
    assert main(words(newer, clip, out)) == 2
    assert "was saved by Blender 9.99, and this is" in capsys.readouterr().err
    at = data.find(b"GLOB") + 24 + 6  # the least version that may read the file
    data[at : at + 2] = struct.pack("<h", 999)
    newer.write_bytes(data)
    assert main(words(newer, clip, out)) == 2
    assert "open it with Blender 9.99" in capsys.readouterr().err
    assert not out.exists()


def test_meshes_that_cannot_be_used(
    mask: Any, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "SUN"))
    bpy.context.scene.collection.objects.link(lamp)
    mask.data.shape_keys.key_blocks["jawOpen"].data[3].co = (np.nan, 0.0, 0.0)
    path, out = tmp_path / "bad.blend", tmp_path / "out" / "o.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    offline = ["--server", "tcp://127.0.0.1:9"]
    assert main([*words(path, clip, out), *offline]) == 2
    assert (
        "1 vertex at invalid (NaN or infinite) coordinates in 'jawOpen'" in capsys.readouterr().err
    )
    assert main([*words(path, clip, out), *offline, "--object", "Lamp"]) == 2
    assert "'Lamp' (light) is not a mesh" in capsys.readouterr().err
    assert not out.exists()


def test_moves_are_all_made_or_none(tmp_path: Path) -> None:
    out = tmp_path / "a.blend"
    out.write_bytes(b"old")
    draft = make_draft(out)
    (draft / "new").write_bytes(b"new")
    (draft / "pictures").mkdir()
    (tmp_path / "pictures").write_bytes(b"a file where the folder should go")
    with pytest.raises(OSError):
        move_all(draft, {"new": "a.blend", "pictures": "pictures"})
    assert out.read_bytes() == b"old"
    assert (draft / "new").read_bytes() == b"new"
    assert not (draft / MOVES).exists()
    assert (tmp_path / "pictures").is_file()
