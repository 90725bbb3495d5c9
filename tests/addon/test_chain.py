"""From a clip to a bake through a real server: the API, the operators, the timer, the command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from dump import differences, dump
from microface import register, unregister
from microface.addon import api
from microface.addon.bake.curves import curves_of
from microface.addon.bake.weights_csv import read_weights
from microface.addon.interface.desk import Order, desk
from microface.addon.retarget.prepare import prepare
from microface.commands import main
from microface.errors import MicrofaceError
from microface.server.client import Performance

FPS = Fraction(100)


@pytest.fixture
def enabled() -> Iterator[None]:
    register()
    yield
    unregister()


def settled(mask: Any, clip: Path, server: str) -> Any:
    """Fill the panel's settings in."""
    settings = bpy.context.scene.microface
    settings.character = mask
    settings.clip_source, settings.clip_path, settings.clip_fps = "FILE", str(clip), "100"
    settings.server, settings.resolution, settings.start_frame = server, 128, 11
    return settings


def keys_of(mask: Any) -> dict[str, list[tuple[float, float]]]:
    action = mask.data.shape_keys.animation_data.action
    return {
        curve.data_path: [tuple(point.co) for point in curve.keyframe_points]
        for curve in curves_of(action)
    }


def test_generate_and_bake(mask: Any, clip: Path, lifting_server: str) -> None:
    heard = []
    generated = api.generate(
        mask, clip, FPS, server=lifting_server, resolution=128, on_event=heard.append
    )
    assert generated.frames.shape == (9, 128, 128, 3)
    assert generated.motion.dtype == np.float16
    assert generated.times == pytest.approx(np.arange(9) / 100)
    assert (generated.clip_name, generated.fps) == ("lift", FPS)
    assert heard[-1].progress == 1.0
    bake = api.bake_shape_keys(mask, generated, 11, server=lifting_server)
    assert bake.active()[0] == "mouthSmileLeft"
    assert bake.apex == 4
    assert bake.weights[:, bake.names.index("browDownRight")].max() == 0


def test_operators_do_what_the_api_does(
    mask: Any, clip: Path, lifting_server: str, enabled: None
) -> None:
    generated = api.generate(mask, clip, FPS, server=lifting_server, resolution=128)
    api.bake_shape_keys(mask, generated, 11, server=lifting_server)
    by_api = keys_of(mask)
    assert api.unbake_shape_keys(mask)
    settled(mask, clip, lifting_server)
    assert bpy.ops.microface.generate() == {"FINISHED"}
    by_operator = desk().done[mask.name].result()
    for name in ("neutral", "frames", "edges", "motion", "times"):
        assert np.array_equal(getattr(by_operator, name), getattr(generated, name)), name
    assert bpy.ops.microface.bake_shape_keys() == {"FINISHED"}
    assert keys_of(mask) == by_api
    assert bpy.ops.microface.unbake() == {"FINISHED"}
    assert mask.data.shape_keys.animation_data is None


def test_the_timer_path_gives_the_same_bits(
    mask: Any, clip: Path, lifting_server: str, enabled: None
) -> None:
    generated = api.generate(mask, clip, FPS, server=lifting_server, resolution=128)
    state = desk()
    state.start(lifting_server, Order(prepare(mask, 128), Performance(clip, FPS), "lift"))
    deadline = time.monotonic() + 60
    while state.advance(0.003):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert not state.remedy, state.message
    by_timer = state.done[mask.name].result()
    for name in ("neutral", "frames", "edges", "motion", "times"):
        assert np.array_equal(getattr(by_timer, name), getattr(generated, name)), name


def test_cancelling_keeps_what_was_there(
    mask: Any, clip: Path, lifting_server: str, enabled: None
) -> None:
    before = dump()
    state = desk()
    state.start(lifting_server, Order(prepare(mask, 128), Performance(clip, FPS), "lift"))
    state.advance(0.003)
    assert state.busy
    assert bpy.ops.microface.cancel() == {"FINISHED"}
    assert not state.busy
    assert state.message == "Cancelled"
    assert mask.name not in state.done
    assert differences(before, dump()) == []


def test_no_server_leaves_everything_as_it_was(mask: Any, clip: Path) -> None:
    before = dump()
    with pytest.raises(MicrofaceError) as caught:
        api.generate(mask, clip, FPS, server="tcp://127.0.0.1:9", resolution=128)
    assert caught.value.remedy
    assert differences(before, dump()) == []


@pytest.fixture
def blend(mask: Any, tmp_path: Path) -> Path:
    path = tmp_path / "in" / "mask.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def bake_command(blend: Path, out: Path, *more: str) -> int:
    words = ["bake", str(blend), "--object", "Mask", "--out", str(out), "--resolution", "128"]
    return main([*words, *more])


def test_the_command_bakes_everything(
    blend: Path, clip: Path, lifting_server: str, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "shot.blend"
    kept = blend.read_bytes()
    more = ["--clip", str(clip), "--fps", "100", "--to", "all", "--start", "21"]
    assert bake_command(blend, out, *more, "--server", lifting_server) == 0
    assert blend.read_bytes() == kept
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "shot.blend",
        "shot.csv",
        "shot_microface",
    ]
    names, times, weights = read_weights(out.with_suffix(".csv"))
    assert len(times) == 9
    assert weights[:, names.index("mouthSmileLeft")].argmax() == 4
    pictures = out.with_name("shot_microface")
    assert len(list((pictures / "texture" / "Skin").glob("*.png"))) == 9
    assert len(list((pictures / "edges" / "screen").glob("*.png"))) == 9
    assert (pictures / "flipbook" / "lift_Skin.json").exists()
    bpy.ops.wm.open_mainfile(filepath=str(out))
    mask = bpy.data.objects["Mask"]
    assert "Microface lift" in mask.data.shape_keys.animation_data.action.name
    (image,) = (one for one in bpy.data.images if one.source == "SEQUENCE")
    assert image.filepath == "//shot_microface/texture/Skin/000000.png"
    assert Path(bpy.path.abspath(image.filepath)).exists()


def test_the_command_bakes_a_flipbook_alone(
    blend: Path, clip: Path, lifting_server: str, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "game.blend"
    more = ["--clip", str(clip), "--fps", "100", "--to", "flipbook", "--server", lifting_server]
    assert bake_command(blend, out, *more) == 0
    pictures = out.with_name("game_microface")
    assert [path.name for path in sorted((pictures / "flipbook").iterdir())] == [
        "lift_Skin.json",
        "lift_Skin.png",
    ]
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert not [one for one in bpy.data.images if one.source == "SEQUENCE"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--object", "Haed", "--clip", "{clip}", "--fps", "100"], "shape keys are: Mask"),
        (["--clip", "nowhere.mp4"], "The clip 'nowhere.mp4' does not exist"),
        (["--clip", "builtin:frown"], "no built-in clip 'frown'"),
        (["--clip", "{clip}"], "--fps"),
        (["--clip", "{clip}", "--fps", "fast"], "fast is not a frame rate"),
        (["--clip", "{clip}", "--fps", "100", "--resolution", "20"], "128 to 4096"),
        (["--clip", "{clip}", "--fps", "100", "--strength", "9"], "strength"),
        (["--clip", "{clip}", "--fps", "100", "--server", "nonsense"], "address"),
    ],
)
def test_bad_input_gives_one_line_and_nothing_else(
    blend: Path,
    clip: Path,
    lifting_server: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    what: str,
) -> None:
    out = tmp_path / "out" / "shot.blend"
    asked = [word.format(clip=clip) for word in words]
    server = [] if "--server" in words else ["--server", lifting_server]
    assert bake_command(blend, out, "--to", "shape-keys", *server, *asked) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "microface:" in line]
    assert len(lines) == 1
    assert what in lines[0]
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_a_server_that_dies_leaves_nothing_behind(
    blend: Path,
    clip: Path,
    lifting_server: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out" / "shot.blend"
    out.parent.mkdir()
    out.write_bytes(b"what was there before")
    more = ["--clip", str(clip), "--fps", "100", "--to", "all", "--strength", "4"]
    assert bake_command(blend, out, *more, "--server", lifting_server) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if "microface:" in line]
    assert len(lines) == 1
    assert [path.name for path in out.parent.iterdir()] == ["shot.blend"]
    assert out.read_bytes() == b"what was there before"


def test_files_that_cannot_be_used(
    mask: Any, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.blend"
    asked = ["--clip", str(clip), "--fps", "100", "--to", "texture"]
    assert bake_command(tmp_path / "none.blend", out, *asked) == 2
    assert "is not there" in capsys.readouterr().err
    broken = tmp_path / "broken.blend"
    broken.write_bytes(b"not a blend file")
    assert bake_command(broken, out, *asked) == 2
    assert "cannot be opened" in capsys.readouterr().err
    exported = tmp_path / "face.glb"
    exported.write_bytes(b"glTF")
    assert bake_command(exported, out, *asked) == 2
    assert "Import it in Blender (File > Import), save that" in capsys.readouterr().err
    bare = bpy.data.meshes.new("Bare")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Bare", bare))
    mask.shape_key_clear()
    plain = tmp_path / "plain.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(plain))
    assert bake_command(plain, out, *asked) == 2
    assert "'Mask' has no shape keys" in capsys.readouterr().err
    assert bake_command(plain, out, *asked, "--object", "Face") == 2
    assert "meshes are: Bare, Mask" in capsys.readouterr().err
    assert not out.exists()


def test_no_uvs_is_said_before_the_server_is_asked(
    mask: Any, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask.data.uv_layers.remove(mask.data.uv_layers[0])
    path, out = tmp_path / "mask.blend", tmp_path / "out.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    asked = ["--clip", str(clip), "--fps", "100", "--server", "tcp://127.0.0.1:9"]
    assert bake_command(path, out, *asked, "--to", "texture") == 2
    assert "'Mask' has no UVs" in capsys.readouterr().err
    assert not out.exists()
