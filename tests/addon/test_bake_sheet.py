"""A sheet of expressions: what its cells mean, what is refused, and what is baked."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from dump import animation, differences
from microface.addon import api
from microface.addon.bake.record import Settings
from microface.addon.bake.retime import Timing
from microface.addon.bake.shot_sheet import read_sheet
from microface.addon.bake.timecode import read_duration, read_moment
from microface.addon.bake.weights_csv import read_weights
from microface.commands import main
from microface.errors import InputError

FILM, NTSC = Fraction(24), Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "fps", "frame"),
    [
        ("101", FILM, 101),
        ("-3.5", FILM, -3.5),
        ("101f", FILM, 101),
        ("1.5s", FILM, 36),
        ("1 s", Fraction(24000, 1001), 24000 / 1001),
        ("00:00:04:05", FILM, 101),
        ("01:00:00:00", Fraction(24000, 1001), 86400),
        ("01:00:00:00", NTSC, 108000),
        ("00:01:00;02", NTSC, 1800),
        ("00:10:00;00", NTSC, 17982),
        ("01:00:00;00", NTSC, 107892),
        ("01:00:00;00", Fraction(60000, 1001), 215784),
    ],
)
def test_starts(text: str, fps: Fraction, frame: float) -> None:
    assert read_moment(text, fps) == pytest.approx(frame, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("soon", "is no start"),
        ("1:2", "is no start"),
        ("00:00:61:00", "is no start"),
        ("00:00:01:24", "has 24"),
        ("00:00:01;02", "no timecode of a scene at 24"),
    ],
)
def test_senseless_starts(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read_moment(text, FILM)


def test_a_dropped_frame_does_not_exist() -> None:
    with pytest.raises(InputError, match="leaves it out"):
        read_moment("00:01:00;01", NTSC)


def test_durations() -> None:
    assert read_duration("0.5", FILM) == read_duration("0.5s", FILM) == 0.5
    assert read_duration("12f", Fraction(24000, 1001)) == pytest.approx(12 * 1001 / 24000)
    with pytest.raises(InputError, match="no duration"):
        read_duration("a while", FILM)


@pytest.fixture
def sheet(clip: Path) -> Any:
    """Writes a sheet beside the clip."""

    def write(text: str) -> Path:
        path = clip.parent / "shots.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_sheet_is_read(sheet: Any, clip: Path) -> None:
    path = sheet(
        "\ufeffClip;FPS;Start;Strength;Duration;Hold;Balance;Layer;Muted\n"
        "lift;100;101;;;;;;\n"
        "\n"
        "# a remark\n"
        "builtin:brow-lower;;1.5s;0.5;12f;2;-1;nla;yes\n"
    )
    first, second = read_sheet(path, FILM)
    assert (first.number, first.clip, first.fps) == (2, str(clip), 100)
    assert (first.settings, first.layer) == (Settings(101.0), "auto")
    assert (second.number, second.clip, second.fps) == (5, "builtin:brow-lower", None)
    assert second.settings == Settings(36.0, 0.5, -1.0, Timing(duration=0.5, hold=2), muted=True)
    assert (second.layer, second.label) == ("nla", "brow-lower")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no rows"),
        ("clip,start", "no rows"),
        ("clip,fps\nlift,100", "no column 'start'"),
        ("clip,start,speed\nlift,1,2", "has a column 'speed'. Columns are: clip, fps"),
        ("clip,start,clip\nlift,1,2", "'clip' twice"),
        ("clip,start\nlift,1\nlifd,2", "Row 3 of shots.csv: the clip 'lifd' does not exist"),
        ("clip,start\n,1", "Row 2 of shots.csv: it names no clip"),
        ("clip,start\nbuiltin:frown,1", "Row 2 .*no built-in clip 'frown'"),
        ("clip,start\nlift,", "Row 2 .*no start"),
        ("clip,start\nlift,1,2", "Row 2 .*3 cells for 2 columns"),
        ("clip,start,fps\nlift,1,fast", "Row 2 .*'fast' is no frame rate"),
        ("clip,start,strength\nlift,1,5", "Row 2 .*strength of 5"),
        ("clip,start,strength\nlift,1,much", "Row 2 .*'much' is no strength"),
        ("clip,start,balance\nlift,1,-2", "Row 2 .*balance of -2"),
        ("clip,start,hold\nlift,1,1.5", "Row 2 .*whole"),
        ("clip,start,hold\nlift,1,inf", "Row 2 .*'inf' is no hold"),
        ("clip,start,duration\nlift,1,0", "Row 2 .*cannot last 0"),
        ("clip,start,layer\nlift,1,top", "Row 2 .*no layer 'top'"),
        ("clip,start,muted\nlift,1,perhaps", "Row 2 .*neither yes nor no"),
        ("clip,start\nlift,1e9", "Row 2 .*is no start"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(sheet: Any, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what) as raised:
        read_sheet(sheet(text), FILM)
    assert "\n" not in str(raised.value)


SHOTS = """clip,fps,start,strength,duration,hold,balance
lift,100,10,,,,
lift,100,00:00:00:11,0.5,12f,1,
"""


def test_each_clip_is_generated_once_and_rows_add_up(
    mask: Any, sheet: Any, lifting_server: str
) -> None:
    heard: list[Any] = []
    first, second = api.bake_sheet(
        mask, sheet(SHOTS), server=lifting_server, resolution=128, on_event=heard.append
    )
    assert sum(event.stage == "generate" for event in heard) < 40, "one generation of nine frames"
    assert (first.layer, second.layer) == ("action", "nla")
    assert second.weights == pytest.approx(0.5 * first.weights)
    smile = first.names.index("mouthSmileLeft")
    one, other = (bake.time_base.frames(bake.times) for bake in (first, second))
    peak = other[second.apex]
    assert peak == round(peak), "held on a whole frame"
    key = mask.data.shape_keys.key_blocks["mouthSmileLeft"]
    for frame in (10, 10.5, 11, 11.7, 12, 14, peak, 20.2, 23):
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        wanted = sum(
            np.interp(frame, frames, bake.weights[:, smile], left=0, right=0)
            for frames, bake in ((one, first), (other, second))
        )
        assert key.value == pytest.approx(min(wanted, 1), abs=0.005)
    assert [info.hold for info in api.list_bakes(mask)] == [0, 1]


def test_a_row_that_fails_leaves_nothing(mask: Any, sheet: Any, lifting_server: str) -> None:
    before = animation()
    with pytest.raises(InputError, match=r"Row 3: The apex cannot be held for 9 frames"):
        api.bake_sheet(
            mask,
            sheet("clip,fps,start,hold\nlift,100,10,\nlift,100,20,9\n"),
            server=lifting_server,
            resolution=128,
        )
    assert differences(before, animation()) == []


def test_the_command_bakes_a_sheet(
    mask: Any, sheet: Any, lifting_server: str, tmp_path: Path
) -> None:
    blend, out = tmp_path / "mask.blend", tmp_path / "out" / "shots.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    words = ["bake", str(blend), "--object", "Mask", "--out", str(out), "--resolution", "128"]
    words += ["--server", lifting_server]
    assert main([*words, "--sheet", str(sheet(SHOTS))]) == 0
    tables = sorted((out.parent / "shots_microface" / "weights").iterdir())
    assert [path.name for path in tables] == ["002_lift.csv", "003_lift.csv"]
    _, times, _ = read_weights(tables[1])
    assert len(times) == 9
    assert times[-1] == pytest.approx(0.5, abs=1e-6)
    bpy.ops.wm.open_mainfile(filepath=str(out))
    obj = bpy.data.objects["Mask"]
    assert [info.clip for info in api.list_bakes(obj)] == ["lift", "lift"]
    api.edit_bake(obj, "Microface lift.001", strength=1.0)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (["--sheet", "{sheet}", "--clip", "x"], "--clip and --sheet were given"),
        (["--sheet", "{sheet}", "--hold", "2"], "sheet's column 'hold'"),
        (["--sheet", "{sheet}", "--strength", "2"], "--strength and --sheet"),
        (["--sheet", "{sheet}", "--to", "all"], "baked to shape keys"),
        (["--sheet", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["--to", "shape-keys"], "No clip was given"),
        (["--clip", "{clip}", "--fps", "100"], "what to bake"),
        (["--clip", "{clip}", "--fps", "100", "--to", "all", "--hold", "1"], "Textures play at"),
        (["--clip", "{clip}", "--to", "shape-keys", "--duration", "long"], "no duration"),
    ],
)
def test_options_that_do_not_go_together(
    mask: Any,
    sheet: Any,
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    what: str,
) -> None:
    blend, out = tmp_path / "mask.blend", tmp_path / "out.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    path = sheet(SHOTS)
    more = [word.format(sheet=path, clip=clip) for word in more]
    assert main(["bake", str(blend), "--object", "Mask", "--out", str(out), *more]) == 2
    (line,) = (one for one in capsys.readouterr().err.splitlines() if "microface:" in one)
    assert what in line
    assert not out.exists()


def test_the_command_retimes_one_clip_and_warns(
    mask: Any,
    clip: Path,
    lifting_server: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blend, out = tmp_path / "mask.blend", tmp_path / "out.blend"
    mask.data.uv_layers.remove(mask.data.uv_layers[0])
    mask.data.shape_keys.key_blocks["jawOpen"].keyframe_insert("value", frame=1)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    words = ["bake", str(blend), "--object", "Mask", "--out", str(out), "--resolution", "128"]
    words += ["--clip", str(clip), "--fps", "100", "--to", "shape-keys", "--start", "20"]
    words += ["--duration", "12f", "--hold", "2", "--balance", "0.5", "--layer", "auto"]
    assert main([*words, "--tolerance", "0.01", "--server", lifting_server]) == 0
    assert capsys.readouterr().err.count("'Mask' has no UVs, so textures cannot be baked.") == 1
    names, times, _ = read_weights(out.with_suffix(".csv"))
    assert (names[0], len(times)) == ("mouthSmileLeft", 9)
    bpy.ops.wm.open_mainfile(filepath=str(out))
    (info,) = api.list_bakes(bpy.data.objects["Mask"])
    assert (info.layer, info.hold, info.balance, info.duration) == ("nla", 2, 0.5, 0.5)
    assert (info.start_frame, info.last_frame) == (20, pytest.approx(32))
