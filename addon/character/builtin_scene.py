"""A small photo studio for the built-in character: camera, warm key, cool fill, rim, backdrop."""

from __future__ import annotations

from math import radians

import bpy
from mathutils import Vector

from ..ocio import show_plainly

#: Where the camera looks, in metres: a little under the eyes.
AIM = Vector((0.0, 0.02, -0.018))


def create_scene(character: bpy.types.Object) -> bpy.types.Object:
    """Light and frame `character` as it stands at the origin; return the camera."""
    scene = bpy.context.scene
    camera = _camera(scene)
    _area(scene, "Key", (-0.55, -0.85, 0.55), 0.45, 14.0, (1.0, 0.90, 0.80))
    _area(scene, "Fill", (0.80, -0.75, 0.05), 0.80, 6.0, (0.80, 0.89, 1.0))
    _area(scene, "Rim", (0.65, 0.60, 0.45), 0.45, 8.0, (1.0, 0.93, 0.86))
    _world(scene)
    show_plainly(scene)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 16
    scene.render.resolution_x = scene.render.resolution_y = 512
    scene.render.fps = 24
    return camera


def _camera(scene: bpy.types.Scene) -> bpy.types.Object:
    data = bpy.data.cameras.new("Camera")
    data.lens = 85.0
    data.sensor_width = 36.0
    data.clip_start = 0.01
    camera = bpy.data.objects.new("Camera", data)
    camera.location = AIM + Vector((0.0, -0.82, 0.0))
    camera.rotation_euler = (radians(90.0), 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def _area(
    scene: bpy.types.Scene,
    name: str,
    place: tuple[float, float, float],
    size: float,
    watts: float,
    colour: tuple[float, float, float],
) -> None:
    data = bpy.data.lights.new(name, "AREA")
    data.energy = watts
    data.size = size
    data.color = colour
    light = bpy.data.objects.new(name, data)
    light.location = place
    light.rotation_euler = (AIM - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(light)


def _world(scene: bpy.types.Scene) -> None:
    """A soft backdrop, lighter behind the head, that also lights the shadows."""
    world = bpy.data.worlds.new("Studio")
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    background = nodes["Background"]
    background.inputs["Strength"].default_value = 0.6
    window = nodes.new("ShaderNodeTexCoord")
    centre = nodes.new("ShaderNodeVectorMath")
    centre.operation = "DISTANCE"
    centre.inputs[1].default_value = (0.5, 0.55, 0.0)
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].color = (0.42, 0.45, 0.46, 1.0)
    ramp.color_ramp.elements[1].color = (0.16, 0.19, 0.22, 1.0)
    ramp.color_ramp.elements[1].position = 0.75
    flat = nodes.new("ShaderNodeVectorMath")
    flat.operation = "MULTIPLY"
    flat.inputs[1].default_value = (1.0, 1.0, 0.0)
    links.new(window.outputs["Window"], flat.inputs[0])
    links.new(flat.outputs["Vector"], centre.inputs[0])
    links.new(centre.outputs["Value"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], background.inputs["Color"])
    scene.world = world
