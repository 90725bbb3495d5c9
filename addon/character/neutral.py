"""Pictures of a character from its framing, rendered on a stage of our own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...errors import RunError
from ..images import read_pixels
from ..ocio import show_plainly
from ..quiet import blender_log_hidden
from .framing import SENSOR_MILLIMETRES, Framing
from .stage import Stage, stage

#: Level (sRGB, 0..255) of the plain background.
BACKGROUND = 118
#: Cycles samples per pixel; the denoiser takes care of the rest.
SAMPLES = 16
#: So many times more of them where there is no denoiser: then both are 48 dB from a clean picture.
NOISY_FACTOR = 3


def render_stage(on: Stage, framing: Framing, *, samples: int = SAMPLES) -> NDArray[np.uint8]:
    """Render what stands on a stage; return (R,R,3) uint8 sRGB over a plain background.

    Cycles on the CPU with a fixed seed: the same everywhere, with a window or without. The light
    is frontal and soft, the view plain sRGB, so that linear light can be had back.
    """
    scene = on.scene
    if scene.world is None:
        _set_light(scene, framing)
    _set_camera(scene, framing)
    _set_output(scene, framing.resolution, samples)
    with tempfile.TemporaryDirectory(prefix="microface-") as folder:
        path = Path(folder) / "neutral.png"
        scene.render.filepath = str(path)
        shown = "Render Result" in bpy.data.images
        # An override and not the operator's own `scene`: with that, image sequences would follow
        # the frame of the window's scene.
        with blender_log_hidden(), bpy.context.temp_override(scene=scene):
            bpy.ops.render.render(write_still=True)
        if not shown and "Render Result" in bpy.data.images:
            bpy.data.images.remove(bpy.data.images["Render Result"])
        if not path.exists():
            raise RunError(
                "Blender rendered no picture of the character.",
                "Check that Cycles is enabled and the temporary folder is writable.",
            )
        pixels = read_pixels(path)
    alpha = pixels[..., 3:].astype(np.float32) / 255.0
    mixed = pixels[..., :3] * alpha + BACKGROUND * (1.0 - alpha)
    return np.asarray(np.rint(mixed), np.uint8)


def render_frame(
    obj: Any, framing: Framing, frame: float, *, samples: int = SAMPLES
) -> NDArray[np.uint8]:
    """Render the character as animated at a scene frame (it may lie between whole frames).

    Same camera and light as the neutral render; returns (R,R,3) uint8 sRGB.
    """
    with stage(obj, neutral=False) as on:
        whole = int(np.floor(frame))
        on.scene.frame_set(whole, subframe=float(frame - whole))
        return render_stage(on, framing, samples=samples)


def _set_camera(scene: Any, framing: Framing) -> None:
    if scene.camera is not None:
        scene.camera.matrix_world = Matrix(framing.camera_to_world.tolist())
        scene.camera.data.lens = framing.lens_millimetres
        return
    data = bpy.data.cameras.new("Microface framing")
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_MILLIMETRES
    data.lens = framing.lens_millimetres
    data.clip_start = framing.distance * 0.05
    data.clip_end = framing.distance * 20
    camera = bpy.data.objects.new("Microface framing", data)
    camera.matrix_world = Matrix(framing.camera_to_world.tolist())
    scene.collection.objects.link(camera)
    scene.camera = camera


def _set_light(scene: Any, framing: Framing) -> None:
    rotation = framing.camera_to_world[:3, :3]
    # Direction towards the light in camera axes (right, up, to the viewer), and its strength.
    for towards, strength in (((-0.45, 0.55, 0.7), 1.9), ((0.7, 0.15, 0.7), 0.8)):
        data = bpy.data.lights.new("Microface light", "SUN")
        data.energy = strength
        data.angle = 0.5
        light = bpy.data.objects.new("Microface light", data)
        world = rotation @ np.array(towards)
        light.rotation_euler = _looking_along(-world)
        scene.collection.objects.link(light)
    world = bpy.data.worlds.new("Microface light")
    world.use_nodes = True
    background = world.node_tree.nodes.get("Background")
    background.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    background.inputs["Strength"].default_value = 0.35
    scene.world = world


def _looking_along(direction: NDArray[np.float64]) -> Any:
    return Vector(direction.tolist()).to_track_quat("-Z", "Y").to_euler()


def _set_output(scene: Any, resolution: int, samples: int) -> None:
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = resolution
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.film_transparent = True
    render.use_compositing = render.use_sequencer = False
    render.dither_intensity = 0.0
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.color_depth = "8"
    show_plainly(scene)
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.seed = 0
    cycles.use_adaptive_sampling = False
    cycles.max_bounces = 4
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.use_denoising = True
        # Half the time of "accurate" for a picture that cannot be told from it.
        cycles.denoising_prefilter = "FAST"
    except TypeError:  # a Blender built without it, as some Linux distributions' are
        cycles.use_denoising = False
        cycles.samples = samples * NOISY_FACTOR
