"""What a neutral picture was taken of, so that a bake can tell that it has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .channel import Channel
from .evaluate import EvaluatedFace
from .family import family_of, has_keys
from .framing import Framing

#: So many vertices are looked at to tell whether the face still stands where it stood.
WATCHED = 64
#: It may have moved this far in the picture.
STANDING_PIXELS = 0.5
#: Nodes with this property were put in by a bake, and are none of the character's own.
REPLACES = "microface_replaces"


@dataclass(frozen=True)
class Fingerprint:
    """A face at the moment of its neutral picture.

    `digests` maps what may change (in words) to a digest of it; `standing` (N,3) float32 are
    watched vertices in the world, evenly among the `count` evaluated ones.
    """

    digests: tuple[tuple[str, str], ...]
    standing: NDArray[np.float32]
    count: int

    def changes(self, now: Fingerprint, framing: Framing) -> list[str]:
        """Return what differs now, in words; `framing` says how much of a move can be seen."""
        later = dict(now.digests)
        changed = [what for what, digest in self.digests if later.get(what) != digest]
        if not changed and self.count != now.count:
            changed.append("the modifiers")
        if not changed:
            before, _ = framing.project(self.standing)
            after, _ = framing.project(now.standing)
            if float(np.abs(after - before).max(initial=0.0)) > STANDING_PIXELS:
                changed.append("where it stands, or its pose")
        return changed


def take_fingerprint(obj: Any, face: EvaluatedFace) -> Fingerprint:
    """Return the fingerprint of a character's meshes, keys, channels, pictures and pose."""
    family = [obj] if not has_keys(obj) else family_of(obj)
    positions = face.surface.positions
    watched = np.linspace(0, len(positions) - 1, min(WATCHED, len(positions))).astype(int)
    digests = (
        ("its faces", _digest(part for one in family for part in _topology(one.data))),
        ("its rest shape", _digest(part for one in family for part in _rest(one.data))),
        ("its shape keys", _digest(part for one in family for part in _keys(one.data))),
        ("what can be keyed of it", _digest(map(_channel, face.channels))),
        ("the pictures of its materials", _digest(_pictures(family))),
    )
    return Fingerprint(digests, positions[watched], len(positions))


def _digest(parts: Iterable[bytes]) -> str:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _read(collection: Any, name: str, width: int, kind: type) -> bytes:
    flat: NDArray[Any] = np.empty(len(collection) * width, kind)
    collection.foreach_get(name, flat)
    return flat.tobytes()


def _topology(mesh: Any) -> Iterator[bytes]:
    yield str(len(mesh.vertices)).encode()
    yield _read(mesh.polygons, "loop_total", 1, np.int32)
    yield _read(mesh.loops, "vertex_index", 1, np.int32)


def _rest(mesh: Any) -> Iterator[bytes]:
    yield _read(mesh.shape_keys.reference_key.data, "co", 3, np.float32)


def _keys(mesh: Any) -> Iterator[bytes]:
    for key in mesh.shape_keys.key_blocks:
        yield f"{key.name}|{key.relative_key.name}|{key.vertex_group}|{key.mute}".encode()
        yield _read(key.data, "co", 3, np.float32)


def _channel(channel: Channel) -> bytes:
    # Bounds found by probing may differ in their last digits.
    bounds = (f"{bound:.4g}" for bound in (channel.lower, channel.upper, channel.neutral))
    return f"{channel.name}|{channel.targets}|{'|'.join(bounds)}".encode()


def _pictures(family: list[Any]) -> Iterator[bytes]:
    materials = {
        slot.material.name: slot.material
        for one in family
        for slot in one.material_slots
        if slot.material is not None
    }
    for name in sorted(materials):
        tree = materials[name].node_tree
        for node in tree.nodes if tree is not None else ():
            if node.type == "TEX_IMAGE" and node.image is not None and REPLACES not in node:
                yield from _picture(node.image)


def _picture(image: Any) -> Iterator[bytes]:
    yield f"{image.name}|{image.source}|{tuple(image.size)}|{image.is_dirty}".encode()
    if image.packed_file is not None:
        yield bytes(image.packed_file.data)
        return
    path = Path(bpy.path.abspath(image.filepath, library=image.library))
    if image.filepath and path.is_file():
        stat = path.stat()
        yield f"{stat.st_size}|{stat.st_mtime_ns}".encode()
