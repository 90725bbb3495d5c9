"""What a stage is given and teaches, whoever takes the steps."""

from __future__ import annotations

import pytest
from microface.models.eam.network import Eam, EamConfig
from microface.models.training.lessons import attend, opened


@pytest.mark.parametrize(
    ("stage", "learns"),
    [("keypoints", True), ("unsupervised", True), ("points", False), ("motion", False)],
)
def test_a_detector_gathers_statistics_only_where_it_is_taught_whole(
    stage: str, learns: bool
) -> None:
    network = Eam(EamConfig(features=8, detail=8, context=8, channels=8))
    attend(network, stage)
    assert network.training and network.encoder.training == learns


def test_a_stage_opens_its_own_parts_alone() -> None:
    network = Eam(EamConfig(features=8, detail=8, context=8, channels=8))
    names = {name for name, _ in opened(network, "paint")}
    assert names == {n for n, p in network.named_parameters() if p.requires_grad}
    assert all(name.startswith(("dense.upsample", "edges", "generator")) for name in names)
    assert len(opened(network, "unsupervised")) == len(list(network.parameters()))
