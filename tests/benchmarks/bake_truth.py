"""Print how well a clip's known weights come back through the whole pipeline and the solve.

Renders source clips with known shape key weights, retargets each onto a character's neutral
picture with the weights that ship, solves, and compares with the truth. Not a test; run it as

    python tests/benchmarks/bake_truth.py --packs HEADS --out out/

`same`: the character is the head in the clip. `cross`: another head of its family, so that weights
compare; both of identities that training never sees. `across`: a head of another family, where
only motion compares. `sided`: as `cross`, and one side of the face alone moves. Rows: `solve` from
the network's motion, with names known and unknown, with its doubts or the source's units unknown;
`exact motion`, what the solve alone can reach; `classical`, optical flow carried by landmarks and
bounded least squares.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from microface.server.engine.runtime import WEIGHTS, OnnxRuntime
from microface.server.engine.solve import SolveResult, solve_weights
from truth_classical import at, classical_motion, least_squares
from truth_clips import Clips, Truth, cases, motion_of
from truth_measures import Measured, measure, summary

#: Smooth noise of this many pixels (RMS) must hardly change the answer.
PERTURBATION_PIXELS = 0.02
#: The solve's constants were chosen on clips and heads of lower numbers; figures are of the others.
FRESH_FROM = 24
COLUMNS = (
    ("rmse", "weight RMSE", "{:.4f}"), ("r", "r", "{:.3f}"), ("gain", "gain", "{:.2f}"),
    ("inactive", "inactive", "{:.2f}"), ("side", "side right", "{:.0%}"),
    ("kept", "symmetric kept", "{:.0%}"), ("surface", "surface error", "{:.2f}"),
    ("apex_median_ms", "apex ms (median)", "{:.1f}"), ("apex_mean_ms", "apex ms (mean)", "{:.1f}"),
    ("apex_worst_frames", "apex frames (worst)", "{:.2f}"), ("keys", "keys", "{:.1f}"),
    ("moved", "moved by noise", "{:.3f}"), ("seconds", "CPU s", "{:.2f}"),
)  # fmt: skip


def solve(
    truth: Truth,
    motion: np.ndarray,
    names: tuple[str, ...],
    trust: np.ndarray | float = 1.0,
    units: np.ndarray | None = None,
    crop: np.ndarray | None = None,
) -> SolveResult:
    """Solve one clip's motion (T,V,2) as the server does, `trust` (V,) weighing the vertices, the
    source showing `units` (U,2), the face being in `crop` (4,)."""
    return solve_weights(
        truth.jacobian,
        motion.astype(np.float16),
        (truth.confidence * trust).astype(np.float32),
        bounds_of(truth),
        names,
        truth.times,
        truth.pixels,
        units=units,
        crop=crop,
    )


def bounds_of(truth: Truth) -> np.ndarray:
    """Return the keys' bounds (S,2): 0 to 1."""
    return np.tile([0.0, 1.0], (len(truth.names), 1))


def seen_motion(truth: Truth, field: np.ndarray) -> np.ndarray:
    """Return image motion (T,256,256,2) at the character's vertices, (T,V,2)."""
    return np.stack([at(frame, truth.pixels) for frame in field])


def smooth_noise(truth: Truth, frames: int) -> np.ndarray:
    """Return a slow, smooth disturbance (T,V,2) of `PERTURBATION_PIXELS`."""
    rng = np.random.default_rng(5)
    coarse = rng.normal(size=(256 // 16 + 2, 256 // 16 + 2, 6)).astype(np.float32)
    modes = at(coarse, truth.pixels / 16).reshape(-1, 3, 2)
    curves = np.stack([np.sin(np.linspace(0, 4 + k, frames) + k) for k in range(3)], 1)
    noise = np.einsum("tk,vkc->tvc", curves, modes)
    return np.asarray(noise * PERTURBATION_PIXELS / np.sqrt((noise**2).sum(2).mean()))


def rows_of(truth: Truth, found: dict[str, np.ndarray], *, perturb: bool) -> dict[str, dict]:
    """Return every row's figures for one clip."""
    motion = seen_motion(truth, found["motion"])
    unknown = tuple(f"key_{k:03d}" for k in range(len(truth.names)))
    rows: dict[str, dict] = {}
    doubted, whole, units, crop = found["trust"], 1.0, found["units"], found["character_crop"]
    for row, given, names, trust, told in (
        ("solve", motion, truth.names, doubted, units),
        ("solve, names unknown", motion, unknown, doubted, units),
        ("solve, doubts unknown", motion, truth.names, whole, units),
        ("solve, units unknown", motion, truth.names, doubted, None),
        ("exact motion", truth.exact, truth.names, whole, units),
        ("exact motion, names unknown", truth.exact, unknown, whole, units),
    ):
        begun = time.process_time()
        weights = solve(truth, given, names, trust, told, crop).weights
        seconds = time.process_time() - begun
        moved = float("nan")
        if perturb and row.startswith("solve"):
            shaken = given + smooth_noise(truth, len(given))
            again = solve(truth, shaken, names, trust, told, crop).weights
            moved = float(np.abs(again - weights).sum() / max(np.abs(weights).sum(), 1e-9))
        rows[row] = {"m": measure(truth, weights), "moved": moved, "seconds": seconds}
    classical = least_squares(truth, classical_motion(truth, found), bounds_of(truth))
    rows["classical"] = {"m": measure(truth, classical), "moved": np.nan, "seconds": np.nan}
    plain = least_squares(truth, motion, bounds_of(truth))
    rows["least squares"] = {"m": measure(truth, plain), "moved": np.nan, "seconds": np.nan}
    return rows


def table_of(rows: dict[str, list[dict]]) -> dict[str, dict[str, float]]:
    """Return the figures of each row over all clips."""
    table = {}
    for row, entries in rows.items():
        made: list[Measured] = [entry["m"] for entry in entries]
        found = summary(made)
        for name in ("moved", "seconds"):
            values = np.array([entry[name] for entry in entries])
            found[name] = float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
        table[row] = found
    return table


def markdown(tables: dict[str, dict[str, dict[str, float]]], heading: str) -> str:
    """Return the tables as Markdown."""
    lines = [heading, ""]
    for kind, table in tables.items():
        clips = int(next(iter(table.values()))["clips"])
        lines += [f"## {kind} ({clips} clips)", ""]
        lines.append("| | " + " | ".join(title for _, title, _ in COLUMNS) + " |")
        lines.append("|---" * (len(COLUMNS) + 1) + "|")
        for row, found in table.items():
            cells = ["" if np.isnan(found[n]) else f.format(found[n]) for n, _, f in COLUMNS]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packs", type=Path, required=True, help="folder of the head pack")
    parser.add_argument("--out", type=Path, help="folder for bake_truth.json and bake_truth.md")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of ONNX weights")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "bake_truth",
        help="folder that keeps clips and motions (default: %(default)s)",
    )
    parser.add_argument("--same", type=int, default=9, help="clips of one head (%(default)s)")
    parser.add_argument("--cross", type=int, default=24, help="across heads (%(default)s)")
    parser.add_argument("--across", type=int, default=8, help="across families (%(default)s)")
    parser.add_argument(
        "--sided", type=int, default=0, help="across heads, one side alone moves (%(default)s)"
    )
    parser.add_argument(
        "--first",
        type=int,
        default=FRESH_FROM,
        help="number of the first clip of each kind; those below %(default)s tuned the solve",
    )
    parser.add_argument("--threads", type=int, default=2, help="of the network (%(default)s)")
    parser.add_argument("--each", action="store_true", help="print every clip's solve too")
    options = parser.parse_args()
    clips = Clips(options.packs, options.cache)
    runtime = OnnxRuntime(options.weights, options.threads)
    rows: dict[str, dict[str, list[dict]]] = {}
    wanted = cases(options.same, options.cross, options.across, options.first, options.sided)
    for case in wanted:
        truth = clips.clip(case)
        made = rows_of(truth, dict(motion_of(truth, runtime, options.cache)), perturb=True)
        for row, entry in made.items():
            rows.setdefault(case.kind, {}).setdefault(row, []).append(entry)
        if options.each:
            m = made["solve"]["m"]
            print(
                f"{case.key} {truth.act} side {truth.side:+d}: r {m.r:.3f} gain {m.gain:.2f} "
                f"inactive {m.inactive:.2f} side {m.side:.0f} surface {m.surface:.2f} "
                f"apex {m.apex * 1000:.1f} ms, {m.keys:.0f} keys",
                flush=True,
            )
    tables = {kind: table_of(found) for kind, found in rows.items()}
    hashes = ", ".join(f"{name} {digest[:12]}" for name, digest in runtime.hashes.items())
    text = markdown(tables, f"Weights: {hashes}.")
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "bake_truth.md").write_text(text + "\n", encoding="utf-8")
        document = json.dumps({"weights": dict(runtime.hashes), "tables": tables}, indent=1)
        (options.out / "bake_truth.json").write_text(document + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
