"""The verdict on a bake: one line per check, with its figure, its limit, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from .evidence import Event


class Verdict(Enum):
    """What a check says; NOT_COVERED says that it could not be done, and why."""

    PASS = "pass"
    FAIL = "FAIL"
    NOT_COVERED = "not covered"


@dataclass(frozen=True)
class Check:
    """One check of one event (or of the file, where `event` is empty).

    `value` and `limit` as text with units; `note` is one line: what is wrong and what mends it,
    or why the check was not done.
    """

    event: str
    name: str
    verdict: Verdict
    value: str = ""
    limit: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the check as plain data."""
        return asdict(self) | {"verdict": self.verdict.value}


def failed(checks: Sequence[Check]) -> list[Check]:
    """Return the checks that fail."""
    return [check for check in checks if check.verdict is Verdict.FAIL]


def presence(event: str, name: str, faults: Sequence[str], good: str, remedy: str) -> Check:
    """Return a check of something that is either in order or has faults (one line each)."""
    if not faults:
        return Check(event, name, Verdict.PASS, good)
    note = f"{'; '.join(faults)}. {remedy}"
    return Check(event, name, Verdict.FAIL, "no", good, note[0].upper() + note[1:])


def not_covered(event: str, name: str, why: str) -> Check:
    """Return a check that could not be done."""
    return Check(event, name, Verdict.NOT_COVERED, note=why)


def rate_check(fps: str, wanted: str) -> Check:
    """Return whether the scene still has the frame rate that the bake was made for."""
    same = fps == wanted
    note = "" if same else "The scene's frame rate was changed. Set it back, or bake again."
    return Check("", "frame rate", Verdict.PASS if same else Verdict.FAIL, fps, wanted, note)


def event_checks(event: Event, found: dict[str, float]) -> list[Check]:
    """Return the checks of an event's figures (see `measures.measure`) against its limits."""
    name, limits = event.clip, event.limits
    checks = []
    if event.targets:
        checks += [_curves(name, found, limits), _apex(event, found, limits)]
    else:
        checks.append(not_covered(name, "curves", "The bake keys nothing."))
    if len(event.vertices):
        checks.append(_motion(name, found, limits))
    else:
        why = "The surface does not move; the textures carry the expression."
        checks.append(not_covered(name, "surface motion", why))
    return checks


def picture_checks(event: Event, found: dict[str, float], why_not: str) -> list[Check]:
    """Return the checks of the rendered pictures; `why_not` they were not taken, else empty."""
    checks = []
    meanings = {
        "moving_psnr": ("picture, moving region", "The expression looks otherwise than baked."),
        "still_psnr": ("picture, still region", "Something moves that should be still."),
        "neutral_psnr": ("picture, unmoved face", "The face itself looks otherwise than baked."),
    }
    for figure, (title, wrong) in meanings.items():
        if figure not in found or figure not in event.limits:
            why = why_not or "The bake was not rendered when it was made (write a report)."
            checks.append(not_covered(event.clip, title, why))
            continue
        good = found[figure] >= event.limits[figure]
        note = "" if good else f"{wrong} Look for changed textures, materials, lights or meshes."
        verdict = Verdict.PASS if good else Verdict.FAIL
        value, limit = f"{found[figure]:.1f} dB", f"at least {event.limits[figure]:.1f} dB"
        checks.append(Check(event.clip, title, verdict, value, limit, note))
    return checks


def _curves(name: str, found: dict[str, float], limits: dict[str, float]) -> Check:
    good = found["curve_error"] <= limits["curve_error"]
    note = (
        ""
        if good
        else "The curves play other weights than were solved: a key, a driver, a strip or the "
        "start was changed. Undo that, or bake again."
    )
    verdict = Verdict.PASS if good else Verdict.FAIL
    value, limit = f"{found['curve_error']:.5f}", f"at most {limits['curve_error']:.5f} weight"
    return Check(name, "curves", verdict, value, limit, note)


def _apex(event: Event, found: dict[str, float], limits: dict[str, float]) -> Check:
    wanted = float(event.times[event.apex])
    error = abs(found["apex_seconds"] - wanted)
    good = error <= limits["apex_error_seconds"]
    note = (
        ""
        if good
        else f"The apex plays {1000 * error:.0f} ms away from where it was generated. "
        "Set the frame rate back, or bake again."
    )
    verdict = Verdict.PASS if good else Verdict.FAIL
    limit = f"{wanted:.4f} s, within {1000 * limits['apex_error_seconds']:.1f} ms"
    return Check(event.clip, "apex", verdict, f"{found['apex_seconds']:.4f} s", limit, note)


def _motion(name: str, found: dict[str, float], limits: dict[str, float]) -> Check:
    good = found["motion_unexplained"] <= limits["motion_unexplained"]
    note = (
        ""
        if good
        else "The surface does not move as generated. Look for changed curves, shape keys or "
        "modifiers, or bake again."
    )
    value = f"{100 * found['motion_unexplained']:.1f} %"
    limit = f"at most {100 * limits['motion_unexplained']:.1f} % unexplained"
    verdict = Verdict.PASS if good else Verdict.FAIL
    return Check(name, "surface motion", verdict, value, limit, note)


def table(checks: Sequence[Check]) -> str:
    """Return the checks as a table in text, a line each, and a line per fault below."""
    rows = [("event", "check", "verdict", "found", "stated at bake time")]
    rows += [(one.event, one.name, one.verdict.value, one.value, one.limit) for one in checks]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    for one in checks:
        if one.note:
            where = f"{one.event}: " if one.event else ""
            lines.append(f"{one.verdict.value}: {where}{one.name}: {one.note}")
    return "\n".join(lines)
