"""The network that finds spectacles: from a face's picture to what of each pixel rims hide."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from ...errors import InputError
from ..eam.blocks import Hourglass, Projection
from ..stored import store, stored

#: The network that ships.
WEIGHTS = Path(__file__).parents[1] / "weights" / "spectacles.safetensors"
#: Pixels along each side of what is taken together; rims are told apart at half of a picture's
#: resolution and told to the pixel.
_FOLD = 2


@dataclass(frozen=True)
class SpectaclesConfig:
    """Channels of each level, from half of the picture's resolution on."""

    widths: tuple[int, ...] = (24, 40, 64, 96, 96)


class Spectacles(nn.Module):
    """From a picture to where rims lie before it."""

    def __init__(self, config: SpectaclesConfig | None = None) -> None:
        super().__init__()
        self.config = config or SpectaclesConfig()
        widths = self.config.widths
        self.body = Hourglass(3 * _FOLD * _FOLD, widths, normalise=True)
        self.out = Projection(widths[0], _FOLD * _FOLD, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 1, 256, 256) of pictures (N, 3, 256, 256) in 0..1."""
        folded = F.pixel_unshuffle(image - 0.5, _FOLD)
        return F.pixel_shuffle(self.out(self.body(folded)), _FOLD)


def save_spectacles(network: Spectacles, path: Path) -> None:
    """Write `network` with its configuration as safetensors, in one step."""
    store(network, path, {"spectacles": json.dumps(asdict(network.config))})


def load_spectacles(path: Path = WEIGHTS) -> Spectacles:
    """Return the network in a safetensors file, ready to run. InputError where it is unfit."""
    if not path.is_file():
        raise InputError(f"There is no network at {path}.", "Give a .safetensors file.")
    try:
        facts, tensors = stored(path, "spectacles")
        network = Spectacles(SpectaclesConfig(widths=tuple(facts["widths"])))
        network.load_state_dict(tensors)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{path} does not hold a network that finds spectacles.",
            "Train one with `python -m microface.models.spectacles.train`.",
        ) from error
    return network.eval()
