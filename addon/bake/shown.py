"""Which action units the source of a result shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def units_shown(result: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return units (U,2), FACS's number and how sure it is, of a retarget's table; none where a
    server told none."""
    told = result.get("units") or ()
    return np.array([(one["unit"], one["confidence"]) for one in told], np.float64).reshape(-1, 2)
