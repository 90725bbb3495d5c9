"""Networks in safetensors files, each with what it was built by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import nn


def store(network: nn.Module, path: Path, facts: Mapping[str, str]) -> None:
    """Write a network's tensors with `facts` as their metadata, in one step."""
    aside = path.with_suffix(".part")
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, str(aside), metadata=dict(facts))
    aside.chmod(0o644)  # safetensors writes for the owner alone
    aside.replace(path)
