"""Everything that would go wrong with a character, each with its remedy, before it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...errors import InputError
from .findings import Finding, Severity
from .findings_mesh import check_mesh
from .findings_object import QUICK_OBJECT_CHECKS
from .findings_rig import check_rig, check_wiring
from .shape_keys import shape_key_block
from .uv import check_uv

__all__ = ["Finding", "Severity", "preflight"]

Check = Callable[[Any, Any], Iterator[Finding]]


def preflight(obj: Any, *, quick: bool = False) -> list[Finding]:
    """Return the findings about a character, the worst first; an empty list means all is well.

    `quick` leaves out what takes longer than a panel may take to draw, and changes nothing even
    for a moment.
    """
    try:
        block = shape_key_block(obj)
    except InputError as error:
        absolute = obj is not None and obj.type == "MESH" and obj.data.shape_keys is not None
        fix = "relative" if absolute and not obj.data.shape_keys.use_relative else ""
        return [Finding(Severity.ERROR, error.what, error.remedy, fix)]
    checks: tuple[Check, ...] = (*QUICK_OBJECT_CHECKS, check_wiring)
    if not quick:
        checks = (check_mesh, *QUICK_OBJECT_CHECKS, check_rig, _uv_layout)
    findings = [finding for check in checks for finding in check(obj, block)]
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def _uv_layout(obj: Any, block: Any) -> Iterator[Finding]:
    if obj.data.is_editmode:
        return  # Blender gives no UVs away while they are edited.
    report = check_uv(obj)
    for what, remedy in report.remarks() if report is not None else ():
        yield Finding(Severity.WARNING, what, remedy)
