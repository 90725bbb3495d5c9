"""The baseline that spotting is compared with, like the main directional mean optical flow.

Each region's flow along its main direction (Liu et al., IEEE Transactions on Affective Computing 7,
2016), in long films against the mean of the frames a quarter of a second before and after, and
peaks of the third of the regions that move most over a threshold between mean and maximum
(Moilanen et al., ICPR 2014).
"""

from __future__ import annotations

import numpy as np
from clip_films import Filmed
from microface.server.clips.template import template

#: How far before and after a frame it is measured against; gaps shorter than this are closed,
#: shorter peaks dropped; in seconds.
BASELINE_REACH, BASELINE_GAP, BASELINE_LEAST = 0.25, 0.07, 0.1
#: In films shorter than this, in seconds, it measures against the neutral.
BASELINE_LONG = 3.0

Interval = tuple[float, float, float]  # onset, apex, offset in seconds


def baseline(film: Filmed, share: float) -> list[Interval]:
    """Return the expressions that the baseline spots with a threshold at `share` of the way from
    its mean to its maximum."""
    maps = template(32)
    blocks = []
    for top in np.arange(-1.75, 1.9, 0.6):
        for left in np.arange(-1.4, 1.4, 0.7):
            cells = (maps.y >= top) & (maps.y < top + 0.6) & (maps.x >= left)
            cells &= (maps.x < left + 0.7) & (maps.face > 0.5)
            if cells.sum() >= 6:
                blocks.append(cells)
    frames = np.arange(len(film.times))
    step = max(1, round(BASELINE_REACH / float(np.median(np.diff(film.times)))))
    before, after = np.maximum(0, frames - step), np.minimum(len(frames) - 1, frames + step)
    flows = film.plain
    if film.times[-1] > BASELINE_LONG:
        flows = flows - 0.5 * (flows[before] + flows[after])
    lengths = np.zeros((len(flows), len(blocks)))
    for k, cells in enumerate(blocks):
        part = flows[:, cells]
        bins = np.floor((np.arctan2(part[..., 1], part[..., 0]) / (np.pi / 4)) % 8).astype(int)
        counts = np.stack([(bins == b).sum(1) for b in range(8)], 1)
        main = bins == counts.argmax(1)[:, None]
        mean = (part * main[..., None]).sum(1) / np.maximum(1, main.sum(1))[:, None]
        lengths[:, k] = np.hypot(mean[:, 0], mean[:, 1])
    curve = np.sort(lengths, 1)[:, -len(blocks) // 3 :].mean(1)
    wide = max(1, round(0.03 / float(np.median(np.diff(film.times)))))
    curve = np.convolve(np.pad(curve, wide, "edge"), np.ones(2 * wide + 1), "valid")
    over = np.flatnonzero(curve > curve.mean() + share * (curve.max() - curve.mean()))
    found: list[Interval] = []
    for run in np.split(over, np.flatnonzero(np.diff(film.times[over]) > BASELINE_GAP) + 1):
        if len(run) and film.times[run[-1]] - film.times[run[0]] >= BASELINE_LEAST:
            apex = run[int(curve[run].argmax())]
            found.append((film.times[run[0]], film.times[apex], film.times[run[-1]]))
    return found
