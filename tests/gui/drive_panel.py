"""Drives the panel in a Blender window: Generate, bakes, report, edits, undo, with screenshots.

Run it inside Blender's window with the full extension installed, `window.py`, `drive_bakes.py` and
`drive_parts.py` beside it. It works in the folder that it lies in: it opens `character.blend` there
if there is one (else it makes the built-in character), reads settings of `MicrofaceSettings` from
`drive.json` if there is one, and leaves its bakes in `character.blend`, and `drive-*.png` (grabbed
from the X screen, so it needs a virtual screen, xwd and ImageMagick). Each check prints a line that
begins with PASS or FAIL; the last line counts them.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))
from drive_bakes import edit_steps
from drive_parts import parts_steps
from window import (
    FOLDER,
    PATIENCE_SECONDS,
    Clock,
    Drive,
    Score,
    arrange,
    choose_tab,
    in_view,
    is_keyed,
    open_character,
    run,
    screenshot,
    sequences,
)


def open_steps(drive: Drive) -> Iterator[float]:
    """Open the character and turn to the panel."""
    drive.name = open_character().name
    yield 1.0
    with in_view():
        arrange()
    yield 1.0
    with in_view():
        bpy.ops.view3d.view_center_camera()
    drive.score.check("the sidebar has the tab", choose_tab())
    drive.settings.character = drive.obj
    chosen = FOLDER / "drive.json"
    for name, value in json.loads(chosen.read_text()).items() if chosen.exists() else ():
        setattr(drive.settings, name, value)
    yield 1.0
    screenshot("1-ready")


def generate_steps(drive: Drive) -> Iterator[float]:
    """Generate, and measure how long the window stalls at each stage."""
    score, clock, desk = drive.score, drive.clock, drive.desk
    started = time.perf_counter()

    def waited() -> float:
        return time.perf_counter() - started

    outcome, seconds = run(bpy.ops.microface.generate)
    score.check("Generate starts", outcome == {"FINISHED"}, f"{seconds:.1f} s on the main thread")
    clock.restart()
    yield 0.5
    while desk.aside is not None and waited() < PATIENCE_SECONDS:
        yield 0.1
    print(f"     neutral rendered after {waited():.1f} s; {clock.told()}")
    clock.restart()
    while desk.busy and desk.session is None and waited() < PATIENCE_SECONDS:
        yield 0.1
    print(f"     server ready after {waited():.1f} s; {clock.told()}")
    clock.restart()
    while desk.busy and desk.message != "generate" and waited() < PATIENCE_SECONDS:
        yield 0.1
    print(f"     sent, decoded and aligned; {clock.told()}")
    clock.restart()
    while desk.busy and desk.progress < 0.5 and waited() < PATIENCE_SECONDS:
        yield 0.05
    half = clock.told()
    screenshot("2-streaming")
    clock.restart()
    while desk.busy and waited() < PATIENCE_SECONDS:
        yield 0.05
    print(f"     streaming: first half {half}; second half {clock.told()}")
    print(f"     slowest tick of the session {1000 * desk.slowest_tick_seconds:.1f} ms")
    session = desk.done.get(drive.name)
    told = f"{desk.message} {desk.remedy} after {waited():.1f} s"
    score.check("Generate ends with frames", session is not None, told)
    yield 0.5
    screenshot("3-generated")
    if session is None:
        raise RuntimeError("nothing was generated, so nothing can be baked")
    print(f"     seconds by stage: {session.result().result.get('seconds')}")


def key_steps(drive: Drive) -> Iterator[float]:
    """Bake to shape keys; undo and redo that."""
    score = drive.score
    outcome, seconds = run(bpy.ops.microface.bake_shape_keys)
    told = f"{seconds:.1f} s; {drive.desk.message}"
    score.check("Bake to Shape Keys", outcome == {"FINISHED"}, told)
    yield 0.5
    with in_view():
        bpy.ops.ed.undo()
    score.check("one undo takes the keys back", not is_keyed(drive.obj))
    with in_view():
        bpy.ops.ed.redo()
    score.check("redo brings them again", is_keyed(drive.obj))
    yield 0.5


def texture_steps(drive: Drive) -> Iterator[float]:
    """Bake to texture; undo, redo, and cancel another one."""
    score, clock, desk = drive.score, drive.clock, drive.desk
    outcome, seconds = run(bpy.ops.microface.bake_texture)
    told = f"{seconds:.1f} s; {desk.remedy}"
    score.check("Bake to Texture starts", outcome == {"FINISHED"}, told)
    clock.restart()
    yield 2.0
    screenshot("4-baking-textures")
    yield from drive.until_idle()
    wired = sequences()
    score.check("Bake to Texture ends", len(wired) == 1, f"{desk.message}; {clock.told()}")
    yield 0.5
    with in_view():
        bpy.ops.ed.undo()
    score.check(
        "one undo takes the texture out, the keys stay",
        not sequences() and is_keyed(drive.obj),
    )
    with in_view():
        bpy.ops.ed.redo()
    score.check("redo brings it again", len(sequences()) == 1)
    run(bpy.ops.microface.bake_texture)
    yield 3.0
    run(bpy.ops.microface.cancel)
    yield 0.5
    left = [path.name for path in (FOLDER / "character_microface" / "texture").glob(".*")]
    kept = [path for path in map(bpy.path.abspath, wired) if Path(path).exists()]
    score.check("a cancelled bake leaves the textures as they were", not left and len(kept) == 1)
    screenshot("5-baked")


def map_steps(drive: Drive) -> Iterator[float]:
    """Bake wrinkle maps in place of the texture, and undo that."""
    score, clock, desk = drive.score, drive.clock, drive.desk
    before = sequences()
    outcome, seconds = run(bpy.ops.microface.bake_wrinkles)
    told = f"{seconds:.1f} s; {desk.remedy}"
    score.check("Bake Wrinkle Maps starts", outcome == {"FINISHED"}, told)
    clock.restart()
    yield from drive.until_idle()
    told = f"{desk.message} {desk.remedy}; {clock.told()}"
    score.check("Bake Wrinkle Maps ends", not sequences() and not desk.remedy, told)
    yield 0.5
    with in_view():
        bpy.ops.ed.undo()
    score.check("one undo brings the texture back", sequences() == before)


def report_steps(drive: Drive) -> Iterator[float]:
    """Write the report."""
    score, clock, desk = drive.score, drive.clock, drive.desk
    outcome, seconds = run(bpy.ops.microface.write_report)
    told = f"{seconds:.1f} s; {desk.remedy}"
    score.check("Write Report starts", outcome == {"FINISHED"}, told)
    clock.restart()
    yield from drive.until_idle()
    page = Path(desk.report.get(drive.name, "nowhere"))
    told = f"{desk.message} {desk.remedy}; {clock.told()}"
    score.check("Write Report ends", page.is_file(), told)
    yield 0.5
    screenshot("6-reported")


def play_steps(drive: Drive) -> Iterator[float]:
    """Look at the apex, play, save, and load again."""
    score, obj = drive.score, drive.obj
    apex = float(drive.desk.done[drive.name].result().result["apex"]["seconds"])
    scene = bpy.context.scene
    frame = drive.settings.start_frame + apex * scene.render.fps / scene.render.fps_base
    scene.frame_set(int(frame), subframe=frame % 1.0)
    yield 1.0
    keys = obj.data.shape_keys.key_blocks
    strongest = sorted(((abs(key.value), key.name) for key in keys[1:]), reverse=True)[:4]
    told = ", ".join(f"{name} {value:.2f}" for value, name in strongest)
    score.check("keys move at the apex", strongest[0][0] > 0.01, f"frame {frame:.2f}: {told}")
    screenshot("10-apex")
    with in_view():
        bpy.ops.screen.animation_play()
    yield 2.0
    with in_view():
        bpy.ops.screen.animation_cancel(restore_frame=False)
    bpy.ops.wm.save_mainfile()
    path = bpy.data.filepath
    yield 0.5
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
    yield 1.0
    proofs = [text for text in bpy.data.texts if "Microface proof" in text.name]
    good = is_keyed(drive.obj) and len(sequences()) == 1 and len(proofs) == 1
    score.check("saved and loaded again, bake and evidence are there", good)
    choose_tab()
    yield 1.0
    screenshot("11-loaded")
    bpy.context.preferences.view.ui_scale = 1.4
    yield 1.0
    screenshot("12-large-letters")
    bpy.context.preferences.view.ui_scale = 1.0


def steps(drive: Drive) -> Iterator[float]:
    """Everything that is done, in order; yields how many seconds to leave to Blender."""
    yield from open_steps(drive)
    yield from parts_steps(drive)
    yield from generate_steps(drive)
    yield from key_steps(drive)
    yield from texture_steps(drive)
    yield from map_steps(drive)
    yield from report_steps(drive)
    yield from edit_steps(drive)
    yield from play_steps(drive)


def main() -> None:
    """Let Blender's timers carry the steps on, and quit at the end."""
    drive = Drive(Score(), Clock(), bpy.types.WindowManager.microface_desk)
    work = steps(drive)

    def advance() -> float | None:
        try:
            return next(work)
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001 - whatever it is, it must not leave the window open
            traceback.print_exc()
            drive.score.check("the script runs to its end", False)
            screenshot("failed")
        print(f"DONE {drive.score.passed} passed, {drive.score.failed} failed", flush=True)
        bpy.ops.wm.quit_blender()
        return None

    # Persistent: opening a file ends all other timers.
    bpy.app.timers.register(drive.clock.tick, persistent=True)
    bpy.app.timers.register(advance, first_interval=3.0, persistent=True)


main()
