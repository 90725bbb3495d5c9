"""Write the report of a proof: a page with its pictures, and its figures for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.proof.charts import legend, line_chart
from ...report.proof.checks import Check, event_checks, picture_checks
from ...report.proof.evidence import Event
from ...report.proof.measures import generated_pictures, residual_by_vertex
from ...report.proof.page import Advice, EventSection, Shot, render_report
from ...report.proof.pictures import GAIN, difference, heat_legend, heat_map
from ..character.channels import face_channels
from ..character.preflight import Severity, preflight
from ..images import write_png
from .measure import Measured, framing_of
from .prove import Proof
from .verify import finite

#: So many curves and peaks are shown, the strongest.
MOST_CURVES = 8
#: A face explained worse than this is worth a warning: share of the motion left over.
POORLY_EXPLAINED = 0.35
#: The residual map's last colour stands for at least this many pixels.
LEAST_HEAT = 0.1


def write_report(obj: Any, proofs: Sequence[Proof], folder: Path) -> Path:
    """Write `index.html`, its PNGs and `figures.json` to `folder`; returns the page's path.

    `proofs` are of one character, each of them measured.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_png(folder / "legend.png", heat_legend())
    sections, checks, figures = [], [], []
    about = [one for one in preflight(obj) if one.severity is not Severity.NOTE]
    for number, proof in enumerate(proofs):
        assert proof.measured is not None
        prefix = f"{number + 1:02d}-" if len(proofs) > 1 else ""
        section = _section(obj, proof, proof.measured, folder, prefix)
        if number == 0:  # said once
            more = tuple(Advice(finding.what, finding.remedy) for finding in about)
            section = replace(section, warnings=(*section.warnings, *more))
        sections.append(section)
        here = event_checks(proof.event, proof.measured.figures)
        posed = "Other animation poses the face otherwise than in its neutral picture."
        why = posed if proof.measured.shown.posed else ""
        here += picture_checks(proof.event, proof.measured.figures, why)
        checks += here
        figures.append(_figures(proof, here))
    names = ", ".join(dict.fromkeys(proof.event.clip for proof in proofs))
    lead = proofs[0].event
    page = render_report(f"{names} on {obj.name}", _lead(lead, proofs), checks, sections)
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def _lead(event: Event, proofs: Sequence[Proof]) -> str:
    if len(proofs) > 1:
        return f"{len(proofs)} micro-expressions in one file."
    return (
        f"{len(event.times)} frames at {_rate(event.clip_fps)} a second, from scene frame "
        f"{event.start_frame:g} at {_rate(proofs[0].evidence.fps)} a second; apex at scene frame "
        f"{event.frames[event.apex]:.2f}."
    )


def _rate(ratio: str) -> str:
    return ratio.removesuffix("/1")


def _section(obj: Any, proof: Proof, measured: Measured, folder: Path, prefix: str) -> EventSection:
    event, evidence = proof.event, proof.evidence
    shots = _shots(proof, measured, folder, prefix)
    marks = {
        "onset": float(event.times[event.onset]),
        "apex": float(event.times[event.apex]),
        "offset": float(event.times[event.offset]),
    }
    curves = {
        name: event.weights[:, index]
        for index, name in list(enumerate(event.channels))[:MOST_CURVES]
    }
    per_vertex = residual_by_vertex(measured.played.motion, event.motion)
    highest = max(LEAST_HEAT, float(np.percentile(per_vertex, 98)) if len(per_vertex) else 0.0)
    places = framing_of(evidence).project(event.rest.astype(np.float64))[0]
    heat = f"{prefix}residual.png"
    write_png(folder / heat, heat_map(evidence.neutral, places, per_vertex, highest))
    keyed = bool(event.channels)
    residual = line_chart(event.times, {"residual": event.residual}, marks, "pixels left over")
    return EventSection(
        title=event.clip,
        lead=_lead(event, [proof]),
        columns=(
            "generated",
            "baked, rendered again",
            f"baked − generated, ×{GAIN:g}",
            f"generated change, ×{GAIN:g}",
            f"baked change, ×{GAIN:g}",
        ),
        shots=shots,
        curves=line_chart(event.times, curves, marks, "weight") if keyed else "",
        legend=legend(list(curves)),
        residual=residual if keyed else "",
        heat=heat,
        heat_highest=highest,
        heat_note="Root mean square over the clip of generated motion less the motion of the "
        "surface as Blender plays the file, seen from the framing camera. "
        f"{100 * measured.figures['motion_unexplained']:.0f} % of the motion's energy is left over "
        f"at the {len(event.vertices)} vertices that were measured.",
        peaks=_peaks(obj, event),
        warnings=_advice(obj, proof, measured),
        provenance=_provenance(proof),
    )


def _shots(proof: Proof, measured: Measured, folder: Path, prefix: str) -> list[Shot]:
    event, neutral = proof.event, proof.evidence.neutral
    wanted, shown = generated_pictures(event, neutral), measured.shown
    names = {event.onset: "onset", event.apex: "apex", event.offset: "offset"}
    shots = []
    for number, pictures in enumerate(zip(wanted, shown.pictures, strict=False)):
        generated, baked = pictures
        instant = int(event.shown[number])
        label = names.get(instant, "rise" if instant < event.apex else "fall")
        columns: dict[str, NDArray[np.uint8]] = {
            "generated": generated,
            "baked": baked,
            "difference": difference(baked, _like(generated, neutral, shown.unmoved)),
            "change-generated": difference(generated, neutral),
            "change-baked": difference(baked, shown.unmoved),
        }
        files = []
        for kind, pixels in columns.items():
            files.append(f"{prefix}{instant:06d}-{kind}.png")
            write_png(folder / files[-1], pixels, level=6)
        detail = f"{event.times[instant]:.3f} s, frame {event.frames[instant]:.2f}"
        shots.append(Shot(label, detail, files))
    return shots


def _like(
    generated: NDArray[np.uint8], neutral: NDArray[np.uint8], unmoved: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return a generated picture as if its neutral had been rendered as the proof's pictures."""
    moved = unmoved.astype(np.int16) + generated.astype(np.int16) - neutral.astype(np.int16)
    return np.asarray(np.clip(moved, 0, 255), np.uint8)


def _peaks(obj: Any, event: Event) -> dict[str, tuple[float, float]]:
    known = {one.name: one for one in face_channels(obj)} if event.channels else {}
    found = {}
    for index, name in list(enumerate(event.channels))[:MOST_CURVES]:
        curve = event.weights[:, index]
        peak = float(curve[np.abs(curve).argmax()])
        bound = (known[name].upper if peak > 0 else known[name].lower) if name in known else 0.0
        found[name] = (peak, abs(peak / bound) if bound else 0.0)
    return found


def _advice(obj: Any, proof: Proof, measured: Measured) -> list[Advice]:
    """Return what to know about a bake, the worst first."""
    found, event = measured.figures, proof.event
    advice = []
    if "moving_psnr" in found and found["moving_psnr"] < found["static_psnr"]:
        advice.append(
            Advice(
                "Where the face moves, the bake is further from the generated frames "
                f"({found['moving_psnr']:.1f} dB) than the unmoved face "
                f"({found['static_psnr']:.1f} dB).",
                "Bake a texture over the shape keys, or give the character more shape keys.",
            )
        )
    if len(event.vertices) and found["motion_unexplained"] > POORLY_EXPLAINED:
        advice.append(
            Advice(
                f"{100 * found['motion_unexplained']:.0f} % of the motion is left over: no "
                "channel of this character expresses it.",
                "Look at the residual map; bake a texture over the shape keys, or add shape keys "
                "there.",
            )
        )
    full = [name for name, (_, share) in _peaks(obj, event).items() if share > 0.99]
    if full:
        advice.append(
            Advice(
                f"{', '.join(full)} reach the end of their range and cannot move further.",
                "Widen the slider's range, or lower the strength.",
            )
        )
    return advice


def _provenance(proof: Proof) -> dict[str, str]:
    event = proof.event
    rows = dict(event.provenance)
    rows["scene rate"] = proof.evidence.fps
    rows["action"] = event.action
    rows["mesh fingerprint"] = proof.evidence.mesh
    for record in event.textures:
        rows[f"texture {record.image or record.kind}"] = f"{len(record.files)} pictures"
    return {name: value for name, value in rows.items() if value}


def _figures(proof: Proof, checks: Sequence[Check]) -> dict[str, Any]:
    assert proof.measured is not None
    event = proof.event
    return {
        "clip": event.clip,
        "figures": finite(proof.measured.figures),
        "limits": event.limits,
        "checks": [check.as_json() for check in checks],
        "onset_seconds": float(event.times[event.onset]),
        "apex_seconds": float(event.times[event.apex]),
        "offset_seconds": float(event.times[event.offset]),
        "peaks": {
            name: float(np.abs(event.weights[:, index]).max())
            for index, name in enumerate(event.channels)
        },
        "residual_pixels": [round(float(value), 4) for value in event.residual],
        "provenance": _provenance(proof),
    }
