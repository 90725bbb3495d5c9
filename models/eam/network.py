"""EAM-FMEG whole: encode each picture once, animate each frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from . import grid, motion
from .correspondence import Correspond, Correspondence, carry
from .dense import Dense, DenseMotion
from .doubt import Doubt, nearby
from .edges import EdgePrediction
from .generator import Generator
from .keypoints import CELLS, Encoding, KeypointNetwork
from .refine import SourceMotion, check_flow
from .repertoire import Fit, Repertoire, no_fit


@dataclass(frozen=True)
class EamConfig:
    """The network's sizes and switches.

    `motion` "flow" reads the source's motion from the refined optical flow, "difference" as a
    difference of two detections, as described in the paper; `carry` adds the candidate that
    carries the whole field; `chart` lets the correspondence agree on the chart of the face; `aep`
    and `eimhsa` switch edge prediction and attention; `doubt` adds how far off the motion may be;
    `repertoire` is the number of movements that the source's motion is fitted by, 0 for no fit,
    `together` how many units a side know which of them go together, 0 for none.
    """

    keypoints: int = 30
    features: int = 48
    detail: int = 16
    context: int = 32
    channels: int = 64
    heads: int = 4
    motion: str = "flow"
    carry: bool = True
    chart: bool = True
    aep: bool = True
    eimhsa: bool = True
    doubt: bool = True
    repertoire: int = 128
    together: int = 1024

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown `motion`."""
        if self.motion not in ("flow", "difference"):
            raise ValueError(f"motion is {self.motion!r}, neither 'flow' nor 'difference'")


class Prepared(NamedTuple):
    """What the two neutrals alone tell, the same for all frames of a clip.

    positions (N, 64, 64, 2) and linear (N, 64, 64, 2, 2), see `Correspondence`; apart
    (N, 1, 64, 64), decimetres, how far places held to be the same lie from each other on the chart;
    windows (N, K, 3, 64, 64), through which the source's motion is read, see `motion.windows`;
    prior (N, K + 2, 64, 64), the masks to start from, see `Dense.prior`; movements and readings
    (N, M, 2, 64, 64), which the source's motion is fitted by, see `repertoire.Fit`.
    """

    positions: Tensor
    linear: Tensor
    apart: Tensor
    windows: Tensor
    prior: Tensor
    movements: Tensor
    readings: Tensor

    @property
    def where(self) -> Correspondence:
        """Which place of the source belongs to a place of the character."""
        return Correspondence(self.positions, self.linear)

    @property
    def fit(self) -> Fit:
        """How the source's motion is fitted by what faces can do."""
        return Fit(self.movements, self.readings)


class Animation(NamedTuple):
    """One frame of the character, and what led to it.

    flow (N, 2, 256, 256) backward in 256-px pixels; occlusion (N, 1, 64, 64), 1 visible; edges
    (N, 1, 256, 256) in 0..1; residual (N, 3, 256, 256); residual_mask (N, 1, 256, 256) in 0..1;
    image (N, 3, 256, 256), about 0..1; doubt (N, 1, 64, 64), the motion's expected end-point error
    in 256-px pixels. Then, for training: supervised (N, 2, 256, 256), the flow
    before stillness is enforced; coarse (N, 2, 64, 64), the same on the motion grid; carried
    (N, 2, 64, 64), the carried candidate; source (N, 2, 64, 64), the source's refined forward
    motion; shift (N, K, 2), its keypoints' motion, normalised; masks (N, K + 2, 64, 64);
    where (N, 64, 64, 2), the places of the source's neutral that belong to the character's cells,
    normalised.
    """

    flow: Tensor
    occlusion: Tensor
    edges: Tensor
    residual: Tensor
    residual_mask: Tensor
    image: Tensor
    doubt: Tensor
    supervised: Tensor
    coarse: Tensor
    carried: Tensor
    source: Tensor
    shift: Tensor
    masks: Tensor
    where: Tensor


class Painted(NamedTuple):
    """edges (N, 1, 256, 256), residual (N, 3, 256, 256), its mask (N, 1, 256, 256), image."""

    edges: Tensor
    residual: Tensor
    mask: Tensor
    image: Tensor


class Eam(nn.Module):
    """The network. `encode` each picture, `prepare` with both neutrals, `animate` each frame."""

    def __init__(self, config: EamConfig | None = None) -> None:
        super().__init__()
        self.config = config or EamConfig()
        c = self.config
        self.encoder = KeypointNetwork(c.keypoints, c.features, c.detail, c.chart)
        self.source = SourceMotion(c.features)
        self.repertoire = (
            Repertoire(c.repertoire, c.keypoints, c.features, c.together) if c.repertoire else None
        )
        self.correspond = Correspond(c.features, c.keypoints, chart=c.chart)
        self.dense = Dense(c.features, c.detail, c.keypoints, c.context)
        self.edges = EdgePrediction(c.features, c.detail, c.context) if c.aep else None
        self.generator = Generator(
            c.features, c.detail, c.context, c.channels, c.heads, c.eimhsa and c.aep
        )
        self.doubt = Doubt(c.features, c.context) if c.doubt else None

    def encode(self, image: Tensor) -> Encoding:
        """Return the encoding of pictures (N, 3, 256, 256) in 0..1."""
        if image.ndim != 4 or image.shape[1:] != (3, grid.SIZE, grid.SIZE):
            raise ValueError(f"pictures are {tuple(image.shape)}, not (N, 3, 256, 256)")
        encoding: Encoding = self.encoder(image)
        return encoding

    def prepare(self, neutral: Encoding, character: Encoding) -> Prepared:
        """Return what the source's `neutral` and the `character` tell of all frames to come."""
        where = self.correspond(neutral, character)
        fit = no_fit(neutral) if self.repertoire is None else self.repertoire.fit(neutral)
        return Prepared(
            positions=where.positions,
            linear=where.linear,
            apart=grid.length(grid.sample(neutral.chart, where.positions) - character.chart),
            windows=motion.windows(neutral.points, CELLS),
            prior=self.dense.prior(character.points),
            movements=fit.movements,
            readings=fit.readings,
        )

    def animate(
        self,
        neutral: Encoding,
        frame: Encoding,
        source_flow: Tensor,
        image: Tensor,
        character: Encoding,
        strength: Tensor,
        paint: bool = True,
        prepared: Prepared | None = None,
        along: Tensor | None = None,
    ) -> Animation:
        """Return the character's frame.

        `neutral` and `frame` are the source's; `source_flow` (N, 2, 64, 64) is its measured
        forward flow in 256-px pixels; `image` (N, 3, 256, 256) is the character's neutral;
        `strength` (N,) is 1 for the source's own. With `paint` false the parts that make the
        picture are left out, learned upsampling too: its fields come back as the neutral's.
        `prepared` is what `prepare` gave for the two neutrals, worked out here where it is missing.
        The picture is painted `along` a backward flow (N, 2, 256, 256), 256-px pixels, where one is
        given: along the true one, what painting is taught is what moving the picture cannot show.
        """
        check_flow(source_flow)
        prepared = prepared or self.prepare(neutral, character)
        where = prepared.where
        refined = self.source(neutral, frame, source_flow)
        if self.repertoire is not None:
            refined = self.repertoire(refined, source_flow, prepared.fit, neutral.features)
        if self.config.motion == "flow":
            found = motion.by_flow(refined, prepared.windows)
        else:
            found = motion.by_difference(neutral, frame)
        scale = motion.scale_between(neutral.points, character.points) * strength
        found = motion.strengthen(found, strength)
        points, _ = motion.transfer(found, character, scale)
        # The masks learn which candidate to take; what each one moves is taught at the source.
        sparse = motion.candidates(points.detach(), found.local.detach(), character.points)
        if self.config.carry and self.config.motion == "flow":
            carried = motion.backward(carry(refined, where) * strength[:, None, None, None])
        else:
            carried = torch.zeros_like(refined)
        change = grid.sample(frame.features - neutral.features, where.positions)
        change = change * strength[:, None, None, None]
        dense = self.dense(
            character.features,
            character.detail,
            character.points,
            prepared.prior,
            change,
            sparse,
            carried,
            paint,
        )
        taken = dense if along is None else follow(dense, along)
        painted = self.paint(image, character, change, taken) if paint else untouched(image)
        return Animation(
            flow=dense.flow,
            occlusion=dense.occlusion,
            edges=painted.edges,
            residual=painted.residual,
            residual_mask=painted.mask,
            image=painted.image,
            doubt=self.doubted(prepared, character, source_flow, strength, change, carried, dense),
            supervised=dense.supervised,
            coarse=dense.coarse,
            carried=carried,
            source=refined,
            shift=found.shift,
            masks=dense.masks,
            where=where.positions,
        )

    def doubted(
        self,
        prepared: Prepared,
        character: Encoding,
        source_flow: Tensor,
        strength: Tensor,
        change: Tensor,
        carried: Tensor,
        dense: DenseMotion,
    ) -> Tensor:
        """Return how far off `dense` may be; as far as the motion itself without that part.

        What it is read from is not taught by it.
        """
        if self.doubt is None:
            return nearby(dense.coarse)
        carried_too = carry(source_flow, prepared.where) * strength[:, None, None, None]
        measured = motion.backward(carried_too)
        known = (character.features, change, dense.context, measured, carried, dense.coarse)
        found: Tensor = self.doubt(*(x.detach() for x in (*known, prepared.apart, dense.active)))
        return found

    def paint(
        self, image: Tensor, character: Encoding, change: Tensor, dense: DenseMotion
    ) -> Painted:
        """Return the picture that `dense` makes of the character's neutral `image`."""
        moved = grid.warp(image, dense.flow)
        if self.edges is None:
            edges = torch.zeros_like(image[:, :1])
        else:
            flat = self.edges(
                character.luminance,
                character.features,
                character.detail,
                change,
                dense.context,
                dense.flow,
                dense.active,
            )
            edges = grid.warp(flat, dense.flow)
        residual, mask = self.generator(
            moved,
            edges,
            character.features,
            character.detail,
            dense.context,
            dense.occlusion,
            dense.coarse,
            dense.active,
        )
        mask = grid.resize(mask, grid.SIZE)
        return Painted(edges, residual, mask, moved + mask * residual)


def follow(dense: DenseMotion, flow: Tensor) -> DenseMotion:
    """Return `dense` with the backward `flow` (N, 2, 256, 256) as its motion."""
    return dense._replace(flow=flow, coarse=grid.resize(flow, CELLS))


def untouched(image: Tensor) -> Painted:
    """Return what stands for a picture that was not painted: the neutral itself."""
    nothing = torch.zeros_like(image[:, :1])
    return Painted(nothing, torch.zeros_like(image), nothing, image)
