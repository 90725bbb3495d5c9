"""Collect the evidence of a bake while what was generated is still at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.figures import MOVING_PIXELS, motion_magnitude
from ...report.proof.evidence import Event, Evidence, TargetRecord, TextureRecord
from ...report.proof.measures import expected_values
from ..bake.flipbook import resized
from ..bake.gather import bilinear
from ..bake.kept import bake_called
from ..bake.shape_keys import ShapeKeyBake
from ..bake.shaping import target_deltas
from ..bake.stack import cuts_of
from ..bake.time import TOLERANCE, TimeBase, onset_apex_offset, scene_fps
from ..character.channel import Target
from ..character.channels import face_channels
from ..character.framing import Framing
from ..character.stage import home_scene
from ..character.view import FaceView
from ..generated import Generated
from ..retarget.prepare import view_of
from .fingerprint import mesh_fingerprint
from .replay import target_of

#: Side of the pictures that are compared, at most.
SIZE = 256
#: Vertices whose motion is remembered: those that move, and those that should not.
MOVING_VERTICES, STILL_VERTICES = 300, 100
#: Instants at which it is, at most.
INSTANTS = 16
#: Pixels around the moving part of a picture that are cut out with it.
BORDER = 6


def collect_evidence(obj: Any, generated: Generated, events: tuple[Event, ...]) -> Evidence:
    """Return the evidence about a character: what it is, how it was framed, and its events."""
    scene, framing = home_scene(obj), proof_framing(generated)
    fps = scene_fps(scene)
    return Evidence(
        str(obj.name),
        str(scene.name),
        f"{fps.numerator}/{fps.denominator}",
        mesh_fingerprint(obj),
        np.asarray(framing.camera_to_world, np.float64),
        float(framing.lens_millimetres),
        float(framing.width),
        float(framing.distance),
        int(framing.resolution),
        float(generated.scene_frame),
        resized(generated.neutral, framing.resolution, framing.resolution),
        events,
    )


def proof_framing(generated: Generated) -> Framing:
    """Return the framing camera at the size of the proof's pictures."""
    return generated.framing.at_resolution(min(SIZE, generated.framing.resolution))


def collect_event(
    obj: Any,
    generated: Generated,
    time_base: TimeBase,
    keys: ShapeKeyBake | None,
    textures: tuple[TextureRecord, ...],
    provenance: Mapping[str, str],
    *,
    only_apex: bool = False,
) -> tuple[Event, float]:
    """Return the evidence of one bake, and the share of its motion that the weights leave over.

    `keys` of the bake of shape keys, `textures` what `record_textures` gave; with `only_apex` its
    picture alone is kept.
    """
    times = (generated.times if keys is None else keys.times).astype(np.float64)
    names = keys.active() if keys is not None else ()
    columns = [keys.names.index(name) for name in names] if keys is not None else []
    weights = keys.weights[:, columns] if keys is not None else np.zeros((len(times), 0))
    residual = np.zeros(len(times)) if keys is None else keys.residual_pixels
    onset, apex, offset = _marks(generated, keys)
    instants = _instants(len(times), (onset, apex, offset))
    view = view_of(obj, generated)
    scale = proof_framing(generated).resolution / generated.framing.resolution
    vertices, motion = _sampled(view, generated, instants)
    if keys is None:  # the surface stays; textures carry the expression
        vertices, motion = vertices[:0], motion[:, :0]
    moments = [onset, (onset + apex) // 2, apex, (apex + offset) // 2, offset]
    shown = np.unique([apex] if only_apex else moments)
    pictures, corner, moving = _cut_out(generated, shown)
    event = Event(
        clip=generated.clip_name,
        clip_fps=f"{generated.fps.numerator}/{generated.fps.denominator}",
        start_frame=float(time_base.start_frame),
        times=times,
        frames=time_base.frames(times),
        onset=onset,
        apex=apex,
        offset=offset,
        channels=tuple(names),
        weights=weights.astype(np.float32),
        residual=residual.astype(np.float32),
        targets=_targets(obj, names),
        action=keys.action_name if keys is not None else "",
        vertices=vertices,
        rest=view.face.surface.positions[vertices].astype(np.float32),
        motion=(motion * scale).astype(np.float16),
        instants=instants,
        shown=shown.astype(np.int32),
        pictures=pictures,
        corner=corner,
        moving=moving,
        textures=textures,
        provenance=dict(provenance),
    )
    foretold = _foretold_unexplained(view, keys, columns, vertices, motion, instants)
    return event, foretold


def curve_tolerance(obj: Any, event: Event) -> float:
    """Return how far a bake's curves may be from its weights by its own settings.

    What thinning, whole frames, and bounds that several bakes share leave of the weights, as the
    bake planned its curves; not as the file has them.
    """
    if not event.targets:
        return TOLERANCE
    kept = bake_called(obj, event.action)
    planned = target_deltas(kept.record)
    frames = kept.record.time_base.curve_frames(event.frames)
    worst = TOLERANCE
    for target, wanted in zip(event.targets, expected_values(event).T, strict=True):
        keys = planned.get(target_of(target))
        if keys is not None:
            apart = np.abs(np.interp(frames, keys[0], keys[1]) - wanted).max()
            worst = max(worst, float(apart) / target.unit)
    cut = max((one.amount for one in cuts_of([kept])[kept.name]), default=0.0)
    return worst + cut / min(target.unit for target in event.targets)


def _marks(generated: Generated, keys: ShapeKeyBake | None) -> tuple[int, int, int]:
    if keys is not None:
        return keys.onset, keys.apex, keys.offset
    return onset_apex_offset(motion_magnitude(generated.motion).mean(axis=(1, 2))[:, None])


def _instants(count: int, marks: tuple[int, int, int]) -> NDArray[np.int32]:
    even = np.linspace(0, count - 1, min(count, INSTANTS - 3)).round().astype(int)
    return np.asarray(np.unique([*even, *marks]), np.int32)


def _targets(obj: Any, names: tuple[str, ...]) -> tuple[TargetRecord, ...]:
    """Return the numbers that channels key; two channels may share one."""
    channels = {one.name: one for one in face_channels(obj)} if names else {}
    owners: dict[Target, list[int]] = {}
    for number, name in enumerate(names):
        for target in channels[name].targets:
            owners.setdefault(target, []).append(number)
    return tuple(
        TargetRecord(
            one.id_type,
            one.id_name,
            one.data_path,
            one.index,
            channels[names[numbers[0]]].neutral,
            channels[names[numbers[0]]].unit,
            tuple(numbers),
        )
        for one, numbers in owners.items()
    )


def _sampled(
    view: FaceView, generated: Generated, instants: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return vertices (N,) that the camera sees and their motion (K,N,2) in generated pixels."""
    pixels, depth = view.framing.project(view.face.surface.positions)
    square = view.facing(view.face.surface.positions, view.face.surface.normals)
    seen = np.flatnonzero(view.visibility(pixels, depth) & (square > 0.3))
    look_up = bilinear(pixels[seen], view.framing.resolution, view.framing.resolution)
    motion = np.stack([look_up(generated.motion[index].astype(np.float32)) for index in instants])
    reach = np.sqrt((motion.astype(np.float64) ** 2).sum(axis=2)).max(axis=0)
    moving = _some(np.flatnonzero(reach >= MOVING_PIXELS), MOVING_VERTICES)
    still = _some(np.flatnonzero(reach < MOVING_PIXELS), STILL_VERTICES)
    chosen = np.sort(np.concatenate([moving, still]))
    return seen[chosen].astype(np.int32), motion[:, chosen].astype(np.float64)


def _some(indices: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of some indices, by a fixed seed: an even step follows the mesh."""
    if len(indices) <= most:
        return indices
    return np.random.default_rng(0).choice(indices, most, replace=False)


def _cut_out(
    generated: Generated, shown: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], tuple[int, int], NDArray[np.bool_]]:
    """Return the shown frames' moving part: pictures (M,h,w,3), its corner, mask (M,h,w)."""
    size = proof_framing(generated).resolution
    magnitude = motion_magnitude(generated.motion[shown])
    moving = np.stack(
        [
            resized(((one >= MOVING_PIXELS) * np.uint8(255))[..., None], size, size)[..., 0] > 127
            for one in magnitude
        ]
    )
    frames = np.stack([resized(generated.frames[index], size, size) for index in shown])
    rows, columns = (np.flatnonzero(moving.any(axis=(0, other))) for other in (2, 1))
    if not len(rows):
        return frames[:, :1, :1], (0, 0), moving[:, :1, :1]
    top, left = max(0, rows[0] - BORDER), max(0, columns[0] - BORDER)
    cut = (slice(None), slice(top, rows[-1] + BORDER + 1), slice(left, columns[-1] + BORDER + 1))
    return frames[cut], (int(top), int(left)), moving[cut]


def _foretold_unexplained(
    view: FaceView,
    keys: ShapeKeyBake | None,
    columns: list[int],
    vertices: NDArray[np.int32],
    motion: NDArray[np.float64],
    instants: NDArray[np.int32],
) -> float:
    """Return the share of the sampled motion that the weights leave over, by the projection."""
    if keys is None or not len(vertices):
        return 0.0
    face, rest = view.face, view.face.surface.positions[vertices]
    order = [face.keys.names.index(keys.names[column]) for column in columns]
    start = view.framing.project(rest)[0]
    left = 0.0
    for number, instant in enumerate(instants):
        shift = np.tensordot(
            keys.weights[instant, columns], face.displacement[order][:, vertices], 1
        )
        moved = view.framing.project(rest + shift)[0] - start
        left += float(((moved - motion[number]) ** 2).sum())
    energy = float((motion**2).sum())
    return left / energy if energy > 0 else 0.0
