"""Checkpoints as safetensors, nothing pickled: weights, running average, optimiser, position."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from ...errors import InputError

NAME = "checkpoint.safetensors"


@dataclass
class Position:
    """Where a run stands; with the seed it fixes every random number to come."""

    stage: str = "keypoints"
    step: int = 0
    stage_step: int = 0
    stage_seconds: dict[str, float] = field(default_factory=dict)
    pairs_seen: int = 0


def optimiser_tensors(optimiser: Optimizer, names: list[str]) -> dict[str, Tensor]:
    """Return the optimiser's state by the names of its parameters."""
    tensors: dict[str, Tensor] = {}
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for name, parameter in zip(names, parameters, strict=True):
        for key, value in optimiser.state[parameter].items():
            tensors[f"optimiser.{key}.{name}"] = torch.as_tensor(value).clone()
    return tensors


def restore_optimiser(optimiser: Optimizer, names: list[str], tensors: dict[str, Tensor]) -> None:
    """Put the state that `optimiser_tensors` gave back into the optimiser, on the device of its
    parameters; how often it stepped is counted beside them, by the processor."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for name, parameter in zip(names, parameters, strict=True):
        for key in ("step", "exp_avg", "exp_avg_sq"):
            value = tensors.get(f"optimiser.{key}.{name}")
            if value is not None:
                where = value.device if key == "step" else parameter.device
                optimiser.state[parameter][key] = value.to(where, copy=True)


def save(
    folder: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: Optimizer,
    names: list[str],
    position: Position,
    config: dict[str, object],
) -> Path:
    """Write the checkpoint of a run in one step and return its path."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    tensors |= optimiser_tensors(optimiser, names)
    plain = {
        name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()
    }
    metadata = {"position": json.dumps(asdict(position)), "config": json.dumps(config)}
    path = folder / NAME
    aside = folder / f"{NAME}.part"
    save_file(plain, str(aside), metadata=metadata)
    aside.replace(path)
    return path


def load(path: Path) -> tuple[dict[str, Tensor], Position, dict[str, object]]:
    """Return a checkpoint's tensors, position and network configuration. InputError if unfit."""
    if not path.is_file():
        raise InputError(f"There is no checkpoint {path}.", "Give the folder of a run.")
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata()
        position = Position(**json.loads(metadata["position"]))
        config = json.loads(metadata["config"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no checkpoint of a training run: {error}.", "Give the folder of a run."
        ) from error
    return tensors, position, config


def part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return the tensors under `name.` without it."""
    return {key[len(name) + 1 :]: v for key, v in tensors.items() if key.startswith(name + ".")}
