"""Networks in safetensors files, each with what it was built by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def store(network: nn.Module, path: Path, facts: Mapping[str, str]) -> None:
    """Write a network's tensors with `facts` as their metadata, in one step."""
    aside = path.with_suffix(".part")
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, str(aside), metadata=dict(facts))
    aside.chmod(0o644)  # safetensors writes for the owner alone
    aside.replace(path)


def stored(path: Path, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the facts of one `name`, JSON, and the tensors of a file that `store` wrote.

    Raises SafetensorError, OSError, KeyError or ValueError where the file is none.
    """
    with safe_open(str(path), framework="pt") as file:
        facts = json.loads((file.metadata() or {})[name])
    return facts, load_file(str(path))
