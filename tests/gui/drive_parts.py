"""Opens the panel's closed parts and shows each choice in them, with screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from window import Drive, screenshot

#: What is chosen for a screenshot: settings of the variation, or of the panel itself.
CHOICES: dict[str, dict[str, Any]] = {
    "as-at-first": {},
    "built-in": {"neutral": "FRAME", "use_second": True, "part": "UPPER"},
    "files": {
        "neutral": "FILE",
        "use_second": True,
        "second_source": "FILE",
        "clip_source": "FILE",
    },
}


def parts_steps(drive: Drive) -> Iterator[float]:
    """Open all parts, show them with every choice made, and leave all as it was."""
    parts = [one for one in bpy.types.Panel.__subclasses__() if _is_closed_part(one)]
    opened = [_open(one) for one in parts]
    settings, variation = drive.settings, drive.settings.variation
    for name, choices in CHOICES.items():
        owners = {key: variation if hasattr(variation, key) else settings for key in choices}
        before = {key: getattr(owner, key) for key, owner in owners.items()}
        for key, owner in owners.items():
            setattr(owner, key, choices[key])
        # Panels glide to their places over a few draws.
        for _ in range(3):
            bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
            yield 0.5
        screenshot(f"parts-{name}")
        for key, owner in owners.items():
            setattr(owner, key, before[key])
    for one, part in zip(opened, parts, strict=True):
        bpy.utils.unregister_class(one)
        bpy.utils.register_class(part)
    drive.score.check("the panel has closed parts", len(parts) >= 5, f"{len(parts)}")


def _is_closed_part(panel: Any) -> bool:
    return (
        getattr(panel, "bl_parent_id", "") == "MICROFACE_PT_main"
        and "DEFAULT_CLOSED" in getattr(panel, "bl_options", ())
        and panel.is_registered
    )


def _open(part: Any) -> Any:
    """Register a part anew under another name, which Blender does not know to be closed."""
    name = f"{part.bl_idname}_open"
    bpy.utils.unregister_class(part)
    opened = type(
        name, part.__bases__, dict(part.__dict__) | {"bl_idname": name, "bl_options": set()}
    )
    bpy.utils.register_class(opened)
    return opened
