"""A baked file proves itself, and a tampered one does not: one clear line for each fault."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from microface.addon.bake.curves import curves_of
from microface.addon.images import read_pixels, write_png
from microface.commands import main


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory, lifting_server: str, clip: Path) -> Path:
    """A folder with a bake of everything, made once: tests copy it."""
    import heads

    bpy.ops.wm.read_factory_settings(use_empty=True)
    mask = heads.mask()
    corners = mask.data.uv_layers[0].uv
    for corner in range(4):  # a face of the still rim gets no texels
        corners[corner].vector = corners[0].vector
    folder = tmp_path_factory.mktemp("baked")
    blend, out = folder / "in.blend", folder / "out" / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    asked = ["bake", str(blend), "--object", "Mask", "--clip", str(clip), "--fps", "100"]
    more = ["--to", "all", "--start", "11", "--resolution", "128", "--server", lifting_server]
    assert main([*asked, *more, "--out", str(out)]) == 0
    return out


@pytest.fixture
def shot(baked: Path, tmp_path: Path) -> Path:
    shutil.copytree(baked.parent, tmp_path / "copied")
    return tmp_path / "copied" / baked.name


def lines_of(said: str, verdict: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith(f"{verdict}: ")]


def test_the_report_lies_beside_the_bake(baked: Path) -> None:
    report = baked.with_name("shot_microface") / "report"
    page = (report / "index.html").read_text(encoding="utf-8")
    for name in (
        "baked, rendered again",
        "mouthSmileLeft",
        "24/1",
        "apex",
        "residual.png",
        "no area in UV space",
    ):
        assert name in page
    shown = [part.split("'")[0] for part in page.split("<img src='")[1:]]
    assert len(shown) > 20
    assert all((report / name).is_file() for name in shown)
    (figures,) = json.loads((report / "figures.json").read_text())
    assert figures["apex_seconds"] == pytest.approx(0.04)
    assert figures["figures"]["curve_error"] <= figures["limits"]["curve_error"]
    assert figures["figures"]["moving_psnr"] > figures["figures"]["static_psnr"] + 3
    assert figures["provenance"]["clip rate"] == "100/1"


def test_a_bake_verifies_elsewhere(
    shot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told.json"
    assert main(["verify", str(shot), "--json", str(told)]) == 0
    said = capsys.readouterr().out
    assert "Verified: 11 checks pass, 0 not covered" in said
    record = json.loads(told.read_text())
    assert record["passed"]
    assert {check["verdict"] for check in record["characters"][0]["checks"]} == {"pass"}


def edit_curve() -> None:
    (action,) = bpy.data.actions
    curve = next(one for one in curves_of(action) if "mouthSmileLeft" in one.data_path)
    curve.keyframe_points[3].co[1] += 0.01
    curve.update()


def change_rate() -> None:
    bpy.context.scene.render.fps = 60


def move_a_vertex() -> None:
    bpy.data.meshes["Mask"].shape_keys.key_blocks["jawOpen"].data[5].co[2] += 1e-5


def delete_the_action() -> None:
    bpy.data.actions.remove(bpy.data.actions[0])


def play_another_action() -> None:
    block = bpy.data.objects["Mask"].data.shape_keys
    block.animation_data.action.use_fake_user = True  # else it goes when the file is saved
    block.animation_data.action = bpy.data.actions.new("Lip sync")


def unwire() -> None:
    for image in bpy.data.images:
        if image.source == "SEQUENCE":
            image.name = "Elsewhere"


def delete_the_mesh() -> None:
    bpy.data.objects.remove(bpy.data.objects["Mask"])


def edit_the_evidence() -> None:
    (text,) = bpy.data.texts
    text.from_string(text.as_string().replace('"start_frame":11.0', '"start_frame":12.0'))


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        (edit_curve, ["clip: curves: The curves play other weights"]),
        (change_rate, ["frame rate: The scene's frame rate was changed", "apex: The apex plays"]),
        (move_a_vertex, ["mesh: The mesh of 'Mask' was changed since the bake"]),
        (delete_the_action, ["animation: The action 'Microface lift' is gone"]),
        (play_another_action, ["animation: 'Key' plays 'Lip sync' instead"]),
        (unwire, ["textures: The image", "is gone from the file"]),
        (delete_the_mesh, ["character: 'Mask' is not in 'Scene'"]),
    ],
)
def test_a_tampered_file_fails_with_a_clear_line(
    tamper: Callable[[], None],
    what: list[str],
    shot: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    tamper()
    bpy.ops.wm.save_mainfile()
    capsys.readouterr()
    assert main(["verify", str(shot), "--no-render"]) == 1
    found = "\n".join(lines_of(capsys.readouterr().out, "FAIL"))
    for line in what:
        assert line.removeprefix("clip: ") in found


def test_an_exchanged_texture_fails(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = shot.with_name("shot_microface") / "texture" / "Skin" / "000004.png"
    pixels = read_pixels(picture)
    pixels[3, 3] ^= 1
    write_png(picture, pixels)
    assert main(["verify", str(shot), "--no-render"]) == 1
    (line,) = lines_of(capsys.readouterr().out, "FAIL")
    assert "textures: 1 pictures were exchanged, the first 000004.png" in line
    picture.unlink()
    assert main(["verify", str(shot), "--no-render"]) == 1
    (line,) = lines_of(capsys.readouterr().out, "FAIL")
    assert "1 of 9 pictures are gone, the first 000004.png" in line


def test_another_look_of_the_face_fails(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    shader = bpy.data.materials["Skin"].node_tree.nodes["Principled BSDF"]
    shader.inputs["Emission Strength"].default_value = 0.3
    bpy.ops.wm.save_mainfile()
    capsys.readouterr()
    assert main(["verify", str(shot)]) == 1
    assert "unmoved face: The face itself looks otherwise" in capsys.readouterr().out


def test_files_without_evidence(
    shot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    edit_the_evidence()
    edited = tmp_path / "edited.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(edited))
    assert main(["verify", str(edited)]) == 2
    assert "does not fit its own hash" in capsys.readouterr().err
    bpy.data.texts.remove(bpy.data.texts[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(edited))
    assert main(["verify", str(edited)]) == 2
    assert "holds no evidence of a bake" in capsys.readouterr().err


def test_other_animation_on_the_head_is_taken_out(
    baked: Path, clip: Path, lifting_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The head turns and the mouth talks; the bake lies over both, and is told apart from them."""
    bpy.ops.wm.open_mainfile(filepath=str(baked.parent.parent / "in.blend"))
    mask = bpy.data.objects["Mask"]
    mask.keyframe_insert("rotation_euler", frame=1)
    mask.rotation_euler[2] = 0.3
    mask.keyframe_insert("rotation_euler", frame=30)
    talk = mask.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.0), (12, 0.4), (20, 0.0)):
        talk.value = value
        talk.keyframe_insert("value", frame=frame)
    blend, out = tmp_path / "talking.blend", tmp_path / "out.blend"
    bpy.context.scene.frame_set(1)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    asked = ["bake", str(blend), "--object", "Mask", "--clip", str(clip), "--fps", "100"]
    more = ["--to", "shape-keys", "--start", "6", "--resolution", "128", "--no-report"]
    assert main([*asked, *more, "--server", lifting_server, "--out", str(out)]) == 0
    assert not out.with_name("out_microface").exists()
    capsys.readouterr()
    assert main(["verify", str(out), "--no-render"]) == 0
    said = capsys.readouterr().out
    assert "Verified: 7 checks pass, 3 not covered" in said


@pytest.mark.slow
def test_a_sheet_of_several_is_proved_one_by_one(
    baked: Path, clip: Path, lifting_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "shots.csv"
    rows = [f"{clip},100,6,1,,", f"{clip},100,6.5,0.5,6f,1", f"{clip},100,40,2,,"]
    sheet.write_text("\n".join(["clip,fps,start,strength,duration,hold", *rows]) + "\n")
    out = tmp_path / "sheet.blend"
    asked = ["bake", str(baked.parent.parent / "in.blend"), "--object", "Mask"]
    more = ["--sheet", str(sheet), "--resolution", "128", "--server", lifting_server]
    assert main([*asked, *more, "--out", str(out)]) == 0
    page = out.with_name("sheet_microface") / "report" / "index.html"
    assert page.read_text(encoding="utf-8").count("Keyed curves") == 3
    capsys.readouterr()
    assert main(["verify", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.count("surface motion") == 3
    bpy.ops.wm.open_mainfile(filepath=str(out))
    second = sorted(one.name for one in bpy.data.actions if one.name.startswith("Microface lift"))
    bpy.data.actions.remove(bpy.data.actions[second[1]])
    bpy.ops.wm.save_mainfile()
    capsys.readouterr()
    assert main(["verify", str(out), "--no-render"]) == 1
    faults = lines_of(capsys.readouterr().out, "FAIL")
    assert sum("is gone" in line for line in faults) == 1


def test_the_slopes_of_a_bake_are_measured_not_remembered(shot: Path) -> None:
    """What verify says of the curves comes from Blender: half a weight off is half a weight."""
    from microface.addon.verify.verify import verify_file

    bpy.ops.wm.open_mainfile(filepath=str(shot))
    before = verify_file(render=False)[0].measured[0]
    (action,) = bpy.data.actions
    assert before is not None
    still = before.figures["motion_unexplained"]
    curve = next(one for one in curves_of(action) if "mouthSmileLeft" in one.data_path)
    for point in curve.keyframe_points:
        point.co[1] *= 0.5
    curve.update()
    after = verify_file(render=False)[0].measured[0]
    assert after is not None
    peak = float(np.abs(before.played.values).max())
    assert after.figures["curve_error"] == pytest.approx(peak / 2, rel=0.02)
    assert after.figures["motion_unexplained"] > still
