"""What the second Blender does: see `aside`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...errors import InputError, MicrofaceError
from .. import api
from ..retarget.prepare import prepare
from ..verify.prove import render_proofs
from ..verify.report import write_report
from ..verify.store import store
from .aside import JOB, OUTCOME, PROGRESS
from .parcel import (
    maps_to_plain,
    read_bake,
    read_generated,
    read_json,
    write_json,
    write_prepared,
)

Tell = Callable[[float], None]
#: Progress is written at most this often.
TELL_SECONDS = 0.2


def main() -> None:
    """Do the job whose folder the environment names; write its outcome there."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    folder = Path(os.environ["MICROFACE_ASIDE"])
    job = read_json(folder / JOB)
    try:
        outcome = JOBS[job["kind"]](folder, job, _teller(folder))
    except MicrofaceError as error:
        outcome = {"what": error.what, "remedy": error.remedy, "status": error.exit_status}
    write_json(folder / OUTCOME, outcome)


def _neutral(folder: Path, job: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Frame the face, render its neutral and take its fingerprint."""
    write_prepared(folder, prepare(_character(job), job["resolution"]))
    return {}


def _texture(folder: Path, job: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Bake textures to where they are to lie; what shows them is told, not wired."""
    bake = api.bake_texture(
        _character(job),
        read_generated(folder),
        Path(job["into"]),
        job["start_frame"],
        job["size"],
        read_bake(folder),
        tell,
        kind=job["format"],
    )
    found = []
    for number, one in enumerate(bake.textures):
        np.save(folder / f"array-{number}.npy", one.moving)
        found.append(
            {
                "name": one.name,
                "files": [path.relative_to(bake.folder).as_posix() for path in one.files],
                "space": one.colour_space,
            }
        )
    return {"textures": found, "notes": list(bake.notes)}


def _maps(folder: Path, job: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Bake wrinkle maps to where they are to lie; what weighs them is told, not wired."""
    into = Path(job["into"])
    found = api.bake_wrinkle_maps(
        _character(job),
        read_generated(folder),
        into,
        job["start_frame"],
        job["size"],
        read_bake(folder),
        kind=job["format"],
    )
    for number, maps in enumerate(found):
        np.save(folder / f"array-{number}.npy", maps.curves)
    return {"maps": [maps_to_plain(maps, into) for maps in found]}


def _report(folder: Path, job: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Play and render what the file has evidence of, and write the report."""
    obj = _character(job)
    proofs = render_proofs(obj, tell)
    store(proofs[-1].evidence)
    write_report(obj, proofs, folder / job["into"])
    (text,) = (one for one in bpy.data.texts if one.name == job["text"])
    (folder / "evidence.txt").write_text(text.as_string(), encoding="utf-8")
    figures = proofs[-1].measured.figures if proofs[-1].measured is not None else {}
    return {"figures": figures}


JOBS: dict[str, Callable[[Path, dict[str, Any], Tell], dict[str, Any]]] = {
    "neutral": _neutral,
    "texture": _texture,
    "maps": _maps,
    "report": _report,
}


def _character(job: dict[str, Any]) -> Any:
    scene, frame = bpy.data.scenes[job["scene"]], job["frame"]
    obj = bpy.data.objects.get(job["object"])
    if obj is None:
        raise InputError(f"'{job['object']}' is gone.", "Choose the character again.")
    if bpy.context.window is not None:
        bpy.context.window.scene = scene
    whole = int(np.floor(frame))
    scene.frame_set(whole, subframe=frame - whole)
    return obj


def _teller(folder: Path) -> Tell:
    last = [0.0]

    def tell(share: float) -> None:
        if time.monotonic() - last[0] >= TELL_SECONDS:
            last[0] = time.monotonic()
            write_json(folder / PROGRESS, {"share": share})

    return tell


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)
