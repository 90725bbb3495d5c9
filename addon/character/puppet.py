"""The drivers of a face's shape keys on meshes of one vertex: a rig is probed in no time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .channel import Target, set_number
from .copies import relink_driver
from .family import home_scene
from .resting import resting_values
from .rig import Sink
from .shape_keys import driven_keys


@dataclass
class Puppet:
    """Meshes of one vertex with the shape keys and drivers of a face.

    `sinks` are the driven keys, in the order of what `read` returns.
    """

    scene: Any
    sinks: tuple[Sink, ...]
    keys: dict[str, Any]

    def set(self, target: Target, value: float) -> None:
        """Turn a knob."""
        set_number(target.block(), target.data_path, target.index, value)

    def read(self) -> NDArray[np.float64]:
        """Return the values of the driven keys as the rig stands."""
        layer = self.scene.view_layers[0]
        layer.update()
        evaluated = {
            name: block.evaluated_get(layer.depsgraph).key_blocks
            for name, block in self.keys.items()
        }
        return np.array([float(evaluated[block][key].value) for block, key in self.sinks])


@contextmanager
def puppet(family: list[Any], sinks: tuple[Sink, ...]) -> Iterator[Puppet]:
    """Set the puppet of a face up in a scene of its own, and remove it at the end."""
    home = home_scene(family[0])
    scene = bpy.data.scenes.new("Microface rig")
    made: list[Any] = []
    try:
        keys: dict[str, Any] = {}
        for mesh in family:
            name = str(mesh.data.shape_keys.name)
            if name not in keys:
                double = _double(mesh)
                made.append(double)
                scene.collection.objects.link(double)
                keys[name] = double.data.shape_keys
        stand_ins = {mesh.data.shape_keys: keys[mesh.data.shape_keys.name] for mesh in family}
        for original, double in stand_ins.items():
            _copy_drivers(original, double, stand_ins)
        scene.frame_set(home.frame_current, subframe=home.frame_subframe)
        yield Puppet(scene, sinks, keys)
    finally:
        bpy.data.scenes.remove(scene)
        for double in made:
            mesh = double.data
            bpy.data.objects.remove(double)
            bpy.data.meshes.remove(mesh)
        home.view_layers[0].update()


def _double(original: Any) -> Any:
    mesh = bpy.data.meshes.new("Microface rig")
    mesh.vertices.add(1)
    double = bpy.data.objects.new("Microface rig", mesh)
    driven = driven_keys(original.data.shape_keys)
    rest = resting_values(original.data.shape_keys)
    for key in original.data.shape_keys.key_blocks:
        copy = double.shape_key_add(name=key.name, from_mix=False)
        copy.slider_min, copy.slider_max = key.slider_min, key.slider_max
        copy.value = key.value if key.name in driven else rest[key.name]
    return double


def _copy_drivers(original: Any, double: Any, stand_ins: dict[Any, Any]) -> None:
    if original.animation_data is None:
        return
    paths = {f"{key.path_from_id()}.value" for key in original.key_blocks}
    animation = double.animation_data_create()
    for curve in original.animation_data.drivers:
        if curve.data_path in paths and not curve.mute:
            copy = animation.drivers.from_existing(src_driver=curve)
            relink_driver(copy.driver, stand_ins)
