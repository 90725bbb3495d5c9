"""The report of a bake: what went in, what came out, how far the two are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image

from .figures import (
    MOVING_PIXELS,
    Agreement,
    Floats,
    Pictures,
    agreement,
    motion_magnitude,
    motion_profile,
    psnr,
)
from .page import Page, Row
from .panels import amplified_difference, animated_webp, side_by_side
from .plots import Curve, plot_curves, plot_profile

#: Pictures a second in the report's animation; a micro-expression at full speed is over too soon.
PLAYBACK_FPS = 15


@dataclass(frozen=True)
class ShownBake:
    """What a report shows of one bake; all sequences hold the clip's T frames.

    `source` (T,h,w,3), `generated` (T,H,W,3), `edges` (T,H,W) and `baked` (T,H,W,3) uint8: the
    source clip, the server's frames and edge maps, the baked character rendered from the framing
    camera. `neutral` (H,W,3). `motion` (T,H,W,2) forward flow in pixels. `times` (T,) seconds.
    `weights` and `truth` map shape keys to curves (T,); `truth` is empty where it is not known.
    `marks` are onset, apex, offset in seconds; `timings` seconds by stage; `hashes` and `settings`
    are shown as they are.
    """

    title: str
    lead: str
    source: Pictures
    neutral: Pictures
    generated: Pictures
    edges: Pictures
    baked: Pictures
    motion: npt.NDArray[np.float16]
    times: Floats
    weights: Mapping[str, Floats]
    marks: Mapping[str, float]
    truth: Mapping[str, Floats] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


def picture_rows(shown: ShownBake) -> list[Image.Image]:
    """Return the side-by-side picture of every instant."""
    return side_by_side(
        {
            "source clip": shown.source,
            "generated": shown.generated,
            "edge map": shown.edges,
            "baked character": shown.baked,
            "baked, change x8": amplified_difference(shown.baked, shown.baked[0]),
        }
    )


def bake_page(shown: ShownBake, rows: list[Image.Image]) -> Page:
    """Return the report's page; `rows` are the pictures of `picture_rows`."""
    curves = [
        Curve(name, np.asarray(curve, np.float64), _known(shown.truth, name))
        for name, curve in shown.weights.items()
    ]
    times = np.asarray(shown.times, np.float64)
    tables: dict[str, list[Row]] = {"Baked character against generated frames": _fidelity(shown)}
    against_truth = agreement(times, shown.weights, shown.truth)
    if against_truth is not None:
        tables["Shape keys against the truth of the built-in clip"] = _truth_rows(against_truth)
    tables["Timings"] = [Row(name, f"{value:.2f} s") for name, value in shown.timings.items()]
    tables["Settings"] = [Row(name, value) for name, value in shown.settings.items()]
    tables["Hashes"] = [Row(name, value) for name, value in shown.hashes.items()]
    return Page(
        title=shown.title,
        lead=shown.lead,
        animation=animated_webp(rows, PLAYBACK_FPS),
        animation_caption=f"The {len(rows)} frames, played slowly at {PLAYBACK_FPS} a second.",
        plots={
            "Shape key weights": plot_curves(times, curves, shown.marks),
            "Motion": plot_profile(times, motion_profile(shown.motion), shown.marks),
        },
        tables=tables,
    )


def figures(shown: ShownBake) -> dict[str, float]:
    """Return the report's figures by name, for machines to read."""
    moving, still = _regions(shown)
    static = np.broadcast_to(shown.neutral, shown.generated.shape)
    found = {
        "moving_psnr_baked": psnr(shown.baked, shown.generated, moving),
        "moving_psnr_static": psnr(static, shown.generated, moving),
        "still_psnr_baked": psnr(shown.baked, shown.generated, still),
        "peak_motion_pixels": float(motion_magnitude(shown.motion).max()),
    }
    against_truth = agreement(np.asarray(shown.times, np.float64), shown.weights, shown.truth)
    if against_truth is not None:
        found |= {f"truth_{name}": value for name, value in vars(against_truth).items()}
    return found


def _regions(shown: ShownBake) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where the generated frames move and where they do not, (T,H,W) each."""
    moving = motion_magnitude(shown.motion) >= MOVING_PIXELS
    return moving, ~moving


def _fidelity(shown: ShownBake) -> list[Row]:
    """Return how near the baked render is to the generated frames."""
    found = figures(shown)
    return [
        Row(
            "moving region, baked",
            f"{found['moving_psnr_baked']:.1f} dB",
            f"PSNR against the generated frames where they move by {MOVING_PIXELS} px or more",
        ),
        Row(
            "moving region, static copy",
            f"{found['moving_psnr_static']:.1f} dB",
            "the same for the unmoved neutral: what doing nothing would score",
        ),
        Row("still region, baked", f"{found['still_psnr_baked']:.1f} dB", "PSNR everywhere else"),
        Row("peak motion", f"{found['peak_motion_pixels']:.2f} px", "in the neutral's pixels"),
    ]


def _truth_rows(found: Agreement) -> list[Row]:
    """Return the agreement with the known curves as rows."""
    return [
        Row("weight RMSE", f"{found.rmse:.3f}", "over the keys that truly move"),
        Row("correlation", f"{found.correlation:.3f}", "Pearson r of those curves"),
        Row("gain", f"{found.gain:.2f}", "solved over true amplitude"),
        Row("apex error", f"{1000 * found.apex_seconds:+.0f} ms", "solved minus true"),
        Row("inactive keys", f"{found.inactive_share:.2f}", "their peaks over the active ones'"),
    ]


def _known(truth: Mapping[str, Floats], name: str) -> npt.NDArray[np.float64] | None:
    """Return the true curve of a key as float64, or None."""
    return np.asarray(truth[name], np.float64) if name in truth else None
