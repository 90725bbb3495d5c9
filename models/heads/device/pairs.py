"""Training pairs drawn on a device, many at a time: the same fields as `heads/pairs.py` makes.

A scene is one source head and one character, each in several settings, and some expressions in
each. What is random and small (settings, expressions) is drawn by the processor, all pictures,
flows and noise by the device.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..actor import shake_of
from ..expressions import added
from ..families import TEST_IDENTITIES_FROM, HeadModel, RenderHead, is_test
from ..fixed import MOSTLY
from ..pairs import (
    CELLS,
    CHARACTER_FRAMING,
    SOURCE_FRAMING,
    Split,
    choose_heads,
    random_act,
)
from ..pulls import Pull, pulled
from ..render import SUPERSAMPLING
from ..setting import SIZE, Setting, random_setting, random_style
from ..style import dressed
from .head import DeviceHead, Shelf
from .look import looks_of, shadows
from .render import Drawings, Motions, charts, draw, fixed_share, motions
from .sensor import exposed, shifted

#: Settings of a scene, and expressions in each.
SETTINGS, FRAMES = 4, 4
#: Heads of each family that are in use at a time.
HEADS = 32

Act = tuple[dict[str, float], tuple[Pull, ...]]
#: A scene's pairs, each field of `Pair` stacked, and what is known of each.
Drawn = tuple[dict[str, NDArray[np.generic]], list[dict[str, object]]]


class Kept:
    """A family of which only so many heads are used, each made once; other ones in each `turn`."""

    def __init__(self, family: HeadModel, count: int, turn: int = 0) -> None:
        self.name, self._family, self._count = family.name, family, count
        self._first = turn * count
        self._made: dict[int, RenderHead] = {}

    def sample(self, identity: int) -> RenderHead:
        """Return the head that stands for that number, of the same split."""
        number = self._first + identity % self._count
        number += TEST_IDENTITIES_FROM if is_test(identity) else 0
        if number not in self._made:
            self._made.setdefault(number, self._family.sample(number))
        return self._made[number]


@dataclass(frozen=True)
class Plan:
    """A scene before it is drawn: both sides' settings, and `acts`, `FRAMES` for each setting;
    `worn` whether the character's head is for this scene alone."""

    source: list[Setting]
    character: list[Setting]
    acts: list[Act]
    worn: bool


@dataclass(frozen=True)
class Side:
    """One head's drawings in a scene of A settings and P acts: the neutrals, then the acts.

    `of` (P,) is the setting of each act, `moving` (P,) the number of its drawing, the neutral's
    where it does not move; `level` (A,) and `median` (A, 3) the neutrals' light on the face.
    """

    head: DeviceHead
    settings: list[Setting]
    drawn: Drawings
    of: Tensor
    moving: Tensor
    level: Tensor
    median: Tensor

    def covers(self) -> list[Tensor | None]:
        """Return what lies over each setting's pictures, (4, 2S, 2S), lit as the face is."""
        found: list[Tensor | None] = []
        for row, setting in enumerate(self.settings):
            cover = setting.cover
            if cover is None:
                found.append(None)
                continue
            picture = torch.from_numpy(cover.picture).to(self.level.device).permute(2, 0, 1)
            light = (self.level[row] / 0.2).expand(3) if cover.grey else self.median[row]
            found.append(picture * F.pad(light, (0, 1), value=1.0)[:, None, None])
        return found

    def neutrals(self, covers: Sequence[Tensor | None], rng: torch.Generator) -> Tensor:
        """Return the pictures of the settings' neutrals with their `covers` over them."""
        still = torch.arange(len(covers), device=self.level.device)
        light = covered(self.drawn.light[: len(covers)], covers)
        return self.pictures(light, still, [True] * len(covers), rng)

    def pictures(
        self, light: Tensor, of: Tensor, first: Sequence[bool], rng: torch.Generator
    ) -> Tensor:
        """Return what the settings' sensors make of supersampled light (n, 4, 2S, 2S); `of` (n,)
        are the settings."""
        rows = of.tolist()
        small = F.avg_pool2d(light, SUPERSAMPLING)
        level = self.level.clamp(min=1e-3)
        wanted = level.new_tensor([s.wanted for s in self.settings])
        behind = np.stack([s.background for s in self.settings])
        background = torch.from_numpy(behind).to(level.device).permute(0, 3, 1, 2)
        background = background * (level / wanted)[:, None, None, None]
        whole = small[:, :3] + (1 - small[:, 3:]) * background[of]
        gain = level.new_tensor(np.stack([s.sensor.exposure for s in self.settings]))
        gain = gain * (wanted / level)[:, None]
        return exposed([self.settings[r].sensor for r in rows], first, whole, gain[of], rng)

    def fixed(self, covers: Sequence[Tensor | None] = ()) -> Tensor:
        """Return how much of each pixel of the neutrals, with `covers` over them, shows what is
        fixed, (A, 1, S, S)."""
        return fixed_share(self.head, self.drawn.first(len(self.settings)), covers)

    def motion_of_keypoints(self) -> tuple[Tensor, Tensor]:
        """Return the neutrals' keypoints (P, 30, 2) of each act and their way, in pixels."""
        points = self.head.keypoints(self.drawn.points) / SUPERSAMPLING
        still = points[self.of]
        return still, points[self.moving] - still


class Studio:
    """Draws scenes of some families on a device."""

    def __init__(
        self, families: Sequence[HeadModel], device: torch.device, heads: int = HEADS
    ) -> None:
        """`heads` is how many of each family are in use at a time."""
        self.device = device
        self._families, self._heads = families, heads
        self._kept: dict[int, list[Kept]] = {}
        self._lock = threading.Lock()
        self._shelf = Shelf(device)
        self._there: dict[int, DeviceHead] = {}

    def families(self, turn: int) -> list[Kept]:
        """Return the families with the heads of a turn; only the last two turns' are kept."""
        with self._lock:
            if turn not in self._kept:
                self._kept[turn] = [Kept(f, self._heads, turn) for f in self._families]
                for old in sorted(self._kept)[:-2]:
                    del self._kept[old]
            return self._kept[turn]

    def plan(
        self,
        rng: np.random.Generator,
        split: Split,
        turn: int = 0,
        settings: int = SETTINGS,
        frames: int = FRAMES,
    ) -> Plan:
        """Draw what a scene shows, with heads of a `turn`. The character's head wears one style in
        all its settings."""
        varied = split == "train"
        source, character = choose_heads(rng, self.families(turn), split)
        style = random_style(rng) if varied else ""
        if style:
            character = dressed(rng, character, style)
        return Plan(
            [
                random_setting(rng, source, SOURCE_FRAMING, clean=False, varied=varied, worn="")
                for _ in range(settings)
            ],
            [
                random_setting(
                    rng, character, CHARACTER_FRAMING, clean=True, varied=varied, worn=style
                )
                for _ in range(settings)
            ],
            [random_act(rng, split) for _ in range(settings * frames)],
            bool(style),
        )

    def scene(self, rng: np.random.Generator, plan: Plan) -> Drawn:
        """Return the pairs of a scene."""
        noise = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        with torch.no_grad():
            source = self._side(plan.source, plan.acts, keep=True)
            character = self._side(plan.character, plan.acts, keep=not plan.worn)
            found = self._source(rng, source, noise) | self._character(character, noise)
        heads = source.head.head, character.head.head
        meta: list[dict[str, object]] = [
            {
                "weights": weights,
                "families": [h.family for h in heads],
                "identities": [h.identity for h in heads],
            }
            for weights, _ in plan.acts
        ]
        return {name: value.cpu().numpy() for name, value in found.items()}, meta

    def _head(self, head: RenderHead, keep: bool) -> DeviceHead:
        if not keep:
            return self._shelf.head(head)
        if id(head) not in self._there:
            if len(self._there) >= 2 * self._heads * len(self._families):
                del self._there[next(iter(self._there))]
            self._there[id(head)] = self._shelf.head(head)
        return self._there[id(head)]

    def _side(self, settings: list[Setting], acts: list[Act], keep: bool) -> Side:
        """Draw one side of a scene."""
        head = self._head(settings[0].head, keep)
        each = len(acts) // len(settings)
        moves = [k for k, (weights, pulls) in enumerate(acts) if weights or pulls]
        poses = [s.base for s in settings]
        poses += [added(settings[k // each].base, acts[k][0]) for k in moves]
        vertices = head.posed(poses)
        for row, k in enumerate(moves, start=len(settings)):
            if acts[k][1]:
                neutral, own = settings[k // each].vertices, head.head
                shift = pulled(neutral, own.soft, own.landmarks, acts[k][1])
                vertices[row] += torch.from_numpy(shift).to(self.device)
        looks = looks_of([(s.camera, s.light, s.style) for s in settings], self.device)
        lit = shadows(head, vertices[: len(settings)], looks)
        of = torch.arange(len(acts), device=self.device) // each
        rows = list(range(len(settings))) + [k // each for k in moves]
        which = torch.tensor(rows, device=self.device)
        drawn = draw(head, vertices, looks.take(which), lit[which], SIZE)
        moving = of.clone()
        moving[torch.tensor(moves, dtype=torch.int64, device=self.device)] = torch.arange(
            len(settings), len(rows), device=self.device
        )
        lights = []
        for row in range(len(settings)):
            lights.append(drawn.light[row, :3].flatten(1)[:, drawn.triangle[row] >= 0])
        return Side(
            head, settings, drawn, of, moving,
            torch.stack([x.mean() for x in lights]),
            torch.stack([x.median(dim=1).values for x in lights]),
        )  # fmt: skip

    def _source(
        self, rng: np.random.Generator, side: Side, noise: torch.Generator
    ) -> dict[str, Tensor]:
        covers = side.covers()
        neutrals = side.neutrals(covers, noise)
        light = side.drawn.light[side.moving].clone()
        flow = motions(side.head, side.drawn, side.of, side.moving)
        seen = flow.visible * (1 - side.fixed()[side.of])
        for row, setting in enumerate(side.of.tolist()):
            cover, made = covers[setting], side.settings[setting].cover
            if cover is None or made is None:
                continue
            after = cover
            if made.loose:
                shift = torch.eye(2, 3, dtype=torch.float64)
                shift[:, 2] = torch.from_numpy(rng.normal(0, 2, 2))
                after = shifted(cover[None], shift[None].to(self.device), "border")[0]
            light[row] = laid_over(light[row], after)
            seen[row] *= free_share(cover, after, flow.flow[row])
        side_samples = light.shape[-1]
        shakes = np.stack([shake_of(rng, side_samples) for _ in range(len(light))])
        light = shifted(light, torch.from_numpy(shakes).to(self.device), "border")
        frames = side.pictures(light, side.of, [False] * len(light), noise)
        points, moved = side.motion_of_keypoints()
        return {
            "source_neutral": in_rows(neutrals)[side.of],
            "source_frame": in_rows(frames),
            "source_flow": in_rows(to_cells(flow.flow * (flow.covered > 0))),
            "source_moving": to_cells(seen)[:, 0],
            "source_points": points,
            "source_motion": moved,
            "source_chart": self._charts(side),
        }

    def _character(self, side: Side, noise: torch.Generator) -> dict[str, Tensor]:
        covers = side.covers()
        of = [covers[setting] for setting in side.of.tolist()]
        forward, backward = (
            beneath(motions(side.head, side.drawn, start, end), of)
            for start, end in ((side.of, side.moving), (side.moving, side.of))
        )
        neutrals = side.neutrals(covers, noise)
        light = covered(side.drawn.light[side.moving], of)
        frames = side.pictures(light, side.of, [True] * len(of), noise)
        points, moved = side.motion_of_keypoints()
        return {
            "character_neutral": in_rows(neutrals)[side.of],
            "character_frame": in_rows(frames),
            "character_forward": in_rows(forward.flow).half(),
            "character_backward": in_rows(backward.flow).half(),
            "character_visible": visible(forward, backward)[:, 0].byte(),
            "character_fixed": (side.fixed(covers) > MOSTLY)[side.of, 0].byte(),
            "character_points": points,
            "character_motion": moved,
            "character_chart": self._charts(side),
        }

    def _charts(self, side: Side) -> Tensor:
        """Return what the neutrals' cells show, (P, 64, 64, 4)."""
        found = charts(side.head, side.drawn.first(len(side.settings)), CELLS)
        return in_rows(found).half()[side.of]


def in_rows(image: Tensor) -> Tensor:
    """Return (N, H, W, C) for (N, C, H, W)."""
    return image.permute(0, 2, 3, 1).contiguous()


def to_cells(values: Tensor) -> Tensor:
    """Return the area means (N, C, 64, 64) of fields (N, C, 256, 256)."""
    return F.avg_pool2d(values, SIZE // CELLS)


def laid_over(light: Tensor, cover: Tensor) -> Tensor:
    """Return light (4, S, S) with a cover (4, S, S) over it, both premultiplied."""
    return cover + light * (1 - cover[3:])


def covered(light: Tensor, covers: Sequence[Tensor | None]) -> Tensor:
    """Return lights (n, 4, S, S) with the `covers` (4, S, S) over those that have one."""
    shown = light.clone()
    for row, cover in enumerate(covers):
        if cover is not None:
            shown[row] = laid_over(light[row], cover)
    return shown


def beneath(seen: Motions, covers: Sequence[Tensor | None]) -> Motions:
    """Return the motions that are seen where `covers` lie over both drawings, as
    `heads.fixed.beneath` does."""
    flow, visible = seen.flow.clone(), seen.visible.clone()
    for row, cover in enumerate(covers):
        if cover is None:
            continue
        hidden = F.avg_pool2d(cover[3:], SUPERSAMPLING) > MOSTLY
        free = free_share(cover, cover, seen.flow[row]) > MOSTLY
        flow[row] = torch.where(hidden, 0.0, seen.flow[row])
        visible[row] = torch.where(hidden, 1.0, seen.visible[row] * free)
    return replace(seen, flow=flow, visible=visible)


def free_share(before: Tensor, after: Tensor, flow: Tensor) -> Tensor:
    """Return (1, S, S) how much of each pixel neither the cover `before` (4, 2S, 2S) hides nor,
    where `flow` (2, S, S) takes the pixel, the cover `after`."""
    free = 1 - F.avg_pool2d(torch.stack((before[3:], after[3:])), SUPERSAMPLING)
    side = free.shape[-1]
    step = 2 / side
    place = (torch.arange(side, device=flow.device) + 0.5) * step - 1
    places = torch.stack(torch.meshgrid(place, place, indexing="xy"), -1)
    places = places + flow.permute(1, 2, 0) * step
    then = F.grid_sample(free[1:], places[None], padding_mode="border", align_corners=False)
    return free[0] * then[0]


def visible(forward: Motions, backward: Motions) -> Tensor:
    """Return (N, 1, S, S) where the backward flow holds: off the head, where no head was either."""
    return (backward.visible > 0.75) | ((backward.covered == 0) & (forward.covered == 0))
