"""What a second Blender does for the window gives the same bits as doing it on the spot."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from microface import register, unregister
from microface.addon import api
from microface.addon.interface.aside import Aside, can_work_aside
from microface.addon.interface.aside_worker import JOBS
from microface.addon.interface.desk import desk
from microface.addon.interface.elsewhere import where
from microface.addon.interface.parcel import (
    framing_to_plain,
    read_bake,
    read_generated,
    read_prepared,
    write_bake,
    write_generated,
)
from microface.addon.interface.wiring import Waiting, show_maps, show_textures, wire_later
from microface.addon.retarget.prepare import prepare
from microface.addon.verify.verify import verify_file
from microface.errors import RunError
from microface.report.proof.checks import failed
from microface.server.folders import new_folder


@pytest.fixture
def enabled() -> Iterator[None]:
    register()
    yield
    unregister()


def test_a_neutral_from_elsewhere_is_the_same(mask: Any, tmp_path: Path) -> None:
    here = prepare(mask, 128)
    assert JOBS["neutral"](tmp_path, where(mask) | {"resolution": 128}, lambda share: None) == {}
    there = read_prepared(tmp_path)
    assert np.array_equal(there.neutral, here.neutral)
    assert framing_to_plain(there.framing) == framing_to_plain(here.framing)
    assert (there.object_name, there.view) == (here.object_name, here.view)
    assert there.scene_frame == here.scene_frame
    assert there.fingerprint.digests == here.fingerprint.digests
    assert there.fingerprint.changes(here.fingerprint, here.framing) == []


def test_textures_from_elsewhere_are_the_same(
    mask: Any, clip: Path, lifting_server: str, tmp_path: Path, enabled: None
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mask.blend"))
    generated = api.generate(mask, clip, Fraction(100), server=lifting_server, resolution=128)
    keys = api.bake_shape_keys(mask, generated, 11, server=lifting_server)
    write_generated(tmp_path, generated)
    write_bake(tmp_path, keys)
    again, over = read_generated(tmp_path), read_bake(tmp_path)
    assert over is not None
    assert np.array_equal(over.weights, keys.weights)
    assert over.time_base == keys.time_base
    for name in ("neutral", "frames", "edges", "motion", "times", "fps", "clip_name"):
        assert np.array_equal(getattr(again, name), getattr(generated, name)), name
    assert again.fingerprint is not None, "a character that was edited since is refused there"
    assert generated.fingerprint is not None
    assert again.fingerprint.changes(generated.fingerprint, generated.framing) == []
    assert again.fingerprint.digests == generated.fingerprint.digests
    into = tmp_path / "elsewhere"
    job = where(mask) | {"into": str(into), "start_frame": 11, "size": 64, "format": "auto"}
    outcome = JOBS["texture"](tmp_path, job, lambda share: None)
    api.unbake_texture(mask)
    bake = api.bake_texture(mask, generated, tmp_path / "here", 11, 64, keys)
    (told,) = outcome["textures"]
    for one, other in zip(told["files"], bake.textures[0].files, strict=True):
        assert (into / one).read_bytes() == other.read_bytes()
    api.unbake_texture(mask)
    moving = [np.load(tmp_path / "array-0.npy")]
    bpy.context.scene.microface.character = mask
    name = str(mask.name)
    wire_later(Waiting(name, generated, keys, into, outcome, moving, 64, 11.0, show_textures))
    assert "Textures baked: Skin" in desk().message
    (image,) = (one for one in bpy.data.images if one.source == "SEQUENCE")
    assert image.filepath.startswith("//"), "the pictures move with the file"
    assert Path(bpy.path.abspath(image.filepath)) == into / "Skin" / "000000.png"
    assert [text.name for text in bpy.data.texts] == ["Microface proof Mask"]


def test_wrinkle_maps_from_elsewhere_are_the_same(
    mask: Any, clip: Path, lifting_server: str, tmp_path: Path, enabled: None
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mask.blend"))
    generated = api.generate(mask, clip, Fraction(100), server=lifting_server, resolution=128)
    (here,) = api.bake_wrinkle_maps(mask, generated, tmp_path / "here", 11, 64, shaded=True)
    wired = plain_tree(mask)
    api.unbake_texture(mask)
    write_generated(tmp_path, generated)
    into = tmp_path / "elsewhere"
    job = where(mask) | {"into": str(into), "start_frame": 11, "size": 64, "format": "png16"}
    outcome = JOBS["maps"](tmp_path, job, lambda share: None)
    api.unbake_texture(mask)
    curves = [np.load(tmp_path / "array-0.npy")]
    assert np.array_equal(curves[0], here.curves)
    name = str(mask.name)
    wire_later(Waiting(name, generated, None, into, outcome, curves, 64, 11.0, show_maps))
    assert "Wrinkle maps baked for 1" in desk().message
    assert plain_tree(mask) == wired
    for path in here.files:
        there = into / path.relative_to(tmp_path / "here")
        assert there.read_bytes() == path.read_bytes()


def plain_tree(mask: Any) -> list[tuple[str, ...]]:
    """Return the nodes and links of the mask's material."""
    tree = mask.data.materials[0].node_tree
    links = [(one.from_node.name, one.to_node.name, one.to_socket.name) for one in tree.links]
    return sorted([(node.name, node.bl_idname) for node in tree.nodes]) + sorted(links)


def test_a_second_blender_that_breaks_leaves_its_last_words(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    said = "Traceback ...\nKeyError: 'Skin'\nError: script failed, exiting.\n\nBlender quit\n"
    (folder / "log.txt").write_text(said)
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    process.wait()
    with (folder / "log.txt").open("ab") as log:
        aside = Aside("Rendering", folder, process, log, lambda folder, outcome: None)
        with pytest.raises(RunError, match=r"\(status 1\): KeyError: 'Skin'"):
            aside.poll()
        aside.close()
    assert not folder.exists()


def test_what_a_killed_blender_left_is_removed() -> None:
    """Copies of people's characters must not lie about."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = Path(tempfile.gettempdir()) / f"microface-aside-{gone.pid}-left"
    left.mkdir()
    folder = new_folder("microface-aside-")
    assert not left.exists() or sys.platform == "win32"
    other = new_folder("microface-aside-")
    assert folder.exists(), "this process's own stay"
    for one in (folder, other):
        one.rmdir()


def test_without_a_window_nothing_is_done_elsewhere(mask: Any) -> None:
    assert bpy.app.background
    assert not can_work_aside()


def test_a_report_from_the_panel(
    mask: Any, clip: Path, lifting_server: str, tmp_path: Path, enabled: None
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mask.blend"))
    settings = bpy.context.scene.microface
    settings.character = mask
    settings.clip_source, settings.clip_path, settings.clip_fps = "FILE", str(clip), "100"
    settings.server, settings.resolution = lifting_server, 128
    with pytest.raises(RuntimeError, match="Nothing is baked on 'Mask'"):
        bpy.ops.microface.write_report()
    bpy.ops.microface.generate()
    bpy.ops.microface.bake_shape_keys()
    assert any("of the motion expressed" in note for note in desk().notes["Mask"])
    assert bpy.ops.microface.write_report() == {"FINISHED"}
    folder = tmp_path / "mask_microface"
    assert (folder / "report" / "index.html").is_file()
    assert [path.name for path in folder.iterdir()] == ["report"]
    assert failed(verify_file(render=False)[0].checks) == []
    api.edit_bake(mask, desk().baked["Mask"].action_name, strength=0.5, start_frame=30)
    assert [one.name for one in failed(verify_file(render=False)[0].checks)] == [
        "curves",
        "apex",
        "surface motion",
    ]
    assert bpy.ops.microface.write_report() == {"FINISHED"}  # in place of the one before
    assert "strength 0.5" in (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert failed(verify_file(render=False)[0].checks) == []
    bpy.ops.microface.bake_shape_keys()
    assert bpy.ops.microface.remove_bake() == {"FINISHED"}
    assert len(verify_file(render=False)[0].evidence.events) == 1, "what is gone is not missed"
    assert bpy.ops.microface.remove_bake() == {"FINISHED"}
    assert not bpy.data.texts
