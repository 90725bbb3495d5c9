"""What the scripts that drive Blender's window share: a clock, a score, screenshots, calls."""

from __future__ import annotations

import importlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass
class Drive:
    """A drive of the panel: its score and clock, the add-on's running state, the character."""

    score: Score
    clock: Clock
    desk: Any
    name: str = ""

    @property
    def obj(self) -> Any:
        """The character; references to it die across undo."""
        return bpy.data.objects[self.name]

    @property
    def settings(self) -> Any:
        """The panel's settings."""
        return bpy.context.scene.microface

    def until_idle(self) -> Iterator[float]:
        """Wait until nothing runs, as long as patience lasts."""
        started = time.perf_counter()
        while self.desk.busy and time.perf_counter() - started < PATIENCE_SECONDS:
            yield 0.1


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
    found = {one.filepath for one in images if one is not None and one.source == "SEQUENCE"}
    return sorted(found)
