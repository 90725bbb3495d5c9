"""Clips at other times, and two clips in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ...errors import InputError
from ..protocol.timing import Retiming
from .carry import LEAST_MOTION_PIXELS, Carrier
from .fields import Fields, Share, Track, mixed
from .timing import Floats, Phases, find_phases, shown
from .warp import Warp, frame_times, warp_of


@dataclass(frozen=True)
class Mixture:
    """How a second clip goes into a first.

    `share` 0..1 of it there is, a number or one for each pixel of the crop; with the share
    `in_time` moments come between those of the two. The clips are aligned by their onset, apex and
    offset (`by_moments`) or by their starts; then of the shorter one the last frame stays.
    """

    share: Share = 0.0
    in_time: float = 0.0
    by_moments: bool = True


@dataclass(frozen=True)
class CommonTime:
    """The time in which clips are laid over each other: the `warps` to their own times, the onset,
    apex and offset there (None where nothing moves), and how long it lasts."""

    warps: tuple[Warp, ...]
    moments: tuple[float, ...] | None
    seconds: float


@dataclass
class Composition:
    """One or two clips, put together anew from all of their motion.

    Iterate over it once: it yields None for each frame that is understood, then the fields of each
    frame that is made. `times` (N,) seconds, `fps`, `profile` (N,) and `phases` are those of what
    is made, as of a `Carrier`, once the first of them has come.
    """

    carriers: Sequence[Carrier]
    timing: Retiming
    mixture: Mixture = field(default_factory=Mixture)

    def __post_init__(self) -> None:
        self._leading = 1 if self.mixture.in_time > 0.5 else 0
        leading = self.carriers[self._leading]
        self.times: Floats = leading.times
        self.fps: Fraction = self.timing.fps or leading.fps
        self.profile: Floats = np.zeros(len(self.times))
        self._own: Floats = self.times

    def __len__(self) -> int:
        return len(self.times)

    @property
    def ahead(self) -> int:
        """How many frames are to be understood before the first is made."""
        return sum(len(carrier) for carrier in self.carriers)

    def __iter__(self) -> Iterator[Fields | None]:
        tracks = []
        for carrier in self.carriers:
            tracks.append(Track(carrier.times))
            for one in carrier:
                tracks[-1].add(one)
                yield None
        own = self._place_in_time()
        self._own = own[self._leading]
        in_time = self.mixture.in_time
        self.profile = np.zeros(len(self.times))
        for weight, times, carrier in zip((1 - in_time, in_time), own, self.carriers, strict=False):
            self.profile += weight * np.interp(times, carrier.times, carrier.profile)
        shares = (1.0 - self.mixture.share, self.mixture.share)
        for instants in zip(*own, strict=True):
            self.carriers[0].stop_if_cancelled()
            made = [track.at(at) for track, at in zip(tracks, instants, strict=True)]
            yield mixed(list(zip(shares, made, strict=False)))

    @property
    def phases(self) -> Phases:
        """The phases of the clip that has more of the time, when they are shown."""
        of_all = find_phases(self.profile, self.times, LEAST_MOTION_PIXELS)
        leading = self.carriers[self._leading]
        return shown(leading.phases, self._own, self.times, of_all.profile)

    def _place_in_time(self) -> list[Floats]:
        """Set the times of what is made; return which time (N,) of each clip is shown then."""
        common = common_time(self.carriers, self.mixture)
        warp = warp_of(self.timing, common.moments, common.seconds)
        as_it_is = (
            warp.is_identity
            and common.warps[self._leading].is_identity
            and common.seconds == self.times[-1]
            and self.timing.fps is None
        )
        if not as_it_is:
            self.times = frame_times(warp, self.fps)
        return [one(warp(self.times)) for one in common.warps]


def common_time(carriers: Sequence[Carrier], mixture: Mixture) -> CommonTime:
    """Return the time in which one or two carried clips are laid over each other.

    Raises InputError where a clip in which nothing moves is to be aligned by its moments.
    """
    weights = (1 - mixture.in_time, mixture.in_time)
    ends = [float(carrier.times[-1]) for carrier in carriers]
    moments = [carrier.phases.seconds for carrier in carriers]
    if len(carriers) == 1 or not mixture.by_moments:
        warps = tuple(Warp((0.0, end), (0.0, end)) for end in ends)
        seconds = sum(weight * end for weight, end in zip(weights, ends, strict=False))
        return CommonTime(warps, moments[1 if mixture.in_time > 0.5 else 0], seconds)
    knots = []
    for carrier, three, end in zip(carriers, moments, ends, strict=True):
        if three is None:
            raise InputError(
                f"Nothing moves in the clip {carrier.clip.name}: it has no apex to be aligned by.",
                "Align the clips by their starts.",
            )
        knots.append(np.array([0.0, *three, end]))
    target = weights[0] * knots[0] + weights[1] * knots[1]
    common = [float(one) for one in target]
    return CommonTime(
        tuple(Warp(own.tolist(), common) for own in knots), tuple(common[1:4]), common[4]
    )
