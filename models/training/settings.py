"""What a training run is told: budgets, rates and the weight of each loss, from one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from ...errors import InputError

DEFAULT = Path(__file__).with_name("default.toml")

#: Stages in their order: the detector alone, motion on the frozen detector, everything painted.
STAGES = ("keypoints", "motion", "paint")

#: Stages that are run only when asked for: the keypoints' heatmaps and the chart anew, on the same
#: features; how far off the motion of the rest, which stays as it is, may be; everything without
#: any truth; and which movements of the repertoire go together (`amounts.py`).
EXTRA_STAGES = ("points", "doubt", "unsupervised", "amounts")


@dataclass(frozen=True)
class StageSettings:
    """One stage: its share of the whole budget, pairs a step, and peak learning rate."""

    share: float
    batch: int
    rate: float


@dataclass(frozen=True)
class Settings:
    """A run's settings; `losses` maps a loss' name to its weight."""

    seed: int
    minutes: float
    ema: float
    clip: float
    warmup_steps: int
    checkpoint_seconds: float
    picture_steps: int
    stages: Mapping[str, StageSettings]
    losses: Mapping[str, float]
    network: Mapping[str, object] = field(default_factory=dict)

    def with_changes(
        self, *, minutes: float | None, batch: int | None, seed: int | None
    ) -> Settings:
        """Return these settings with those that are given changed."""
        stages = dict(self.stages)
        if batch is not None:
            stages = {name: replace(stage, batch=batch) for name, stage in stages.items()}
        return replace(
            self,
            minutes=self.minutes if minutes is None else minutes,
            seed=self.seed if seed is None else seed,
            stages=stages,
        )


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of a TOML file, the shipped ones by default.

    InputError where the file is not there, is no TOML, or lacks or invents a setting.
    """
    path = path or DEFAULT
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "Start from default.toml.") from error
    try:
        raw = table.pop("stages")
        stages = {name: StageSettings(**raw[name]) for name in (*STAGES, *EXTRA_STAGES)}
        return Settings(stages=stages, **table)
    except (KeyError, TypeError) as error:
        known = ", ".join(each.name for each in fields(Settings))
        raise InputError(f"{path} does not fit: {error}.", f"Give {known}.") from error


def as_table(settings: Settings) -> dict[str, object]:
    """Return the settings as plain values for a log or a model card."""
    return asdict(settings)
