"""The training loop: stages, rates, running average, log, checkpoints."""

from __future__ import annotations

import csv
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from ...errors import InputError, RunError
from ..devices import CPU
from ..eam.network import Eam, EamConfig
from . import amounts, checkpoint
from .checkpoint import Position
from .data import Shards
from .descent import descend, optimiser_of, rate_at
from .feeding import AHEAD, REFRESH_STEPS, Feeder
from .lessons import attend, in_mixed_precision, lesson, opened
from .movements import furnished
from .settings import STAGES, Settings
from .stages import STEPS

#: Steps between the lines of the log.
LOG_STEPS = 10

Say = Callable[[str], None]


class Trainer:
    """A training run in a folder. Everything random follows from the seed and the step."""

    def __init__(
        self, folder: Path, shards: Shards, settings: Settings, device: torch.device = CPU
    ) -> None:
        self.folder, self.shards, self.settings = folder, shards, settings
        self.device = device
        # A GPU is fast enough to wait for its pairs; on a processor reading ahead gains nothing.
        gpu = device.type == "cuda"
        self.feeder = Feeder(shards, settings, pin=gpu, ahead=AHEAD if gpu else 0)
        torch.manual_seed(settings.seed)
        config = EamConfig(**settings.network)  # type: ignore[arg-type]
        self.network = in_mixed_precision(Eam(config).to(device))
        self.position = Position()
        self.average = self.weights()
        self.begin(STAGES[0])

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the network's parameters and buffers."""
        return {name: v.detach().clone() for name, v in self.network.state_dict().items()}

    def begin(self, stage: str) -> None:
        """Set up the optimiser of a stage; a new stage starts from the running average."""
        if self.position.stage != stage:
            self.network.load_state_dict(self.average)
            self.position.stage, self.position.stage_step = stage, 0
        if stage == "motion" and furnished(self.network, self.shards, self.settings.seed):
            self.average = self.weights()
        named = opened(self.network, stage)
        self.names = [name for name, _ in named]
        rate = self.settings.stages[stage].rate
        self.optimiser = optimiser_of([p for _, p in named], rate)

    def start_from(self, weights: Eam) -> None:
        """Begin with the weights of another network, which may lack the part that doubts, the
        repertoire, and what knows which of its movements go together.

        InputError where it is built differently otherwise.
        """
        mine, theirs = self.network.config, weights.config
        parts = itertools.product((mine.doubt, False), (mine.repertoire, 0), (mine.together, 0))
        if theirs not in [replace(mine, doubt=d, repertoire=r, together=t) for d, r, t in parts]:
            raise InputError(
                f"The weights are of a network built as {weights.config}.",
                "Set [network] in the settings likewise.",
            )
        self.network.load_state_dict({**self.network.state_dict(), **weights.state_dict()})
        self.average = self.weights()

    def resume(self) -> None:
        """Take the folder's checkpoint up. InputError where there is none or it does not fit."""
        tensors, position, _ = checkpoint.load(self.folder / checkpoint.NAME)
        self.position = position
        self.network.load_state_dict(checkpoint.part(tensors, "network"))
        average = checkpoint.part(tensors, "average")
        self.average = {name: value.to(self.device) for name, value in average.items()}
        self.begin(position.stage)
        checkpoint.restore_optimiser(self.optimiser, self.names, tensors)

    def save(self) -> Path:
        """Write the checkpoint."""
        return checkpoint.save(
            self.folder, self.network, self.average, self.optimiser, self.names,
            self.position, asdict(self.network.config),
        )  # fmt: skip

    def averaged(self) -> Eam:
        """Return the network with the running average of its weights, ready to run on the CPU."""
        network = Eam(self.network.config)
        network.load_state_dict(self.average)
        return network.eval()

    def step(self, done: float) -> dict[str, float]:
        """Take one step; `done` is the share of the stage that lies behind. Return its losses."""
        stage = self.position.stage
        settings = self.settings.stages[stage]
        rate = rate_at(settings.rate, done, self.position.stage_step, self.settings.warmup_steps)
        batch = self.feeder.batch(stage, self.position.step)
        pair, rng = lesson(batch, self.settings.seed, self.position.step, self.device)
        attend(self.network, stage)
        named = STEPS[stage][0](self.network, pair, rng)
        total, norm = descend(self.optimiser, rate, named, self.settings.losses, self.settings.clip)
        self.position.step += 1
        self.position.stage_step += 1
        self.position.pairs_seen += settings.batch
        self.follow()
        # All at once: a GPU is waited for whenever a number is read.
        values = torch.stack([value.detach() for value in named.values()]).tolist()
        result = dict(zip(named, values, strict=True))
        gate = self.network.generator.attention
        if gate is not None and stage == "paint":
            result["gate"] = float(gate.gate.detach())
        return {"total": total, "norm": norm, "rate": rate, **result}

    def follow(self) -> None:
        """Move the running average towards the weights; slower as the stage goes on."""
        keep = min(
            self.settings.ema, (1 + self.position.stage_step) / (10 + self.position.stage_step)
        )
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.is_floating_point():
                    self.average[name].lerp_(value, 1 - keep)
                else:
                    self.average[name].copy_(value)

    def run(
        self,
        stages: tuple[str, ...],
        *,
        steps: int | None,
        say: Say,
        picture: Callable[[Trainer], None] | None = None,
    ) -> None:
        """Train `stages` one after the other, each for its share of the minutes, or `steps` each.

        A run taken up again goes on in its own stage. RunError where the loss is no number.
        """
        first = self.position.stage if self.position.stage in stages else stages[0]
        for stage in stages[stages.index(first) :]:
            if stage == "amounts":
                self.teach_amounts(say)
                continue
            if stage != self.position.stage or self.position.step == 0:
                self.begin(stage)
            share = self.settings.stages[stage].share
            budget = self.settings.minutes * 60 * share
            say(f"stage {stage}: {budget / 60:.1f} minutes, {len(self.shards)} pairs")
            self.run_stage(stage, budget, steps, say, picture)
            self.save()

    def teach_amounts(self, say: Say) -> None:
        """Teach the running average which movements go together, and go on from it."""
        self.network.load_state_dict(self.average)
        how = self.settings.stages["amounts"]
        amounts.teach(self.network, self.shards, self.settings.seed, how, say)
        self.average = self.weights()
        self.save()

    def run_stage(
        self,
        stage: str,
        budget: float,
        steps: int | None,
        say: Say,
        picture: Callable[[Trainer], None] | None,
    ) -> None:
        """Train one stage to its end."""
        spent = self.position.stage_seconds
        last_save = last = time.monotonic()
        means: dict[str, float] = {}
        while True:
            done = self.position.stage_step / steps if steps else spent.get(stage, 0.0) / budget
            if done >= 1:
                return
            found = self.step(done)
            if not math.isfinite(found["total"]):
                raise RunError(
                    f"The loss is no number at step {self.position.step}.",
                    "Take the run up from its checkpoint with a lower rate.",
                )
            now = time.monotonic()
            spent[stage] = spent.get(stage, 0.0) + now - last
            last = now
            means = {k: 0.95 * means.get(k, v) + 0.05 * v for k, v in found.items()}
            if self.position.step % LOG_STEPS == 0:
                self.log(stage, means, say)
            if self.position.step % REFRESH_STEPS == 0:
                self.shards.refresh()
            if picture and self.position.step % self.settings.picture_steps == 0:
                picture(self)
            if now - last_save > self.settings.checkpoint_seconds:
                self.save()
                last_save = now

    def log(self, stage: str, means: dict[str, float], say: Say) -> None:
        """Write a line to the stage's CSV, and every so often one for people."""
        path = self.folder / f"log-{stage}.csv"
        row = {
            "step": self.position.step,
            "seconds": round(sum(self.position.stage_seconds.values()), 1),
            "pairs": len(self.shards),
            **{name: f"{value:.5g}" for name, value in means.items()},
        }
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        if self.position.step % (5 * LOG_STEPS) == 0:
            say(" ".join(f"{name} {value}" for name, value in row.items()))
