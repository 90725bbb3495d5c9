"""A face seen from several sides: each a neutral and a generation of its own, one solve for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import bpy
import numpy as np
import pytest
import synthetic
from dump import differences, dump
from microface.addon import api
from microface.addon.bake.asking import pose_problem, solve_channels
from microface.addon.character.channels import Channel, Target
from microface.addon.character.stage import stage
from microface.addon.character.view import view_face
from microface.addon.generated import Generated
from microface.addon.retarget.connection import connect
from microface.addon.retarget.prepare import VIEWS, prepare_views, views_of
from microface.addon.retarget.solving import server_solver
from microface.errors import InputError
from microface.server.client import Client
from rigs import mouth_rig


def imagined(mask: Any, weights: np.ndarray, views: tuple[str, ...]) -> Generated:
    """Return what a perfect server would send about each view."""
    with stage(mask) as on:
        plain = np.full((192, 192, 3), 128, np.uint8)
        seen = []
        for name in views:
            view = view_face(on, 192, turn_degrees=VIEWS[name])
            made = synthetic.imagine(view, plain, weights, mask.name)
            seen.append(replace(made, view=name))
    return replace(seen[0], others=tuple(seen[1:]))


def test_the_camera_goes_around_the_face(mask: Any) -> None:
    mask.rotation_euler = (0.3, 0.2, 1.0)
    bpy.context.view_layer.update()
    with stage(mask) as on:
        views = {name: view_face(on, 128, turn_degrees=turn) for name, turn in VIEWS.items()}
    axes = np.array(mask.matrix_world)[:3, :3]
    for name, sign in (("front", 0), ("three-quarter-left", 1), ("three-quarter-right", -1)):
        looks = axes.T @ views[name].framing.camera_to_world[:3, 2]
        angle = np.radians(40) * sign
        # The face looks along its own -y and its left is +x.
        assert looks == pytest.approx([np.sin(angle), -np.cos(angle), 0], abs=1e-6)
        pixels, _ = views[name].framing.project(views[name].face.surface.positions)
        assert pixels.min() > -10
        assert pixels.max() < 138


def test_depth_is_seen_from_the_side(mask: Any) -> None:
    """The cheek goes towards the viewer: from the front that hardly shows."""
    names = mask.data.shape_keys.key_blocks.keys()[1:]
    weights = np.zeros((30, len(names)))
    weights[:, names.index("cheekPuff")] = 0.5 * synthetic.bump(30, 11, 6)
    speaks = {}
    for views in (("front",), ("front", "three-quarter-left")):
        generated = imagined(mask, weights, views)
        problem, jacobians = pose_problem(views_of(mask, generated), generated)
        assert len(jacobians) == len(views)
        assert problem.views == (() if len(views) == 1 else tuple(len(j.pixels) for j in jacobians))
        assert len(problem.confidence) == sum(len(j.pixels) for j in jacobians)
        column = problem.jacobian[..., names.index("cheekPuff")].astype(float)
        speaks[len(views)] = np.sqrt((column**2).sum())
        solved = solve_channels(
            problem, views_of(mask, generated)[0].face.channels, synthetic.engine_solver
        )
        if len(views) == 2:
            assert np.abs(solved.weights - weights).max() < 0.05
    assert speaks[2] > 3 * speaks[1]


def test_the_solver_is_told_what_the_source_shows(mask: Any) -> None:
    asked: list[dict[str, np.ndarray]] = []

    class Asked:
        """A client that keeps what a solve is asked, and answers that nothing moves."""

        result: Mapping[str, Any] = MappingProxyType({})
        weights = np.zeros((4, 6), np.float32)

        def solve(self, **arrays: np.ndarray) -> Asked:
            asked.append(arrays)
            return self

        def pump(self) -> Asked:
            return self

    plain = imagined(mask, np.zeros((4, 6)), ("front",))
    told = {
        "units": [{"unit": 12, "side": "left", "peak": 0.2, "confidence": 0.75}],
        "faces": {"character": {"x": 64.0, "y": 60.5, "side": 100.0, "roll": 0.1}},
    }
    for generated in (plain, replace(plain, result={**plain.result, **told})):
        problem, _ = pose_problem(views_of(mask, generated), generated)
        solved = server_solver(cast(Client, Asked()))(problem)
        assert not solved.weights.any()
    # A server of before was not told; to it goes nothing that it would not know.
    assert not {"units", "crop"} & set(asked[0])
    assert asked[1]["units"].tolist() == [[12, 0.75]]
    assert asked[1]["crop"].tolist() == [64, 60.5, 100, 0.1]


def test_all_views_have_the_same_frames(mask: Any) -> None:
    generated = imagined(mask, np.zeros((4, 6)), ("front", "three-quarter-right"))
    (other,) = generated.others
    short = replace(other, times=other.times[:3], motion=other.motion[:3])
    generated = replace(generated, others=(short,))
    with pytest.raises(InputError, match="'three-quarter-right' has 3 frames and 'front' 4"):
        pose_problem(views_of(mask, generated), generated)


@pytest.mark.parametrize("views", [(), ("back",), ("front", "front")])
def test_views_that_are_none(mask: Any, views: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="three-quarter-left"):
        prepare_views(mask, 128, views)


def test_generate_and_bake_two_views(mask: Any, clip: Path, lifting_server: str) -> None:
    before = dump()
    generated = api.generate(
        mask,
        clip,
        Fraction(100),
        server=lifting_server,
        resolution=128,
        views=("front", "three-quarter-left"),
    )
    assert differences(before, dump()) == []
    assert [one.view for one in generated.views] == ["front", "three-quarter-left"]
    assert generated.others[0].frames.shape == (9, 128, 128, 3)
    assert (generated.neutral != generated.others[0].neutral).any()
    bake = api.bake_shape_keys(mask, generated, 11, server=lifting_server)
    assert bake.active()[0] == "mouthSmileLeft"
    assert bake.weights.shape == (9, 6)


def test_a_control_is_on_one_side_of_its_rest() -> None:
    """Both halves of a control cannot move at once: the weaker is held still."""
    target = Target("OBJECT", "Rig", "location", 0)
    channels = (
        Channel("x +", (target,), 0.0, 0.02, 0.0, "control"),
        Channel("x -", (target,), -0.02, 0.0, 0.0, "control"),
        Channel("key", (Target("KEY", "Key", "value"),), 0.0, 1.0, 0.0, "shape key"),
    )
    asked = []

    def solver(problem: Any) -> Any:
        asked.append(problem.bounds)
        weights = np.array([[0.0, -0.1, 0.2], [0.5, -0.3, 0.4]])
        return synthetic.Solved(np.clip(weights, *problem.bounds.T), np.zeros(2))

    problem = synthetic.SolveInput(
        np.zeros((3, 2, 3), np.float16),
        np.zeros((2, 3, 2), np.float16),
        np.ones(3, np.float32),
        np.array([[0.0, 1.0], [-1.0, 0.0], [0.0, 1.0]]),
        ("x +", "x -", "key"),
        np.arange(2.0),
        np.zeros((3, 2)),
    )
    solved = solve_channels(problem, channels, solver)
    assert len(asked) == 2
    assert asked[1].tolist() == [[0, 1], [0, 0], [0, 1]]
    assert solved.weights == pytest.approx(np.array([[0.0, 0.0, 0.2], [0.01, 0.0, 0.4]]))


def test_a_rigged_face_is_baked_on_its_control(mask: Any, clip: Path, lifting_server: str) -> None:
    rig = mouth_rig(mask)
    generated = api.generate(mask, clip, Fraction(100), server=lifting_server, resolution=128)
    bake = api.bake_shape_keys(mask, generated, 11, server=lifting_server)
    up = bake.weights[:, bake.names.index("mouth.L loc Y +")]
    assert bake.active()[0] == "mouth.L loc Y +"
    assert 0.0005 < up.max() <= 0.01
    seen = []
    for frame in (11, 12, 13):
        bpy.context.scene.frame_set(frame)
        seen.append(rig.pose.bones["mouth.L"].location[1])
    smile = mask.data.shape_keys.key_blocks["mouthSmileLeft"]
    assert seen[0] == pytest.approx(0, abs=1e-5)
    assert max(seen) > 0.3 * up.max()
    assert smile.value == pytest.approx(100 * seen[-1], abs=1e-4)


@pytest.mark.slow
def test_two_views_by_the_network() -> None:
    """The built-in character, a built-in clip, the shipped weights: from neutral to keys."""
    from microface.addon.character.builtin import create_character, named_identity

    face = create_character(named_identity("ada"))
    bpy.context.view_layer.update()
    views = ("front", "three-quarter-right")
    with connect(None) as client:
        generated = api.generate(
            face, "builtin:brow-lower", server=client, resolution=128, views=views
        )
        bake = api.bake_shape_keys(face, generated, server=client)
    assert [one.frames.shape for one in generated.views] == [generated.frames.shape] * 2
    assert all(float(np.abs(one.motion).max()) > 0.3 for one in generated.views)
    assert any("brow" in name.lower() for name in bake.active()[:3])
    assert np.isfinite(bake.residual_pixels).all()
