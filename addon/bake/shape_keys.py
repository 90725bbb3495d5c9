"""From motion in the image to keyed shape keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..character.shape_keys import ACTION_PREFIX, shape_key_block
from .curves import Keys, restore_action, write_action
from .problem import Solved
from .time import TOLERANCE, TimeBase, onset_apex_offset, thin
from .weights_csv import write_weights

#: Custom property of such an action: the sliders before the bake, as JSON.
VALUES = "microface_values"


@dataclass(frozen=True)
class ShapeKeyBake:
    """Shape keys keyed from a clip.

    `weights` (T,S) at `times` (T,) seconds for the S `names`, exact zeros where nothing speaks
    for a key; `residual_pixels` (T,) what no key could express; `onset`, `apex`, `offset` source
    frame indices; `action_name` of the new action; `time_base` where it lies in the scene;
    `key_count` keys written in all.
    """

    object_name: str
    names: tuple[str, ...]
    times: NDArray[np.float64]
    weights: NDArray[np.float64]
    residual_pixels: NDArray[np.float64]
    onset: int
    apex: int
    offset: int
    action_name: str
    time_base: TimeBase
    key_count: int

    def write_csv(self, path: Path) -> None:
        """Write the weights as a table: `time` and a column per shape key."""
        write_weights(path, self.names, self.times, self.weights)

    def active(self) -> tuple[str, ...]:
        """Return the names of the keys that move, the strongest first."""
        peak = np.abs(self.weights).max(axis=0)
        order = np.argsort(-peak, kind="stable")
        return tuple(self.names[index] for index in order if peak[index] > 0)


def key_weights(
    obj: Any,
    clip_name: str,
    names: tuple[str, ...],
    times: NDArray[np.float64],
    solved: Solved,
    time_base: TimeBase,
    *,
    whole_frames: bool = False,
    tolerance: float = TOLERANCE,
) -> ShapeKeyBake:
    """Key the solved weights on `obj` in a new action of its own slot.

    Keys sit at the clip's true times, on sub-frames; onset, apex and offset are always kept;
    in between, curves are thinned to `tolerance` (weight). A key that stays silent gets a single
    key of exactly 0. With `whole_frames` the curves are sampled on the scene's frames instead.
    The action played before is kept.
    """
    block = shape_key_block(obj)
    lower = np.array([block.key_blocks[name].slider_min for name in names])
    upper = np.array([block.key_blocks[name].slider_max for name in names])
    weights = np.clip(solved.weights, np.minimum(lower, 0), np.maximum(upper, 0))
    onset, apex, offset = onset_apex_offset(weights)
    frames = time_base.frames(times)
    curves: dict[str, Keys] = {}
    for index, name in enumerate(names):
        values = weights[:, index]
        path = f"{block.key_blocks[name].path_from_id()}.value"
        if not values.any():
            curves[path] = (frames[:1], np.zeros(1))
        elif whole_frames:
            whole = time_base.whole_frames(times)
            curves[path] = (whole.astype(np.float64), np.interp(whole, frames, values))
        else:
            chosen = thin(frames, values, (onset, apex, offset), tolerance)
            curves[path] = (frames[chosen], values[chosen])
    sliders = {str(key.name): float(key.value) for key in block.key_blocks}
    action = write_action(block, f"{ACTION_PREFIX} {clip_name}", curves)
    action[VALUES] = json.dumps(sliders)
    return ShapeKeyBake(
        str(obj.name),
        names,
        times,
        weights,
        solved.residual_pixels,
        onset,
        apex,
        offset,
        str(action.name),
        time_base,
        sum(len(keys[0]) for keys in curves.values()),
    )


def unbake_shape_keys(obj: Any) -> bool:
    """Remove the bake that `obj` plays and play again what it played before.

    Returns whether there was one. The sliders stand as they stood before the bake.
    """
    block = shape_key_block(obj)
    action = block.animation_data.action if block.animation_data else None
    if action is None or VALUES not in action:
        return False
    sliders = json.loads(action[VALUES])
    restore_action(block, action)
    for key in block.key_blocks:
        key.value = sliders.get(key.name, key.value)
    bpy.context.view_layer.update()
    return True
