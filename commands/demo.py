"""Do the whole job from nothing and show what came of it.

Writes the built-in character, starts a server, sends it the character's neutral frame and a clip,
bakes what comes back into keyed shape keys, residual textures and edge maps, renders the baked
character again, and stops the server. In OUT afterwards:

  report.html     side by side: source, generated, edge map, baked render; curves; figures
  ada.blend       the character, keyed and textured, its pictures in ada_microface/
  ada.csv         the weights: time in seconds and a column per shape key
  preview.gif     the side-by-side animation
  figures.json    the report's figures for machines
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .needs import need_blender
from .options import add_fps_argument, add_strength_argument
from .output import check_output, whole_folder
from .progress import ProgressReport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..addon.bake.shape_keys import ShapeKeyBake
    from ..addon.generated import Generated
    from ..report.bake import ShownBake

EXAMPLE = """Examples:
  microface demo --out out/demo
  microface demo --clip builtin:lip-corner-left --strength 1.5 --out out/smirk"""

#: What a demo's folder holds.
PARTS = (
    "report.html",
    "ada.blend",
    "ada_microface",
    "ada.csv",
    "preview.gif",
    "apex.png",
    "figures.json",
)
IDENTITY = "ada"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out/demo"),
        metavar="DIR",
        help="folder to write, new or empty (default: out/demo)",
    )
    parser.add_argument(
        "--clip",
        default="builtin:brow-lower",
        help="video, folder of frames, or builtin:NAME (default: builtin:brow-lower)",
    )
    add_fps_argument(parser)
    add_strength_argument(parser)
    parser.add_argument(
        "--resolution",
        type=int,
        default=320,
        metavar="N",
        help="pixels a side of what is generated (default: 320)",
    )
    parser.add_argument("--force", action="store_true", help="replace an earlier demo in DIR")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from ..addon.bake.time import parse_fps
    from ..addon.clips import clip_label
    from ..server.client import Performance

    out = arguments.out.absolute()
    check_output(out, PARTS, force=arguments.force)
    need_blender("server,blender")
    from ..addon.retarget.prepare import check_resolution

    check_resolution(arguments.resolution)
    fps = parse_fps(arguments.fps) if arguments.fps else None
    clip_label(arguments.clip)
    asked = Performance(arguments.clip, fps, arguments.strength)
    asked.check()
    asked.sources()  # What cannot be used is told before a character is made.
    with (
        ProgressReport("demo") as report,
        whole_folder(out, PARTS, force=arguments.force) as folder,
    ):
        job = _Job(folder, arguments.clip, fps, arguments.strength, arguments.resolution, report)
        found = job.run()
    for name in ("report.html", "ada.blend", "preview.gif"):
        print(f"Wrote {out / name}")
    print("  ".join(f"{name} {value:.3g}" for name, value in found.items()))
    return 0


@dataclass
class _Job:
    """One demo in the making; `seconds` holds what each stage took."""

    folder: Path
    clip: str
    fps: Any
    strength: float
    resolution: int
    report: ProgressReport
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> dict[str, float]:
        """Do everything and return the report's figures."""
        from ..addon import api
        from ..addon.bake.publish import publication
        from ..addon.character.builtin_file import write_character
        from ..addon.files import open_blend
        from ..addon.retarget.prepare import find_character
        from ..server.client import Client
        from ..server.embedded import EmbeddedServer

        blend = self.folder / f"{IDENTITY}.blend"
        with ExitStack() as stack:
            server = EmbeddedServer()
            stack.callback(server.stop)
            server.begin()
            with self._stage("character"):
                write_character(blend, IDENTITY)
                open_blend(blend)
            with self._stage("server start"):
                client = stack.enter_context(Client(server.start()))
            character = find_character(IDENTITY.capitalize())
            with self._stage("neutral and retarget"):
                generated = api.generate(
                    character,
                    self.clip,
                    self.fps,
                    self.strength,
                    client,
                    self.resolution,
                    lambda event: self.report.stage(event.stage, event.progress),
                )
            _fit_timeline(character, generated)
            place = stack.enter_context(publication(blend, over_itself=True))
            with self._stage("shape-key bake"):
                keys = api.bake_shape_keys(character, generated, server=client)
            with self._stage("baked renders"):
                baked = _replay(character, generated, keys, self.report)
            with self._stage("texture bake"):
                pictures = place.draft_pictures
                api.bake_texture(character, generated, pictures / "texture", over=keys)
                api.bake_edges(character, generated, pictures / "edges")
            table = place.draft / f"{IDENTITY}.csv"
            keys.write_csv(table)
            place.publish(table)
        return self._report(generated, keys, baked)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.report.say(name)
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun

    def _report(
        self, generated: Generated, keys: ShapeKeyBake, baked: NDArray[np.uint8]
    ) -> dict[str, float]:
        from ..report.bake import PLAYBACK_FPS, bake_page, figures, picture_rows
        from ..report.page import render_page
        from ..report.panels import write_gif

        with self._stage("report"):
            shown = self._shown(generated, keys, baked)
            rows = picture_rows(shown)
            found = figures(shown)
            write_gif(rows, PLAYBACK_FPS, self.folder / "preview.gif")
            rows[keys.apex].save(self.folder / "apex.png")
            page = render_page(bake_page(shown, rows))
            (self.folder / "report.html").write_text(page, encoding="utf-8")
            record = {"figures": found, "seconds": self.seconds, "settings": dict(shown.settings)}
            text = json.dumps(record | {"hashes": dict(shown.hashes)}, indent=2)
            (self.folder / "figures.json").write_text(text + "\n", encoding="utf-8")
        return found

    def _shown(
        self, generated: Generated, keys: ShapeKeyBake, baked: NDArray[np.uint8]
    ) -> ShownBake:
        import numpy as np

        from .. import __version__
        from ..report.bake import ShownBake
        from ..server.clips.builtin import builtin_clip, is_builtin
        from ..server.clips.read import read_clip

        clip = builtin_clip(self.clip) if is_builtin(self.clip) else read_clip(self.clip, self.fps)
        times = keys.times
        stages = generated.result.get("seconds", {})
        models = generated.result.get("model", {})
        return ShownBake(
            title=f"{generated.clip_name} on {generated.object_name}",
            lead=f"{len(times)} frames at {float(generated.fps):g} a second, "
            f"strength {self.strength:g}, {generated.framing.resolution} pixels a side.",
            source=np.stack(list(clip.frames)),
            neutral=generated.neutral,
            generated=generated.frames,
            edges=generated.edges,
            baked=baked,
            motion=generated.motion,
            times=times,
            weights={name: keys.weights[:, i] for i, name in enumerate(keys.names)},
            truth={name: self.strength * curve for name, curve in clip.truth.items()},
            marks={
                "onset": float(times[keys.onset]),
                "apex": float(times[keys.apex]),
                "offset": float(times[keys.offset]),
            },
            timings=self.seconds | {f"server: {name}": float(v) for name, v in stages.items()},
            hashes={"clip": clip.sha256} | {f"model: {n}": str(h) for n, h in models.items()},
            settings={
                "clip": self.clip,
                "frame rate": f"{generated.fps.numerator}/{generated.fps.denominator}",
                "strength": f"{self.strength:g}",
                "character": f"built-in, {IDENTITY}",
                "microface": __version__,
            },
        )


def _fit_timeline(character: Any, generated: Generated) -> None:
    """Let the scene's timeline end with the clip, so that Play shows it over and over."""
    import math

    from ..addon.bake.time import scene_fps
    from ..addon.character.stage import home_scene

    scene = home_scene(character)
    scene.frame_start = 1
    scene.frame_end = 1 + math.ceil(float(generated.times[-1]) * float(scene_fps(scene)))


def _replay(
    character: Any, generated: Generated, keys: ShapeKeyBake, report: ProgressReport
) -> NDArray[np.uint8]:
    """Render the keyed character at each of the clip's times, from the framing camera.

    Frames in which every weight is exactly zero show the same thing and are rendered once.
    """
    import numpy as np

    from ..addon import api

    rendered: list[NDArray[np.uint8]] = []
    neutral: NDArray[np.uint8] | None = None
    frames = keys.time_base.frames(keys.times)
    for frame, weights in zip(frames, keys.weights, strict=True):
        report.stage("rendering", len(rendered) / len(frames))
        if neutral is not None and not weights.any():
            rendered.append(neutral)
            continue
        rendered.append(api.render_frame(character, generated.framing, float(frame)))
        if not weights.any():
            neutral = rendered[-1]
    return np.stack(rendered)
