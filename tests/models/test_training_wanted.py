"""What motion is taught: the carried truth first, the own rig where nothing else is known."""

from __future__ import annotations

import torch
from microface.models.training.carried import carried_truth
from microface.models.training.losses import of_like_size, swim
from microface.models.training.wanted import BY_RIG, exchanged, wanted

from .test_training_carried import pair


def batch(count: int = 4) -> dict[str, torch.Tensor]:
    """A batch of the carried truth's pair, whose own rig moves everything up by two pixels."""
    one = pair(1.0)
    rig = torch.zeros(1, 2, 256, 256)
    rig[:, 1] = 2.0
    one |= {
        "source_neutral": torch.zeros(1, 3, 256, 256),
        "character_backward": rig,
        "character_visible": torch.ones(1, 1, 256, 256),
    }
    return {
        name: torch.cat([value + 0.001 * i * name.endswith("points") for i in range(count)])
        for name, value in one.items()
    }


def test_half_of_the_sources_meet_the_character_of_another_pair() -> None:
    before = batch(6)
    met = exchanged(before, torch.Generator().manual_seed(0))
    assert met["own"].flatten().tolist() == [1, 1, 1, 0, 0, 0]
    assert torch.equal(met["source_points"], before["source_points"])
    first, others = met["character_points"][:3], met["character_points"][3:]
    assert torch.equal(first, before["character_points"][:3])
    assert {float(x[0, 0]) for x in others} == {
        float(x[0, 0]) for x in before["character_points"][3:]
    }
    for mine, old in zip(others, before["character_points"][3:], strict=True):
        assert not torch.equal(mine, old)


def test_too_small_a_batch_is_left_as_it_is() -> None:
    met = exchanged(batch(2), torch.Generator().manual_seed(0))
    assert met["own"].flatten().tolist() == [1, 1]


def test_the_carried_truth_goes_before_the_own_rig() -> None:
    met = exchanged(batch(4), torch.Generator().manual_seed(1))
    truth, alike = wanted(met), carried_truth(met)
    known = alike.known.expand_as(truth.flow)
    assert known.any() and not known.all()
    assert torch.equal(truth.flow[known], alike.flow[known])
    own, strange = truth.flow[:2], truth.flow[2:]
    assert torch.all(own[:, 1:][~known[:2, 1:]] == 2)
    assert torch.all(strange[~known[2:]] == 0)
    assert torch.all(truth.known[:2][~alike.known[:2]] == BY_RIG)
    assert torch.all(truth.known[2:][~alike.known[2:]] == 0)
    assert torch.all(truth.rig_known[2:] == 0)


def test_a_strange_character_is_still_only_where_that_is_known() -> None:
    met = exchanged(batch(4), torch.Generator().manual_seed(1))
    met["source_chart"][:, 3, :, 32:] = 0
    truth = wanted(met)
    assert torch.all(truth.still[:2] == 1)
    assert 0 < float(truth.still[2:].mean()) < 1


def test_the_own_rig_is_taken_at_the_size_of_the_motion() -> None:
    truth = batch(1)["character_backward"][..., ::4, ::4]
    everywhere = torch.ones_like(truth[:, :1])
    for size, expected in ((1.5, 1.5), (0.1, 0.5), (5.0, 2.0)):
        found = of_like_size(truth, size * truth, everywhere)
        assert torch.allclose(found, expected * truth, rtol=1e-4)


def test_hair_is_known_to_be_still_and_to_show_no_like_of_the_source() -> None:
    hairy = batch(4)
    hairy["character_backward"][..., :64] = 0
    hairy["character_fixed"][..., :64] = 1
    met = exchanged(hairy, torch.Generator().manual_seed(1))
    truth = wanted(met)
    assert truth.fixed[..., :16].all() and not truth.fixed[..., 16:].any()
    assert not carried_truth(met).known[..., :16].any()
    assert not truth.flow[..., :16].any()
    assert (truth.still[..., :16] == 1).all()


def test_hair_that_moves_costs_as_much_as_the_face_that_stays() -> None:
    truth = torch.zeros(1, 2, 64, 64)
    truth[:, 1, 20:40] = 2
    fixed = torch.zeros(1, 1, 64, 64)
    fixed[:, :, 10:20] = 1
    assert float(swim(truth, truth, fixed)) < 1e-6
    everywhere = truth.clone()
    everywhere[:, 1, 10:20] = 2
    # Half as many rows as move truly.
    assert 0.4 < float(swim(everywhere, truth, fixed)) < 0.5
    assert float(swim(everywhere, truth, 0 * fixed)) < 1e-6
