"""Teach every variant on the same data for the same time, and compare them.

    python -m microface.models.evaluation.ablations --data TRAIN --test TEST --out out/ablations

Each variant is taught for `--minutes` of one core's time, beginning with the detector of the
weights that ship (the released network has one of its own, and begins with nothing); each painter
for `--paint-minutes` on the motion of the weights that ship. What is taught already is not taught
again. With `--page` the tables are written into a Markdown page between their marks.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ...errors import InputError, told
from ..eam.network import Eam
from ..export import load_weights
from ..released.network import Released
from ..released.training import released_step
from ..training.data import Shards
from ..training.descent import descend, optimiser_of, rate_at
from ..training.feeding import batch_of
from ..training.lessons import attend, in_mixed_precision, lesson, opened
from ..training.movements import furnished
from ..training.settings import Settings, load_settings
from ..training.stages import STEPS
from .ablation_table import CARRIED, SHOWN, Line, changed, lines_of, reached
from .command import WEIGHTS
from .methods import classical, static_copy
from .page import write_between
from .run import measure
from .variant_methods import equivariance_rows, method_of, self_driven
from .variants import PAINTERS, VARIANTS, Variant, frame_cost

#: Title of the line that tells how steady keypoints are.
EQUIVARIANCE = "loss of equivariance"


def teach(
    network: nn.Module, stage: str, shards: Shards, settings: Settings, minutes: float
) -> int:
    """Teach `network` one stage for `minutes` of processor time; return the steps taken."""
    plan = settings.stages[stage]
    optimiser = optimiser_of([p for _, p in opened(network, stage)], plan.rate)
    began, step = time.process_time(), 0
    while (done := (time.process_time() - began) / (60 * minutes)) < 1:
        batch = batch_of(shards, settings, stage, step)
        pair, rng = lesson(batch, settings.seed, step)
        if isinstance(network, Eam):
            attend(network, stage)
            named = STEPS[stage][0](network, pair, rng)
        else:
            assert isinstance(network, Released)
            named = released_step(network.train(), pair, rng)
        rate = rate_at(plan.rate, done, step, settings.warmup_steps)
        descend(optimiser, rate, named, settings.losses, settings.clip)
        step += 1
    return step


def built(variant: Variant, seed: int) -> nn.Module:
    """Return a variant's network before it is taught."""
    torch.manual_seed(seed)
    network = variant.build()
    return in_mixed_precision(network) if isinstance(network, Eam) else network


def taught(
    variant: Variant, path: Path, shards: Shards, settings: Settings, minutes: float, start: Path
) -> nn.Module:
    """Return a variant's network, taught now unless `path` already holds it.

    It begins with what it is given of the weights `start`. InputError where `path` holds another
    network.
    """
    network = built(variant, settings.seed)
    if path.exists():
        try:
            network.load_state_dict(load_file(path))
        except RuntimeError as error:
            raise InputError(
                f"{path} holds a network that is built otherwise.", "Name a new folder as --out."
            ) from error
        return network.eval()
    mine = network.state_dict()
    given = {
        name: value
        for name, value in load_weights(start).state_dict().items()
        if name.startswith(variant.given) and name in mine
    }
    network.load_state_dict({**mine, **given})
    furnished(network, shards, settings.seed)
    for stage, share in variant.plan:
        steps = teach(network, stage, shards, settings, share * minutes)
        print(f"{variant.name}: {stage}, {steps} steps", flush=True)
    aside = path.with_suffix(".part")
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, aside)
    aside.replace(path)
    return network.eval()


def measured(
    networks: dict[str, nn.Module], shipped: Eam, shards: Shards, pairs: int, painting: bool
) -> list[Line]:
    """Return the lines of a table: of motion over all pairs, or of painting, where each source is
    its own character and the frame to show is known."""
    methods = {name: method_of(network) for name, network in networks.items()}
    if painting:
        return lines_of(measure(shipped, shards, pairs, methods, self_driven), SHOWN)
    reference = {"static copy": static_copy, "classical": classical}
    found = measure(shipped, shards, pairs, reference | methods)
    steadiness = {
        name: np.array(equivariance_rows(network, shards, pairs), np.float32)
        for name, network in networks.items()
    }
    return [*lines_of(found, CARRIED + SHOWN), Line(EQUIVARIANCE, found.groups, steadiness)]


def compared(arguments: argparse.Namespace) -> str:
    """Teach and measure everything `arguments` ask for; return the tables as Markdown."""
    settings = load_settings(arguments.settings).with_changes(
        minutes=None, batch=arguments.batch, seed=arguments.seed
    )
    shards, held_out = Shards(arguments.data), Shards(arguments.test)
    arguments.out.mkdir(parents=True, exist_ok=True)
    shipped = load_weights(arguments.weights)
    tables = []
    for kind, variants, minutes in (
        ("variant", VARIANTS, arguments.minutes),
        ("painter", PAINTERS, arguments.paint_minutes),
    ):
        networks = {}
        for i, variant in enumerate(variants):
            path = arguments.out / f"{kind}-{i}.safetensors"
            networks[variant.name] = taught(
                variant, path, shards, settings, minutes, arguments.weights
            )
        lines = measured(networks, shipped, held_out, arguments.pairs, kind == "painter")
        names = list(networks)
        costs = ", ".join(f"{name} {frame_cost(each):.1f}" for name, each in networks.items())
        columns = list(lines[0].rows)
        tables.append(
            f"GFLOPs a frame: {costs}.\n\n{reached(lines, columns)}\n"
            f"What each adds to the one before (a star: the interval is clear of zero):\n\n"
            f"{changed(lines, names)}"
        )
    return "\n".join(tables)


def main() -> int:
    """Run the comparison as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="shards to teach with")
    parser.add_argument("--test", type=Path, required=True, help="shards of held-out identities")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--minutes", type=float, default=6.0, help="for each variant (6)")
    parser.add_argument("--paint-minutes", type=float, default=5.0, help="for each painter (5)")
    parser.add_argument("--pairs", type=int, default=128, help="held-out pairs (128)")
    parser.add_argument("--batch", type=int, help="pairs a step (each stage's own)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--settings", type=Path, help="instead of default.toml")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="those that ship")
    parser.add_argument("--page", type=Path, help="Markdown page to write the tables into")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    def work() -> None:
        text = compared(arguments)
        print(text)
        if arguments.page:
            write_between(arguments.page, "ablations", text)

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
