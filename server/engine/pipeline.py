"""Put a source clip's expression on a character's neutral picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..clips.choose import told_of_others
from ..clips.clip import Clip
from ..clips.crop import NETWORK_PIXELS, take_crop
from ..clips.face import FaceBox, find_face
from ..protocol.faces import FaceChoice
from ..protocol.limits import STRENGTHS
from ..protocol.regions import Gains, Mix
from ..protocol.timing import Retiming
from .canvas import Canvas
from .carry import Cancelled, Carrier, Target, Timings
from .compose import Composition, Mixture
from .doubts import Doubts, shrunk
from .fields import Fields
from .regions import gain_field, share_field
from .runtime import Runtime
from .spectacles import worn_on
from .unfold import unfolded
from .units import units_shown

__all__ = ["Cancelled", "Generated", "Retargeting", "Second", "retarget"]

#: A character's face that is less sure than this is turned far, covered, wide open or an animal's:
#: such pictures have up to 0.2, faces at rest from the front 0.25 to 0.6.
HARDLY_A_FACE = 0.2


@dataclass(frozen=True)
class Generated:
    """One frame of the character.

    `image` (H, W, 3) uint8 is of the neutral's size; `edge` (H, W) uint8 is the edge map of what
    moves; `flow` (H, W, 2) float16 says where each pixel of the neutral goes, as (dx, dy) in its
    pixels; `confidence` 0..1 is the share of the motion that is not doubted.
    """

    index: int
    image: NDArray[np.uint8]
    edge: NDArray[np.uint8]
    flow: NDArray[np.float16]
    confidence: float


@dataclass(frozen=True)
class Second:
    """A second source clip, how much of it there is, and whether it is aligned with the first by
    onset, apex and offset or else by their starts."""

    clip: Clip
    mix: Mix
    by_moments: bool = True


class Retargeting:
    """A retargeting in progress: iterate over it for the frames, then ask for its summary."""

    def __init__(
        self,
        neutral: NDArray[np.uint8],
        clip: Clip,
        strength: float,
        runtime: Runtime,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        neutral_frame: int | None = None,
        rest: Clip | None = None,
        face: FaceChoice | None = None,
        gains: Gains | None = None,
        timing: Retiming | None = None,
        second: Second | None = None,
        keep_spectacles: bool = True,
    ) -> None:
        """Find all faces and encode all neutrals.

        `neutral` (H, W, 3) uint8 is the character's. `neutral_frame` is a frame of the source at
        rest, from which all motion is measured, `rest` another clip, or a picture as a clip of one
        frame, of the same person at rest (with neither it is found). `face` is the one of several
        in the source that is meant, the largest if None. `gains` by region and side of
        the face (see `regions`) multiply the strength there. `timing` gives other times, `second`
        another clip to be mixed in. Spectacles on the character stay still, unless
        `keep_spectacles` is false. `progress` is told (steps done, steps in all). Raises
        InputError where there is no face, or the strength is out of `STRENGTHS`.
        """
        if not STRENGTHS[0] <= strength <= STRENGTHS[1]:
            raise InputError(
                f"A strength of {strength:g}.", f"Give {STRENGTHS[0]:g} to {STRENGTHS[1]:g}."
            )
        if neutral.ndim != 3 or neutral.shape[2] != 3 or neutral.dtype != np.uint8:
            raise ValueError(f"the neutral is {neutral.shape} {neutral.dtype}")
        self.clip = clip
        self.strength = strength
        self.runtime = runtime
        self._progress = progress
        self._timings = Timings()
        self._doubts = Doubts()
        with self._timings.stage("align"):
            self.face: FaceBox = find_face(
                neutral, runtime.encode, "the character's picture", upright=False
            )
        picture = take_crop(neutral, self.face.crop)
        with self._timings.stage("motion"):
            character = runtime.encode(picture)
            self._worn = None
            if keep_spectacles:
                points = character["points"][0]
                self._worn = worn_on(neutral, self.face.crop, picture, points)
            if self._worn is not None:
                neutral = self._worn.bare
                picture = take_crop(neutral, self.face.crop)
                character = runtime.encode(picture)
        self._canvas = Canvas(neutral, self.face.crop)
        target = Target(picture, character, strength)
        first = Carrier(
            clip, target, runtime, self._timings, cancelled,
            neutral_frame=neutral_frame, rest=rest, face=face,
        )  # fmt: skip
        self._first = first
        self._notes = told_of_character(self.face)
        if self._worn is not None:
            self._notes.append("spectacles are seen on the character's picture; they stay still")
        self._notes += _notes(clip, first.face, asked=face is not None and not face.is_largest)
        self._second = second
        self._gains = dict(gains or {})
        self._gain = None
        if self._gains:
            self._gain = gain_field(character["chart"][0], self._gains, NETWORK_PIXELS)
        self._carriers = [first]
        self._played: Carrier | Composition = first
        if second is not None:
            other = Carrier(second.clip, target, runtime, self._timings, cancelled)
            told = _notes(second.clip, other.face, asked=False)
            self._notes += [f"the second clip: {note}" for note in told]
            share = share_field(character["chart"][0], second.mix, NETWORK_PIXELS)
            mixture = Mixture(share, second.mix.whole, second.by_moments)
            self._carriers.append(other)
            self._played = Composition((first, other), timing or Retiming(), mixture)
        elif timing is not None and timing != Retiming():
            self._played = Composition((first,), timing)

    def __len__(self) -> int:
        """How many frames are made; known once the first has come."""
        return len(self._played)

    @property
    def source_face(self) -> FaceBox:
        """The face in the (first) source clip."""
        return self._first.face

    @property
    def source_flows(self) -> NDArray[np.float16]:
        """The motion of the (first) source (T, 64, 64, 2), pixels of its crop, once carried."""
        return self._first.flows

    def __iter__(self) -> Iterator[Generated]:
        """Yield the frames in order; raises Cancelled between frames when asked to stop."""
        return (made for made in self.steps() if made is not None)

    def steps(self) -> Iterator[Generated | None]:
        """Yield as iterating does, and None for each step in between that made no frame."""
        index = 0
        for done, fields in enumerate(self._played, 1):
            made = None if fields is None else self._made(index, fields)
            index += made is not None
            if self._progress is not None:
                self._progress(done, self._played.ahead + len(self._played))
            yield made

    def _made(self, index: int, fields: Fields) -> Generated:
        with self._timings.stage("generate"):
            flow, mask, doubt = fields.flow, fields.mask, fields.doubt
            if self._gain is not None:
                flow = flow * self._gain[..., None]
                mask = np.clip(mask * self._gain, 0, 1)
                doubt = doubt * shrunk(self._gain, len(doubt))
            flow = unfolded(flow)
            image = self._canvas.paint(flow, fields.residual, mask)
            edge = self._canvas.edge_map(fields.edges)
            if self._worn is not None:
                image, edge = self._worn.put_on(image), self._worn.without(edge)
            return Generated(
                index,
                image,
                edge,
                self._canvas.forward(flow),
                self._doubts.add(flow, doubt, fields.steadiness),
            )

    def summary(self) -> dict[str, Any]:
        """Return what is known once all frames are made, ready for JSON."""
        played, profile = self._played, self._played.profile
        phases = played.phases
        units = units_shown(carrier.units for carrier in self._carriers)
        return {
            "frames": len(played),
            "fps": f"{played.fps.numerator}/{played.fps.denominator}",
            "times": [float(t) for t in played.times],
            "strength": self.strength,
            "gains": {f"{region}.{side}": gain for (region, side), gain in self._gains.items()},
            "neutral_frame": self._first.neutral_frame,
            "onset": asdict(phases.onset) if phases.onset else None,
            "apex": asdict(phases.apex) if phases.apex else None,
            "offset": asdict(phases.offset) if phases.offset else None,
            "moments_from": phases.told_by,
            "profile": [round(float(v), 4) for v in phases.profile],
            "peak_motion_pixels": round(float(profile.max()), 4),
            "units": units,
            **self._doubts.summary(),
            "notes": self._notes,
            "clip": _clip_table(self.clip),
            "second": self._second and _clip_table(self._second.clip),
            "model": dict(self.runtime.hashes),
            "faces": {
                "character": _crop_table(self.face),
                "source": _crop_table(self.source_face),
            },
            "seconds": {name: round(value, 4) for name, value in self._timings.stages.items()},
        }


#: Put a clip's expression on a neutral: an iterable of `Generated`, see there.
retarget = Retargeting


def told_of_character(face: FaceBox) -> list[str]:
    """Return sentences on the face taken in the character's picture: which of several, and that it
    is hardly one at rest from the front; none where all is well."""
    told = []
    if face.others:
        x, y = face.crop.centre
        told.append(
            f"{face.others + 1} faces are seen in the character's picture; the largest, about "
            f"({x:.0f}, {y:.0f}), is moved; crop the picture to another for that one"
        )
    if face.confidence < HARDLY_A_FACE:
        told.append(
            "the character's picture hardly shows a face at rest from the front: look at what moves"
        )
    return told


def _notes(clip: Clip, face: FaceBox, *, asked: bool) -> list[str]:
    """Return what was assumed of a source clip: when it was read, and whose face is meant."""
    others = told_of_others(face, asked=asked)
    return [*clip.notes, *([others] if others else [])]


def _clip_table(clip: Clip) -> dict[str, str]:
    return {"name": clip.name, "sha256": clip.sha256}


def _crop_table(face: FaceBox) -> dict[str, float]:
    x, y = face.crop.centre
    return {
        "x": round(x, 2),
        "y": round(y, 2),
        "side": round(face.crop.side, 2),
        "roll": round(face.crop.roll, 4),
        "confidence": round(face.confidence, 4),
    }
