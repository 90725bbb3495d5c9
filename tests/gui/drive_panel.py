"""Drives the panel in a Blender window: Generate by the timer, then both bakes, with screenshots.

Run it inside Blender's window with the full extension installed. It works in the folder that it
lies in: it opens `character.blend` there if there is one (else it makes the built-in character),
reads settings of `MicrofaceSettings` from `drive.json` if there is one, and leaves `baked.blend`
and `drive-*.png` (grabbed from the X screen, so it needs a virtual screen, xwd and ImageMagick).
Each check prints a line that begins with PASS or FAIL; the last line counts them.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

FOLDER = Path(__file__).resolve().parent
#: How often the clock that finds stalls of the main thread ticks.
CLOCK_SECONDS = 0.005
#: Nothing waits longer than this.
PATIENCE_SECONDS = 900.0


class Clock:
    """Measures how long Blender's main thread is away from its timers, and how long it computes."""

    def __init__(self) -> None:
        self.gaps: list[tuple[float, float]] = []
        self.last = self.computed = 0.0
        self.restart()

    def tick(self) -> float:
        """Called by Blender's timers."""
        now, computed = time.perf_counter(), time.thread_time()
        self.gaps.append((now - self.last - CLOCK_SECONDS, computed - self.computed))
        self.last, self.computed = now, computed
        return CLOCK_SECONDS

    def restart(self) -> None:
        """Forget what was measured, and what this very moment takes."""
        self.gaps.clear()
        self.last, self.computed = time.perf_counter(), time.thread_time()

    def told(self) -> str:
        """The longest stall and the 95th percentile since `restart`, in words.

        On a busy machine a stall is mostly waiting for a processor; what it computed tells ours.
        """
        away = sorted(gap for gap, _ in self.gaps) or [0.0]
        own = sorted(computed for _, computed in self.gaps) or [0.0]
        most = int(0.95 * (len(away) - 1))
        return (
            f"longest stall {1000 * away[-1]:.0f} ms ({1000 * own[-1]:.0f} ms of computing), "
            f"95 % under {1000 * away[most]:.0f} ms ({1000 * own[most]:.0f} ms)"
        )


class Score:
    """Counts and prints the checks."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, what: str, good: bool, detail: str = "") -> None:
        """Print one check."""
        self.passed += good
        self.failed += not good
        print(f"{'PASS' if good else 'FAIL'} {what}{': ' if detail else ''}{detail}", flush=True)


def view_area() -> Any:
    """The 3D view of the only window."""
    screen = bpy.context.window_manager.windows[0].screen
    return next(area for area in screen.areas if area.type == "VIEW_3D")


def in_view() -> Any:
    """A context override: the 3D view, as if the pointer were in it."""
    area = view_area()
    region = next(region for region in area.regions if region.type == "WINDOW")
    window = bpy.context.window_manager.windows[0]
    return bpy.context.temp_override(window=window, area=area, region=region)


def screenshot(name: str) -> None:
    """Grab the screen as `drive-<name>.png`."""
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
    path = FOLDER / f"drive-{name}.png"
    subprocess.run(f"xwd -root | convert xwd:- {path}", shell=True, check=True)


def run(operator: Any) -> tuple[set[str], float]:
    """Call an operator as the panel does; return what it returned and the seconds it took.

    Prints what of them the main thread computed: the rest is waiting, on a busy machine mostly for
    a processor.
    """
    started, computed = time.perf_counter(), time.thread_time()
    with in_view():
        try:
            outcome = set(operator("EXEC_DEFAULT", True))  # with an undo step
        except RuntimeError as error:  # what an operator's error report becomes in Python
            print(error)
            outcome = {"CANCELLED"}
    print(f"     {operator.idname_py()}: {time.thread_time() - computed:.2f} s of computing")
    return outcome, time.perf_counter() - started


def is_keyed(obj: Any) -> bool:
    """Whether an action plays on the shape keys."""
    animation = obj.data.shape_keys.animation_data
    return animation is not None and animation.action is not None


def open_character() -> Any:
    """Open the character, made first where there is none, and return its object."""
    path = FOLDER / "character.blend"
    if not path.exists():
        make_character(path)
    # Opening a file takes the splash screen away, too.
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
    return next(obj for obj in bpy.data.objects if obj.type == "MESH" and obj.data.shape_keys)


def make_character(path: Path) -> None:
    """Save the built-in character in its scene."""
    addon = next(name for name in bpy.context.preferences.addons.keys() if "microface" in name)  # noqa: SIM118
    scenery = importlib.import_module(f"{addon}.addon.character.builtin_scene")
    for obj in list(bpy.data.objects):
        bpy.data.objects.remove(obj)
    bpy.ops.microface.add_character()
    scenery.create_scene(bpy.context.scene.microface.character)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))


def arrange() -> None:
    """Look through the camera in plain shading, with the sidebar open."""
    space = view_area().spaces.active
    space.shading.type = "SOLID"
    space.shading.color_type = "TEXTURE"
    space.overlay.show_overlays = False
    space.show_region_ui = True
    if bpy.context.scene.camera is not None:
        space.region_3d.view_perspective = "CAMERA"


def choose_tab() -> bool:
    """Turn the sidebar to our tab; False while Blender has not drawn it yet."""
    region = next(region for region in view_area().regions if region.type == "UI")
    try:
        region.active_panel_category = "Microface"
    except TypeError:
        return False
    return bool(region.active_panel_category == "Microface")


def sequences() -> list[str]:
    """The paths of the image sequences that materials show."""
    trees = [one.node_tree for one in bpy.data.materials if one.node_tree is not None]
    images = [getattr(node, "image", None) for tree in trees for node in tree.nodes]
    return [one.filepath for one in images if one is not None and one.source == "SEQUENCE"]


def until_idle(desk: Any) -> Iterator[float]:
    """Wait until nothing runs, as long as patience lasts."""
    started = time.perf_counter()
    while desk.busy and time.perf_counter() - started < PATIENCE_SECONDS:
        yield 0.1


def steps(score: Score, clock: Clock) -> Iterator[float]:
    """Everything that is done, in order; yields how many seconds to leave to Blender."""
    obj = open_character()
    yield 1.0
    with in_view():
        arrange()
    yield 1.0
    with in_view():
        bpy.ops.view3d.view_center_camera()
    score.check("the sidebar has the tab", choose_tab())
    settings = bpy.context.scene.microface
    settings.character = obj
    chosen = FOLDER / "drive.json"
    for name, value in json.loads(chosen.read_text()).items() if chosen.exists() else ():
        setattr(settings, name, value)
    yield 1.0
    screenshot("1-ready")

    desk = bpy.types.WindowManager.microface_desk
    started = time.perf_counter()
    outcome, seconds = run(bpy.ops.microface.generate)
    score.check("Generate starts", outcome == {"FINISHED"}, f"{seconds:.1f} s on the main thread")
    clock.restart()
    yield 0.5
    while desk.aside is not None and time.perf_counter() - started < PATIENCE_SECONDS:
        yield 0.1
    print(f"     neutral rendered after {time.perf_counter() - started:.1f} s; {clock.told()}")
    clock.restart()
    while desk.busy and desk.session is None and time.perf_counter() - started < PATIENCE_SECONDS:
        yield 0.1
    print(f"     server ready after {time.perf_counter() - started:.1f} s; {clock.told()}")
    clock.restart()
    while (
        desk.busy
        and desk.message != "generate"
        and time.perf_counter() - started < PATIENCE_SECONDS
    ):
        yield 0.1
    print(f"     sent, decoded and aligned; {clock.told()}")
    clock.restart()
    while desk.busy and desk.progress < 0.5 and time.perf_counter() - started < PATIENCE_SECONDS:
        yield 0.05
    half = clock.told()
    screenshot("2-streaming")
    clock.restart()
    while desk.busy and time.perf_counter() - started < PATIENCE_SECONDS:
        yield 0.05
    print(f"     streaming: first half {half}; second half {clock.told()}")
    print(f"     slowest tick of the session {1000 * desk.slowest_tick_seconds:.1f} ms")
    session = desk.done.get(obj.name)
    generated = session.result() if session is not None else None
    score.check(
        "Generate ends with frames",
        generated is not None,
        f"{desk.message} {desk.remedy} after {time.perf_counter() - started:.1f} s",
    )
    if session is None:
        screenshot("3-failed")
        return
    generated = session.result()
    yield 0.5
    screenshot("3-generated")
    print(f"     seconds by stage: {generated.result.get('seconds')}")

    outcome, seconds = run(bpy.ops.microface.bake_shape_keys)
    score.check("Bake to Shape Keys", outcome == {"FINISHED"}, f"{seconds:.1f} s; {desk.message}")
    yield 0.5
    name = obj.name
    with in_view():
        bpy.ops.ed.undo()
    obj = bpy.data.objects[name]  # references die across undo
    score.check("one undo takes the keys back", not is_keyed(obj))
    with in_view():
        bpy.ops.ed.redo()
    obj = bpy.data.objects[name]
    score.check("redo brings them again", is_keyed(obj))
    settings = bpy.context.scene.microface
    yield 0.5
    outcome, seconds = run(bpy.ops.microface.bake_texture)
    score.check(
        "Bake to Texture starts", outcome == {"FINISHED"}, f"{seconds:.1f} s; {desk.remedy}"
    )
    clock.restart()
    yield 2.0
    screenshot("4-baking-textures")
    yield from until_idle(desk)
    wired = sequences()
    score.check("Bake to Texture ends", len(wired) == 1, f"{desk.message}; {clock.told()}")
    yield 0.5
    with in_view():
        bpy.ops.ed.undo()
    score.check(
        "one undo takes the texture out, the keys stay",
        not sequences() and is_keyed(bpy.data.objects[name]),
    )
    with in_view():
        bpy.ops.ed.redo()
    obj = bpy.data.objects[name]
    score.check("redo brings it again", len(sequences()) == 1)
    run(bpy.ops.microface.bake_texture)
    yield 3.0
    run(bpy.ops.microface.cancel)
    yield 0.5
    left = [path.name for path in (FOLDER / "character_microface" / "texture").glob(".*")]
    kept = [path for path in map(bpy.path.abspath, wired) if Path(path).exists()]
    score.check("a cancelled bake leaves the textures as they were", not left and len(kept) == 1)
    screenshot("5-baked")

    outcome, seconds = run(bpy.ops.microface.write_report)
    score.check("Write Report starts", outcome == {"FINISHED"}, f"{seconds:.1f} s; {desk.remedy}")
    clock.restart()
    yield from until_idle(desk)
    page = Path(desk.report.get(name, "nowhere"))
    score.check(
        "Write Report ends", page.is_file(), f"{desk.message} {desk.remedy}; {clock.told()}"
    )
    screenshot("6-reported")

    apex = float(generated.result["apex"]["seconds"])
    scene = bpy.context.scene
    frame = settings.start_frame + apex * scene.render.fps / scene.render.fps_base
    scene.frame_set(int(frame), subframe=frame % 1.0)
    yield 1.0
    keys = obj.data.shape_keys.key_blocks
    strongest = sorted(((abs(key.value), key.name) for key in keys[1:]), reverse=True)[:4]
    told = ", ".join(f"{name} {value:.2f}" for value, name in strongest)
    score.check("keys move at the apex", strongest[0][0] > 0.01, f"frame {frame:.2f}: {told}")
    screenshot("7-apex")
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
    obj = bpy.data.objects[name]
    proofs = [text for text in bpy.data.texts if "Microface proof" in text.name]
    good = is_keyed(obj) and len(sequences()) == 1 and len(proofs) == 1
    score.check("saved and loaded again, bake and evidence are there", good)
    choose_tab()
    yield 1.0
    screenshot("8-loaded")


def main() -> None:
    """Let Blender's timers carry the steps on, and quit at the end."""
    score, clock = Score(), Clock()
    work = steps(score, clock)

    def advance() -> float | None:
        try:
            return next(work)
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001 - whatever it is, it must not leave the window open
            traceback.print_exc()
            score.check("the script runs to its end", False)
        print(f"DONE {score.passed} passed, {score.failed} failed", flush=True)
        bpy.ops.wm.quit_blender()
        return None

    # Persistent: opening a file ends all other timers.
    bpy.app.timers.register(clock.tick, persistent=True)
    bpy.app.timers.register(advance, first_interval=3.0, persistent=True)


main()
