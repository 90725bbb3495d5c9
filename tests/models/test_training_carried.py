"""The carried truth: a place moves as its like does, in proportion."""

from __future__ import annotations

import torch
from microface.models.eam import grid
from microface.models.training.carried import carried_truth


def pair(scale: float) -> dict[str, torch.Tensor]:
    """A source, and a character that is the source scaled about the picture's middle."""
    rng = torch.Generator().manual_seed(0)
    points = (torch.rand(1, 30, 2, generator=rng) - 0.5) * 80
    places = grid.centres(64, 64, torch.zeros(1)).permute(2, 0, 1)[None] * 8
    ones = torch.ones(1, 1, 64, 64)
    motion = torch.zeros(1, 2, 64, 64)
    motion[:, 0] = 1.2
    motion[:, 1] = -0.6
    return {
        "source_points": points + 127.5,
        "character_points": scale * points + 127.5,
        "source_chart": torch.cat((places, 0 * places[:, :1], ones), 1),
        "character_chart": torch.cat((places / scale, 0 * places[:, :1], ones), 1),
        "source_moving": ones,
        "character_fixed": torch.zeros(1, 1, 256, 256),
        "source_flow": motion,
    }


def test_a_smaller_face_moves_less_and_backwards() -> None:
    for scale in (1.0, 0.8):
        found = carried_truth(pair(scale))
        middle = found.flow[0, :, 24:40, 24:40]
        assert bool(found.known[0, 0, 24:40, 24:40].all())
        assert (middle[0] + 1.2 * scale).abs().max() < 0.02
        assert (middle[1] - 0.6 * scale).abs().max() < 0.02


def test_what_the_source_does_not_show_is_not_known() -> None:
    hidden = pair(1.0)
    hidden["source_chart"][:, 3, :, 32:] = 0
    known = carried_truth(hidden).known[0, 0]
    assert not known[:, 33:].any() and known[24:40, 20:30].all()
