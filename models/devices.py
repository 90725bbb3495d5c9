"""The device that torch computes on."""

from __future__ import annotations

import torch

from ..errors import InputError

#: What can be asked for; "auto" is CUDA where there is any.
NAMES = ("auto", "cpu", "cuda")

CPU = torch.device("cpu")


def chosen(name: str) -> torch.device:
    """Return the device of a name of `NAMES`, set up for training and for drawing heads.

    InputError where CUDA is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise InputError(
            "--device is cuda, but torch finds no CUDA device here.",
            "Use --device cpu, or a torch built for this machine's GPU.",
        )
    if name == "cpu" or not there:
        return CPU
    # Pictures are all of one size, so the fastest convolutions need to be looked for once.
    torch.backends.cudnn.benchmark = True
    # What is not said to be bfloat16 is float32: heatmaps are read to a fraction of a cell.
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")
