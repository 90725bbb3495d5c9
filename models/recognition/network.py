"""The recogniser: a transformer within each region of the face, and one between them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ...errors import InputError
from ..stored import store, stored
from .regions import ACROSS, KINDS, PARTNER, WINDOWS, strain
from .units import COLUMNS, MIRROR

#: The recogniser that ships.
WEIGHTS = Path(__file__).parents[1] / "weights" / "recogniser.safetensors"
#: Places across the part of a window that makes a token, and tokens of a window.
_PART = 4
_TOKENS = (ACROSS // _PART) ** 2
#: Channels of a place: motion in x and y, and three of strain.
_CHANNELS = 5
#: Motion in face units, and strain, from which on larger ones are compressed.
_LITTLE_MOTION, _LITTLE_STRAIN = 0.02, 0.1


@dataclass(frozen=True)
class RecogniserConfig:
    """The recogniser's sizes, and the chance from which on a unit counts as present."""

    width: int = 64
    heads: int = 4
    within: int = 1
    between: int = 2
    threshold: float = 0.5


class Reading(NamedTuple):
    """`chance` (N, COLUMNS) 0..1 that a unit is there, and its `amount` (N, COLUMNS) if it is."""

    chance: Tensor
    amount: Tensor


class Recogniser(nn.Module):
    """From the motion in windows to action units."""

    def __init__(self, config: RecogniserConfig | None = None) -> None:
        super().__init__()
        self.config = config or RecogniserConfig()
        width = self.config.width
        self.embed = nn.Linear(_CHANNELS * _PART * _PART, width)
        # Both sides of a face are alike within a region; between regions it counts which is which.
        self.place = nn.Parameter(0.02 * torch.randn(len(KINDS), _TOKENS, width))
        self.region = nn.Parameter(0.02 * torch.randn(len(WINDOWS), width))
        self.within = self._layers(self.config.within)
        self.gather = nn.Linear(_TOKENS * width, width)
        self.between = self._layers(self.config.between)
        self.norm = nn.LayerNorm(width)
        self.read = nn.Linear(len(WINDOWS) * width, 2 * len(COLUMNS))

    def _layers(self, count: int) -> nn.Sequential:
        width = self.config.width
        return nn.Sequential(
            *(
                nn.TransformerEncoderLayer(
                    width,
                    self.config.heads,
                    2 * width,
                    dropout=0.1,
                    activation="gelu",
                    batch_first=True,
                    norm_first=True,
                )
                for _ in range(count)
            )
        )

    def forward(self, motions: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of presence and amounts, each (N, COLUMNS), of motion in windows
        (N, WINDOWS, 2, ACROSS, ACROSS) as `regions.windows` returns it."""
        seen = torch.cat(
            (compressed(motions / _LITTLE_MOTION), compressed(strain(motions) / _LITTLE_STRAIN)),
            dim=2,
        )
        some = ACROSS // _PART
        parts = seen.reshape(-1, len(WINDOWS), _CHANNELS, some, _PART, some, _PART)
        parts = parts.permute(0, 1, 3, 5, 2, 4, 6).flatten(4).flatten(2, 3)
        tokens = self.embed(parts) + torch.cat((self.place, self.place))
        tokens = self.within(tokens.flatten(0, 1)).reshape(
            -1, len(WINDOWS), _TOKENS * self.config.width
        )
        regions = self.norm(self.between(self.gather(tokens) + self.region))
        logits, amounts = self.read(regions.flatten(1)).chunk(2, dim=1)
        return logits, nn.functional.softplus(amounts - 2)

    def recognise(self, motions: Tensor) -> Reading:
        """Return the units in `motions`, the mean of the face's and of its mirrored picture's."""
        with torch.no_grad():
            logits, amounts = self(motions)
            other, others = self(motions[:, PARTNER])
            logits, amounts = logits + other[:, MIRROR], amounts + others[:, MIRROR]
        return Reading(torch.sigmoid(logits / 2), amounts / 2)


def compressed(values: Tensor) -> Tensor:
    """Return the inverse hyperbolic sine, in operators that ONNX's exporter knows."""
    size = values.abs()
    return values.sign() * (size + (size * size + 1).sqrt()).log()


def save_recogniser(network: Recogniser, path: Path) -> None:
    """Write `network` with its configuration as safetensors, in one step."""
    facts = asdict(network.config) | {"columns": [str(column) for column in COLUMNS]}
    store(network, path, {"recogniser": json.dumps(facts)})


def load_recogniser(path: Path = WEIGHTS) -> Recogniser:
    """Return the recogniser in a safetensors file, ready to run. InputError where it is unfit."""
    if not path.is_file():
        raise InputError(f"There is no recogniser at {path}.", "Give a .safetensors file.")
    try:
        facts, tensors = stored(path, "recogniser")
        if facts.pop("columns") != [str(column) for column in COLUMNS]:
            raise ValueError("other action units")
        network = Recogniser(RecogniserConfig(**facts))
        network.load_state_dict(tensors)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{path} does not hold a recogniser of these action units.",
            "Train one with `python -m microface.models.recognition.train`.",
        ) from error
    return network.eval()
