"""What runs while the artist works: the link to the server, the session, what was generated.

Blender keeps operators and panels as classes without a common owner, so that what they share hangs
on the window manager's class, from `register` to `unregister`; nothing of it is saved.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import bpy

from ...errors import MicrofaceError
from ...server.client import Client, Performance
from ..bake.shape_keys import ShapeKeyBake
from ..retarget.connection import Link
from ..retarget.prepare import Prepared
from ..retarget.session import Session
from .aside import Aside

#: A tick of the timer may take this long on Blender's main thread.
TICK_SECONDS = 0.003
#: Pause between two ticks.
PAUSE_SECONDS = 0.02


@dataclass
class Order:
    """A generation that was asked for and waits for its server."""

    prepared: Prepared
    asked: Performance
    label: str


@dataclass
class Desk:
    """The running state of the add-on.

    `aside` is work in a second Blender: a neutral, textures or a report. `done` holds the last
    finished session per character name, `baked` the last bake of shape keys, `notes` what the last
    bakes were found to be, a line each, `report` the last page; `message` and `remedy` the last
    outcome as the panel shows it; `progress` 0..1 while something runs.
    """

    link: Link | None = None
    aside: Aside | None = None
    order: Order | None = None
    session: Session | None = None
    done: dict[str, Session] = field(default_factory=dict)
    baked: dict[str, ShapeKeyBake] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    report: dict[str, str] = field(default_factory=dict)
    message: str = ""
    remedy: str = ""
    progress: float = 0.0
    slowest_tick_seconds: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether a generation, or work in a second Blender, runs."""
        return self.aside is not None or self.order is not None or self.session is not None

    @property
    def shown(self) -> tuple[str, int]:
        """What the panel shows of a running generation: the stage, and whole percents."""
        return self.message, int(100 * self.progress)

    def link_to(self, server: str) -> Link:
        """Return the link to a server, a new one if another was used before."""
        if self.link is None or self.link.server != server:
            self.drop_link()
            self.link = Link(server)
        return self.link

    def drop_link(self) -> None:
        """Close the link; an embedded server is stopped."""
        link, self.link = self.link, None
        if link is not None:
            link.close()

    def begin_aside(self, aside: Aside) -> None:
        """Wait for work in a second Blender; `advance` looks for its outcome."""
        self.cancel()
        self.aside = aside
        self.message, self.remedy, self.progress = aside.stage, "", 0.0

    def start(self, server: str, order: Order) -> None:
        """Begin a generation; `advance` carries it on."""
        self.cancel()
        # Started here and not by the timer: starting a process takes longer than a tick may.
        self.link_to(server).poll()
        self.order = order
        self.message, self.remedy, self.progress = "Starting the server", "", 0.0

    def advance(self, budget_seconds: float) -> bool:
        """Carry the generation on for at most the budget; return whether it still runs."""
        try:
            if self.aside is not None:
                return self._advance_aside(self.aside)
            return self._advance(budget_seconds)
        except MicrofaceError as error:
            if self.aside is not None:
                self._drop_aside()
            else:
                self.order = self.session = None
                self.drop_link()
            self.message, self.remedy = error.what, error.remedy
            return False

    def _advance_aside(self, aside: Aside) -> bool:
        outcome = aside.poll()
        self.progress = aside.progress
        if outcome is None:
            return True
        self.aside, self.message = None, ""
        try:
            aside.then(aside.folder, outcome)
        finally:
            aside.close()
        return self.busy

    def _drop_aside(self) -> None:
        aside, self.aside = self.aside, None
        if aside is not None:
            aside.close()

    def _advance(self, budget_seconds: float) -> bool:
        if self.order is not None:
            assert self.link is not None
            client = self.link.poll()
            if client is None:
                return True
            order, self.order = self.order, None
            self.session = self._session(client, order)
            return True
        session = self.session
        if session is None:
            return False
        finished = session.poll(budget_seconds)
        self.progress, self.message = session.progress, session.stage
        if not finished:
            return True
        self.session = None
        self._keep(session)
        return False

    def _session(self, client: Client, order: Order) -> Session:
        return Session(client, order.prepared, order.asked, order.label)

    def _keep(self, session: Session) -> None:
        self.done[session.prepared.object_name] = session
        self.baked.pop(session.prepared.object_name, None)
        self.message = "Generated"

    def finish(self) -> None:
        """Wait for the generation to end; raises its error. For use without a window."""
        order, self.order = self.order, None
        if order is None or self.link is None:
            return
        try:
            session = self._session(self.link.wait(), order)
            session.pump()
        except MicrofaceError:
            self.drop_link()
            raise
        self._keep(session)

    def cancel(self) -> None:
        """Stop what runs; what was generated and baked before stays."""
        if self.session is not None:
            self.session.cancel()
        if self.busy:
            self.message, self.remedy, self.progress = "Cancelled", "", 0.0
        self._drop_aside()
        self.order = self.session = None

    def close(self) -> None:
        """Stop everything."""
        self.cancel()
        self.drop_link()


def desk() -> Desk:
    """Return the running state; there is one from `open_desk` to `close_desk`."""
    found: Desk = bpy.types.WindowManager.microface_desk
    return found


def open_desk() -> None:
    """Make the running state."""
    bpy.types.WindowManager.microface_desk = Desk()


def close_desk() -> None:
    """Stop everything and drop the running state."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    desk().close()
    del bpy.types.WindowManager.microface_desk


def start_ticking() -> None:
    """Let Blender's timers carry the generation on."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=PAUSE_SECONDS)


def tick() -> float | None:
    """One step of a running generation on Blender's main thread."""
    started = time.perf_counter()
    state = desk()
    shown = state.shown
    running = state.advance(TICK_SECONDS)
    state.slowest_tick_seconds = max(state.slowest_tick_seconds, time.perf_counter() - started)
    if not running or state.shown != shown:
        redraw()
    return PAUSE_SECONDS if running else None


def redraw() -> None:
    """Ask Blender to draw the panels again."""
    manager: Any = bpy.context.window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":  # the sidebar alone: a whole view can take long
                        region.tag_redraw()
