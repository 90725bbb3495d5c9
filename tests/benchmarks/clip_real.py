"""Print how well real heads are followed, and what their faces do is measured, beside MediaPipe.

Not a test: `python tests/benchmarks/clip_real.py FILM ...`, where `microface[mediapipe]` is
installed, which finds 478 points of a face in each picture by itself, to about half a percent of
the face's width. What is printed, a row a film:

- head: how far the bridge of the nose and the corners of the eyes are from where the pose takes
  them, as a share of the distance of the eyes: the median of the frames and their 95th percentile;
- lost: frames that show a face and are said not to;
- for each place: correlation and gain of its motion with that of the points, over time, where that
  is more than 0.8 pixels (standard deviation) of a face crop 256 wide. The head's motion is taken
  out of the points by a similarity in space of those that expressions leave alone.

Frames in which the head is turned by more than 20 degrees, by the points, do not count there.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import mediapipe
import numpy as np
from microface.server.clips.clip import Clip
from microface.server.clips.measure import measure
from microface.server.clips.read import read_clip
from microface.server.engine.runtime import OnnxRuntime

#: Points of the mesh: corners of the eyes and the bridge of the nose; those of bone; the eyes.
FOLLOWED = (168, 6, 197, 133, 362, 33, 263)
BONE = (168, 6, 197, 195, 5, 4, 133, 362, 33, 263, 127, 356, 234, 454, 10, 151, 109, 338, 67, 297)
EYES = (33, 133), (362, 263)
#: Places, their points, and whether both directions count or only up and down.
PLACES = {
    "lip corners": ((61, 291), True),
    "upper lip": ((0,), False),
    "lower lip": ((17,), False),
    "inner brows": ((55, 285), False),
    "brows": ((105, 334), False),
    "chin": ((152,), False),
    "upper lids": ((159, 386), False),
}
LEAST_PIXELS, MOST_DEGREES = 0.8, 20.0


def meshes(clip: Clip) -> np.ndarray:
    """Return the points (T, 478, 3) of a clip's face in pixels, NaN where there is none."""
    face = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True)
    width, height = clip.size
    found = []
    for frame in clip.frames:
        seen = face.process(np.ascontiguousarray(frame)).multi_face_landmarks
        points = (
            [(p.x * width, p.y * height, p.z * width) for p in seen[0].landmark] if seen else []
        )
        found.append(np.array(points) if points else np.full((478, 3), np.nan))
    return np.stack(found)


def brought(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, float]:
    """Return points (478, 3) of a face laid over another's, bone on bone, and by how many degrees
    it is turned out of the plane (Umeyama, PAMI 13, 1991)."""
    bone = list(BONE)
    middle, there = one[bone].mean(0), other[bone].mean(0)
    away, own = other[bone] - there, one[bone] - middle
    left, sizes, right = np.linalg.svd(own.T @ away)
    signs = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    turn = left @ np.diag(signs) @ right
    scale = (sizes * signs).sum() / (away**2).sum()
    degrees = np.degrees(np.arcsin(np.clip(np.hypot(turn[0, 2], turn[1, 2]), 0, 1)))
    return (one - middle) @ turn / scale + there, float(degrees)


def at(fields: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return what fields (T, 64, 64, 2) have at a place (x, y) of the crop of 256 pixels."""
    x, y = np.clip((place + 0.5) / 4 - 0.5, 0, 62.999)
    column, row, along, down = int(x), int(y), x % 1, y % 1
    near = fields[:, row : row + 2, column : column + 2].astype(np.float64)
    return np.einsum("trcd,r,c->td", near, (1 - down, down), (1 - along, along))


def row(path: Path, runtime: OnnxRuntime) -> str:
    """Return a film's figures."""
    clip = read_clip(path)
    seen = measure(clip, runtime.encode)
    mesh, crop, steadier = meshes(clip), seen.start.face.crop.affine(), seen.start.steadier
    rest = seen.start.neutral.frame
    faces, known = np.isfinite(mesh[:, 0, 0]), seen.confidence > 0
    if not faces[rest]:
        return "MediaPipe sees no face in the neutral"
    turn = np.linalg.inv(crop[:, :2]).T

    def placed(points: np.ndarray) -> np.ndarray:
        return (points - 0.5 - crop[:, 2]) @ turn

    still = placed(mesh[rest, :, :2])
    apart = np.subtract(*(still[list(eye)].mean(0) for eye in EYES))
    heads = np.stack([steadier.motion_of(pose) for pose in seen.poses])
    off = [still[k] + at(heads, still[k]) - placed(mesh[:, k, :2]) for k in FOLLOWED]
    away = np.linalg.norm(off, axis=2).mean(0)[faces & known] / np.linalg.norm(apart)
    figures = f"{np.median(away):6.1%} {np.quantile(away, 0.95):6.1%} {(faces & ~known).sum():5}"
    told = [brought(mesh[k], mesh[rest]) if faces[k] else (mesh[k], 90.0) for k in range(len(clip))]
    use = known & (np.array([degrees for _, degrees in told]) < MOST_DEGREES)
    moved = (np.stack([points for points, _ in told]) - mesh[rest])[use][..., :2] @ turn
    for points, both in PLACES.values():
        axes = slice(0, 2) if both else slice(1, 2)
        here = np.stack([at(seen.flows, still[k])[use][:, axes] for k in points])
        there = np.stack([moved[:, k, axes] for k in points])
        here, there = (one - np.median(one, 1, keepdims=True) for one in (here, there))
        both_ways = float((here * there).sum())
        size = float((there**2).sum())
        enough = there.size and size / there[..., 0].size > LEAST_PIXELS**2
        alike = both_ways / np.sqrt(max(1e-9, size * float((here**2).sum())))
        figures += f"   {alike:5.2f} {both_ways / size:5.2f}" if enough else 14 * " "
    return figures


def main() -> None:
    """Print the table."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM")
    films = parser.parse_args().films
    cv2.setNumThreads(1)
    runtime = OnnxRuntime()
    print(f"{'':24}  head    95%  lost" + "".join(f"{name:>14}" for name in PLACES))
    for path in films:
        print(f"{path.stem[:24]:24}{row(path, runtime)}", flush=True)


if __name__ == "__main__":
    main()
