"""Print how near a baked character, rendered, comes to the generated frames, and what it took.

Not a test; run it as

    python tests/benchmarks/bake_picture.py [--heads HEADS] [--clips NAME ...] [--out DIR]
        [--resolution 512] [--texture 1024] [--samples 16] [--picture FILE] [--frames-only]

Built-in clips go through an embedded server onto the built-in character, or with `--heads` onto
the ICT head of a head pack. Each is baked as shape keys alone, texture alone, shape keys with the
residual texture, and shape keys with wrinkle maps, and rendered at the apex and half way up and
down. `all` is the PSNR over the pixels that move there by half a feather and more, all three
frames together; `apex` that of the apex alone. `neutral` is what doing nothing gives, `again` a
render of the neutral with another seed: the noise of the renders. With `--out` the pictures are
kept. `--frames-only` stops at the generated frames: what is the neutral's own in them, and memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from clock import peak, timed
from numpy.typing import NDArray

CLIPS = ("brow-lower", "nose-wrinkle", "lip-corner-left")
START = 11.0
#: A render's difference is shown this many times larger, about grey.
SHOWN = 8


def character_of(arguments: argparse.Namespace) -> Any:
    """Return the character to bake on, in an empty file."""
    import bpy
    import microface

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 24
    if arguments.heads:
        sys.path.insert(0, str(Path(microface.__file__).parent / "tests" / "addon"))
        import heads

        return heads.ict_head(arguments.heads)
    from microface.addon.bake.materials import find_targets
    from microface.addon.character.builtin import create_character
    from microface.head import IDENTITIES

    character = create_character(IDENTITIES[arguments.identity])
    for target in find_targets(character, 64):
        image = bpy.data.images[target.image_name]
        if image.size[0] != arguments.texture:
            image.scale(arguments.texture, arguments.texture)
            image.pack()
    return character


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--heads", type=Path, help="folder of a head pack")
    parser.add_argument("--identity", default="ada", help="built-in character (default: ada)")
    parser.add_argument("--clips", nargs="+", default=list(CLIPS), help="built-in clips")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--resolution", type=int, default=512, help="side of the neutral")
    parser.add_argument("--texture", type=int, default=1024, help="side of the skin's texture")
    parser.add_argument("--out", type=Path, help="folder for pictures")
    parser.add_argument("--frames-only", action="store_true", help="generate, do not bake")
    parser.add_argument("--samples", type=int, default=16, help="of each render")
    parser.add_argument("--picture", type=Path, help="take this for that neutral, resized")
    arguments = parser.parse_args()
    from microface.addon.retarget.connection import connect

    with connect(None) as client:
        for clip in arguments.clips:
            if arguments.frames_only:
                generate_only(arguments, clip, client)
            else:
                bake(arguments, clip, client)
    print(f"largest process of the server: {peak(resource.RUSAGE_CHILDREN):.2f} GB")


def generate(arguments: argparse.Namespace, character: Any, clip: str, client: Any) -> Any:
    """Return one clip's frames on a character, with a neutral as the arguments ask for it."""
    from microface.addon.character.neutral import render_stage
    from microface.addon.retarget.prepare import prepare_views
    from microface.addon.retarget.session import Session
    from microface.server.client import Performance

    def neutral(on: Any, framing: Any) -> NDArray[np.uint8]:
        if arguments.picture is None:
            return render_stage(on, framing, samples=arguments.samples)
        import cv2

        picture = cv2.imread(str(arguments.picture))[..., ::-1]
        size = (arguments.resolution, arguments.resolution)
        return np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC))

    with timed("neutral"):
        (prepared,) = prepare_views(character, arguments.resolution, render=neutral)
    with timed("generated frames"):
        asked = Performance(f"builtin:{clip}", strength=arguments.strength)
        session = Session(client, prepared, asked, clip)
        return session.pump()


def generate_only(arguments: argparse.Namespace, clip: str, client: Any) -> None:
    """Generate one clip's frames; tell what they hold and what they took."""
    character = character_of(arguments)
    print(f"{clip}, {arguments.resolution} px, {character.name}")
    generated = generate(arguments, character, clip, client)
    held = sum(one.nbytes for one in (generated.frames, generated.edges, generated.motion))
    print(f"    the frames, edges and motion alone: {held / 1e9:.2f} GB")
    tell_frames(generated)
    if arguments.out is not None:
        from microface.addon.png import write_png

        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, picture in (
            ("neutral", generated.neutral),
            ("generated", generated.frames[moments(generated)[1]]),
        ):
            write_png(arguments.out / f"{clip}_{arguments.resolution}_{name}.png", picture)


def bake(arguments: argparse.Namespace, clip: str, client: Any) -> None:
    """Bake one clip in every way, print the table, keep the pictures."""
    from microface.addon import api

    character = character_of(arguments)
    print(f"{clip}, {arguments.resolution} px, {character.name}")
    generated = generate(arguments, character, clip, client)
    frames = moments(generated)
    tell_frames(generated)
    folder = arguments.out and arguments.out / clip
    show = Shown(character, generated, frames, folder, arguments.samples)
    show.keep("neutral", generated.neutral)
    show.keep("generated", generated.frames[frames[1]])
    show.row("neutral", [generated.neutral] * len(frames))
    show.noise()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with timed("texture alone"):
            alone = api.bake_texture(character, generated, folder / "alone", START)
        show.rendered("texture alone")
        tell_texture(character, alone, show)
        api.unbake_texture(character)
        with timed("shape keys"):
            keys = api.bake_shape_keys(character, generated, START, server=client)
        show.rendered("shape keys alone")
        with timed("residual texture"):
            rest = api.bake_texture(character, generated, folder / "rest", START, over=keys)
        show.rendered("keys and residual")
        tell_texture(character, rest, show)
        with timed("wrinkle maps"):
            maps = api.bake_wrinkle_maps(character, generated, folder / "maps", START, over=keys)
        show.rendered("keys and wrinkle maps")
        show.maps(maps)


def moments(generated: Any) -> tuple[int, int, int]:
    """Return the apex of the motion, between the frames half way up and down."""
    size = np.array([np.abs(one[::4, ::4].astype(np.float32)).mean() for one in generated.motion])
    apex = int(size.argmax())
    half = np.flatnonzero(size >= size[apex] / 2)
    return int(half[0]), apex, int(half[-1])


def tell_frames(generated: Any) -> None:
    """Print what of the frames is the neutral's own, and whether detail is kept."""
    apex = moments(generated)[1]
    wrong = still = 0
    for frame, motion, edge in zip(
        generated.frames, generated.motion, generated.edges, strict=True
    ):
        same = (frame == generated.neutral).all(axis=2)
        rest = (motion == 0).all(axis=2) & (edge == 0)
        wrong += int((rest & ~same).sum())
        still += int(same.sum())
    moving = np.hypot(*np.moveaxis(generated.motion[apex].astype(np.float32), -1, 0)) > 0.2
    before, after = (detail(one)[moving] for one in (generated.neutral, generated.frames[apex]))
    share = still / generated.edges.size
    print(
        f"    {len(generated.frames)} frames of {generated.neutral.shape[1]} px: {share:.1%} of all"
        f" pixels are the neutral's, bit for bit; pixels without motion or edge that differ:"
        f" {wrong}; fine detail where the apex moves: {after.std() / before.std():.3f} of the"
        f" neutral's"
    )
    hashes = generated.result.get("model", {})
    print("    model", ", ".join(f"{name} {digest[:12]}" for name, digest in hashes.items()))


def detail(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what a picture's green differs from its neighbours' mean by (pores, hair)."""
    green = picture[..., 1].astype(np.float32)
    around = sum(np.roll(green, step, axis) for axis in (0, 1) for step in (-1, 1))
    return np.asarray(green - around / 4)


def tell_texture(character: Any, bake: Any, show: Shown) -> None:
    """Print that still texels are the texture's own, and keep what moves most."""
    from microface.addon.bake.materials import find_targets
    from microface.addon.images import read_pixels
    from microface.addon.png import write_png

    originals = {one.name: one.pixels[..., :3] for one in find_targets(character, 1024)}
    for one in bake.textures:
        own = originals[one.name]
        differing = 0
        for path in one.files:
            pixels = read_pixels(path)[..., :3]
            differing += int((pixels != own).any(axis=2)[~one.moving].sum())
        apex = read_pixels(one.files[show.frames[1]])[..., :3]
        changed = (apex != own).any(axis=2)
        print(
            f"    texture {one.name} {own.shape[1]} x {own.shape[0]}: {one.moving.mean():.1%} may"
            f" move, {changed.mean():.1%} differ at the apex; still texels that differ in any"
            f" frame: {differing}"
        )
        if show.folder is not None and changed.any():
            base = f"{bake.folder.name}_{one.name}"
            write_png(show.folder / f"{base}.png", apex)
            write_png(show.folder / f"{base}_difference.png", difference(apex, own))


def difference(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the difference of two pictures, `SHOWN` times larger, about grey."""
    return np.clip(128 + SHOWN * (picture.astype(int) - other), 0, 255).astype(np.uint8)


class Shown:
    """Renders what is baked at some source frames and holds it against the generated ones."""

    def __init__(
        self,
        character: Any,
        generated: Any,
        frames: tuple[int, ...],
        folder: Path | None,
        samples: int,
    ) -> None:
        from microface.addon.bake.region import frame_region

        self.folder, self.frames, self._samples = folder, frames, samples
        self._character, self._generated = character, generated
        self._regions = [frame_region(generated, one) > 0.5 for one in frames]
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def rendered(self, what: str) -> None:
        """Render and print one row."""
        from microface.addon.character.neutral import render_frame

        pictures = [
            render_frame(
                self._character,
                self._generated.framing,
                START + 24 * self._generated.times[one],
                samples=self._samples,
            )
            for one in self.frames
        ]
        self.row(what, pictures)
        self.keep(what, pictures[1])
        self.keep(f"{what} difference", difference(pictures[1], self.wanted(1)))

    def wanted(self, number: int) -> NDArray[np.uint8]:
        """Return the generated picture of a moment."""
        return np.asarray(self._generated.frames[self.frames[number]])

    def row(self, what: str, pictures: list[NDArray[np.uint8]]) -> None:
        """Print the PSNR of pictures of the moments where these move."""
        errors = [
            ((picture.astype(float) - self.wanted(number))[region] ** 2).ravel()
            for number, (picture, region) in enumerate(zip(pictures, self._regions, strict=True))
        ]
        whole, apex = (
            10 * np.log10(255**2 / one.mean()) for one in (np.concatenate(errors), errors[1])
        )
        print(f"    {what:<34} all {whole:5.1f} dB  apex {apex:5.1f} dB", flush=True)

    def noise(self) -> None:
        """Print the noise of the renders: the neutral again with another seed."""
        import bpy
        from microface.addon.character import neutral
        from microface.addon.character.stage import stage

        seeded = neutral._set_output

        def other(scene: bpy.types.Scene, *rest: int) -> None:
            seeded(scene, *rest)
            scene.cycles.seed = 1

        neutral._set_output = other
        try:
            with stage(self._character) as on:
                picture = neutral.render_stage(on, self._generated.framing, samples=self._samples)
        finally:
            neutral._set_output = seeded
        error = (picture.astype(float) - self._generated.neutral)[self._regions[1]]
        print(f"    {'again':<34} all {10 * np.log10(255**2 / (error**2).mean()):5.1f} dB")

    def keep(self, what: str, picture: NDArray[np.uint8]) -> None:
        """Keep a picture, if pictures are kept."""
        from microface.addon.png import write_png

        if self.folder is not None:
            write_png(self.folder / f"{what.replace(' ', '_')}.png", picture)

    def maps(self, found: Any) -> None:
        """Print what the wrinkle maps say, and keep them."""
        from microface.addon.png import read_own_png

        for one in found:
            print(
                f"    {len(one.files)} wrinkle maps of {one.texture}: explained"
                f" {one.explained:.1%}, off by {one.error_levels:.2f} levels of"
                f" {one.still_levels:.2f} (worst frame {one.worst_levels:.2f})"
            )
            for name, path, curve in zip(one.names, one.files, one.curves, strict=True):
                stored = read_own_png(path).astype(float) / 65535 * one.range
                steps = np.abs(np.diff(curve, 2)).max()
                print(
                    f"        {name}: {stored.min():.2f} to {stored.max():.2f}, half its power on"
                    f" {half_power(stored - 1):.2%} of the texture, roughest step {steps:.3f},"
                    f" weights {' '.join(f'{w:.2f}' for w in curve[:: max(1, len(curve) // 12)])}"
                )
                if self.folder is not None:
                    self.keep(
                        f"{one.texture} {name}",
                        np.clip(128 + 256 * (stored - 1), 0, 255).astype(np.uint8),
                    )
            if self.folder is not None:
                curves = {n: list(c) for n, c in zip(one.names, one.curves, strict=True)}
                (self.folder / f"{one.texture}_curves.json").write_text(json.dumps(curves))


def half_power(change: NDArray[np.float64]) -> float:
    """Return the share of a texture that holds half the squares of a change (H,W,C)."""
    power = np.sort((change**2).sum(axis=2).ravel())[::-1]
    return float(np.searchsorted(np.cumsum(power), power.sum() / 2) / power.size)


if __name__ == "__main__":
    main()
