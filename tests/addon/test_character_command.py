"""`microface character`: a .blend that holds the whole character, or one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from microface.commands import main
from microface.head import IDENTITIES

READ_BACK = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
found = [o for o in bpy.data.objects if o.type == "MESH"]
character = found[0]
keys = character.data.shape_keys.key_blocks
image = bpy.data.images[0]
print("RESULT", len(found), character.name, len(keys), keys[1].name, len(character.data.uv_layers),
      bool(image.packed_file), tuple(image.size), bpy.context.scene.camera is not None,
      round(max(character.dimensions), 2))
"""


def blender(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    return next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))


@pytest.mark.slow
def test_it_writes_a_character_that_opens(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    out = tmp_path / "new" / "noor.blend"
    done = subprocess.run(
        [sys.executable, "-m", "microface", "character", "--out", str(out), "--identity", "noor"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in out.parent.iterdir()] == ["noor.blend"]
    assert blender(READ_BACK, str(out)).startswith(
        "RESULT 1 Noor 69 eyeBlinkLeft 1 True (1024, 1024) True 0."
    )


def test_it_lists_identities(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["character", "--list"]) == 0
    assert capsys.readouterr().out.split() == list(IDENTITIES)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--out"),
        (["--out", "x.blend", "--identity", "nobody"], "nobody"),
        (["--out", "x.png"], "x.png"),
    ],
)
def test_a_bad_input_is_one_clear_line(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("bpy")
    monkeypatch.chdir(tmp_path)
    assert main(["character", *arguments]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and says in line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_input_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bpy")
    blocker = tmp_path / "file"
    blocker.write_text("no folder")
    assert main(["character", "--out", str(blocker / "x.blend")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
