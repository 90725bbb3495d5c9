"""Which action units the source of a result shows, and where the character's face is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def units_shown(result: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return units (U,2), FACS's number and how sure it is, of a retarget's table; none where a
    server told none. What a unit may be instead is shown as well, not sure at all."""
    told = result.get("units") or ()
    sure = {unit: 0.0 for one in told for unit in one.get("instead", ())}
    sure |= {one["unit"]: one["confidence"] for one in told}
    return np.array(list(sure.items()), np.float64).reshape(-1, 2)


def face_crop(result: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the crop (4,) about the character's face in a retarget's table: centre x, y and side
    in pixels, roll in radians; empty where none is told."""
    crop = result.get("faces", {}).get("character")
    names = ("x", "y", "side", "roll") if crop else ()
    return np.array([crop[name] for name in names], np.float64)


def told_units(result: Mapping[str, Any]) -> str:
    """Return the same for people: "AU12 lip corner puller, left (95%); AU14 dimpler, both sides
    (49%, or AU24)"; "" for none."""
    return "; ".join(_told(one) for one in result.get("units") or ())


def _told(one: Mapping[str, Any]) -> str:
    side = "both sides" if one["side"] == "both" else one["side"]
    others = " and ".join(f"AU{unit}" for unit in one.get("instead", ()))
    sure = f"{one['confidence']:.0%}" + (f", or {others}" if others else "")
    return f"AU{one['unit']} {one['name']}, {side} ({sure})"
