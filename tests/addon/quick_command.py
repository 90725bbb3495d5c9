"""`microface` with a quick engine in its embedded server, that stands still at a named moment.

    python quick_command.py MOMENT bake hero.blend ...

MOMENT is "generate", "keys", "texture", "save", "move" or "-" (do not stand still). When it is
reached, the process prints "AT MOMENT" and waits to be killed.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import microface.drafts as drafts
from microface.addon import api
from microface.addon.bake import publish
from microface.addon.retarget import connection
from microface.commands import main

ENGINE = Path(__file__).with_name("engine_for_bakes.py")


def standing_still(moment: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, which announces its moment and waits before it is done."""

    @functools.wraps(function)
    def still(*arguments: Any, **named: Any) -> Any:
        print(f"AT {moment}", flush=True)
        time.sleep(120)
        return function(*arguments, **named)

    return still


def stop_at(moment: str) -> None:
    """Let the process stand still at a moment."""
    if moment == "generate":
        take = connection.Client.perform

        def perform(self: Any, *arguments: Any) -> Any:
            job = take(self, *arguments)
            pump = job.pump

            def pumping(on_event: Any) -> Any:
                return pump(standing_still(moment, on_event))

            job.pump = pumping
            return job

        connection.Client.perform = perform
    elif moment == "keys":
        api.bake_texture = standing_still(moment, api.bake_texture)  # the keys are there
    elif moment == "texture":
        api.bake_edges = standing_still(moment, api.bake_edges)  # the textures are written
    elif moment == "save":
        publish.move_all = standing_still(moment, publish.move_all)  # the .blend is saved aside
    elif moment == "move":
        make = drafts._make_moves

        def half(draft: Path) -> None:
            listed = draft / drafts.MOVES
            kept = listed.read_text()
            first = kept.split(",")[0].rstrip("}") + "}"
            listed.write_text(first)
            make(draft)
            listed.write_text(kept)
            standing_still(moment, make)(draft)

        drafts._make_moves = half


if __name__ == "__main__":
    connection.EmbeddedServer = functools.partial(
        connection.EmbeddedServer, engine=f"{ENGINE}:LiftingEngine"
    )
    stop_at(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
