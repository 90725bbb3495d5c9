"""Operators of the report: write it in a second Blender, open it in a browser."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import bpy

from ...errors import InputError
from .. import api
from ..verify.prove import render_proofs
from ..verify.report import write_report
from ..verify.store import PREFIX, store, stored
from .aside import can_work_aside, start_aside
from .chosen import chosen_character
from .desk import desk, start_ticking
from .elsewhere import where
from .reporting import reporting


class MICROFACE_OT_write_report(bpy.types.Operator):  # type: ignore[misc]
    """Render the baked character again and write how near it is to what was generated"""

    bl_idname = "microface.write_report"
    bl_label = "Write Report"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One thing at a time."""
        return not desk().busy

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Write the report beside the saved file, in a second Blender where there is a window."""
        obj = chosen_character(context)
        evidence = stored(obj)
        if evidence is None or not evidence.events:
            raise InputError(f"Nothing is baked on '{obj.name}'.", "Bake something first.")
        folder = api.output_folder()
        if can_work_aside():
            _write_elsewhere(obj, folder)
            start_ticking()
            return {"FINISHED"}
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="report-", dir=folder) as draft:
            proofs = render_proofs(obj)
            store(proofs[-1].evidence)
            write_report(obj, proofs, Path(draft) / "report")
            _put(obj.name, Path(draft) / "report", folder)
        return {"FINISHED"}


class MICROFACE_OT_open_report(bpy.types.Operator):  # type: ignore[misc]
    """Show the report in the browser"""

    bl_idname = "microface.open_report"
    bl_label = "Open Report"

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Open the page."""
        page = Path(desk().report.get(chosen_character(context).name, ""))
        if not page.is_file():
            raise InputError("There is no report.", "Press Write Report.")
        bpy.ops.wm.url_open(url=page.as_uri())
        return {"FINISHED"}


def _write_elsewhere(obj: Any, folder: Path) -> None:
    name, text = str(obj.name), PREFIX + str(obj.name)

    def put(draft: Path, outcome: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        block = bpy.data.texts.get(text)
        if block is not None:
            block.from_string((draft / "evidence.txt").read_text(encoding="utf-8"))
        _put(name, draft / "report", folder)

    job = where(obj) | {"text": text, "into": "report"}
    desk().begin_aside(start_aside("report", "Rendering the report", job, put))


def _put(name: str, draft: Path, folder: Path) -> None:
    """Move a report to where it belongs, in place of an earlier one."""
    place = folder / "report"
    with tempfile.TemporaryDirectory(prefix="replaced-", dir=folder) as old:
        if place.exists():
            place.rename(Path(old) / "report")
        shutil.move(str(draft), str(place))
    desk().report[name] = str(place / "index.html")
    desk().message = f"Report: {place / 'index.html'}"
