"""What a second Blender is given to work on, and gives back, as files: nothing is pickled."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bake.shape_keys import ShapeKeyBake
from ..bake.time import TimeBase
from ..bake.wrinkles import WrinkleMaps
from ..character.fingerprint import Fingerprint
from ..character.framing import Framing
from ..generated import Generated
from ..retarget.prepare import Prepared

#: Arrays of a `Generated`.
ARRAYS = ("neutral", "frames", "edges", "motion", "times")


def write_json(path: Path, value: Any) -> None:
    """Write a small file whole or not at all: the other side may be reading."""
    aside = path.with_name(f"{path.name}.part")
    aside.write_text(json.dumps(value), encoding="utf-8")
    aside.replace(path)


def read_json(path: Path) -> Any:
    """Return what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def framing_to_plain(framing: Framing) -> dict[str, Any]:
    """Return a framing as plain data."""
    return {**asdict(framing), "camera_to_world": framing.camera_to_world.tolist()}


def framing_from_plain(plain: dict[str, Any]) -> Framing:
    """Return the framing that `framing_to_plain` made plain."""
    return Framing(**{**plain, "camera_to_world": np.array(plain["camera_to_world"])})


def fingerprint_to_plain(fingerprint: Fingerprint) -> dict[str, Any]:
    """Return a fingerprint as plain data."""
    return {
        "digests": fingerprint.digests,
        "standing": fingerprint.standing.tolist(),
        "count": fingerprint.count,
    }


def fingerprint_from_plain(plain: dict[str, Any]) -> Fingerprint:
    """Return the fingerprint that `fingerprint_to_plain` made plain."""
    digests = tuple((str(what), str(digest)) for what, digest in plain["digests"])
    return Fingerprint(digests, np.array(plain["standing"], np.float32), plain["count"])


def write_prepared(folder: Path, prepared: Prepared) -> None:
    """Write a character that is ready to be sent to a folder."""
    np.save(folder / "neutral.npy", prepared.neutral)
    plain = {
        "object_name": prepared.object_name,
        "scene_frame": prepared.scene_frame,
        "framing": framing_to_plain(prepared.framing),
        "view": prepared.view,
        "fingerprint": fingerprint_to_plain(prepared.fingerprint),
    }
    write_json(folder / "prepared.json", plain)


def read_prepared(folder: Path) -> Prepared:
    """Return what `write_prepared` wrote."""
    plain = read_json(folder / "prepared.json")
    return Prepared(
        plain["object_name"],
        plain["scene_frame"],
        framing_from_plain(plain["framing"]),
        np.load(folder / "neutral.npy"),
        plain["view"],
        fingerprint_from_plain(plain["fingerprint"]),
    )


def write_generated(folder: Path, generated: Generated) -> None:
    """Write all views of what was generated to a folder."""
    views = []
    for number, one in enumerate(generated.views):
        for name in ARRAYS:
            np.save(folder / f"{number}-{name}.npy", getattr(one, name))
        views.append(
            {
                "object_name": one.object_name,
                "scene_frame": one.scene_frame,
                "framing": framing_to_plain(one.framing),
                "clip_name": one.clip_name,
                "fps": str(one.fps),
                "result": one.result,
                "view": one.view,
                "fingerprint": one.fingerprint and fingerprint_to_plain(one.fingerprint),
            }
        )
    write_json(folder / "generated.json", views)


def read_generated(folder: Path) -> Generated:
    """Return what `write_generated` wrote."""
    found = []
    for number, one in enumerate(read_json(folder / "generated.json")):
        arrays = {name: np.load(folder / f"{number}-{name}.npy") for name in ARRAYS}
        plain = {**one, "framing": framing_from_plain(one["framing"]), "fps": Fraction(one["fps"])}
        if one["fingerprint"] is not None:
            plain["fingerprint"] = fingerprint_from_plain(one["fingerprint"])
        found.append({**plain, **arrays})
    first, *others = found
    return Generated(**first, others=tuple(Generated(**other) for other in others))


def maps_to_plain(maps: WrinkleMaps, into: Path) -> dict[str, Any]:
    """Return wrinkle maps as plain data, without their curves; paths are relative to `into`."""
    return {
        "name": maps.texture,
        "files": [path.relative_to(into).as_posix() for path in maps.files],
        "sidecar": maps.sidecar.relative_to(into).as_posix(),
        "names": list(maps.names),
        "range": maps.range,
        "figures": [maps.explained, maps.error_levels, maps.worst_levels, maps.still_levels],
    }


def read_maps(
    into: Path, plain: list[dict[str, Any]], curves: list[NDArray[Any]]
) -> tuple[WrinkleMaps, ...]:
    """Return the maps that `maps_to_plain` made plain, with their curves (K,T)."""
    return tuple(
        WrinkleMaps(
            one["name"],
            tuple(into / path for path in one["files"]),
            into / one["sidecar"],
            tuple(one["names"]),
            curve,
            one["range"],
            *one["figures"],
        )
        for one, curve in zip(plain, curves, strict=True)
    )


def write_bake(folder: Path, bake: ShapeKeyBake) -> None:
    """Write what a bake of textures must know of the shape keys under it."""
    np.save(folder / "weights.npy", bake.weights)
    np.save(folder / "weight-times.npy", bake.times)
    plain = {
        "object_name": bake.object_name,
        "names": list(bake.names),
        "marks": [bake.onset, bake.apex, bake.offset],
        "action_name": bake.action_name,
        "fps": str(bake.time_base.fps),
        "start_frame": bake.time_base.start_frame,
        "stretch": str(bake.time_base.stretch),
    }
    write_json(folder / "bake.json", plain)


def read_bake(folder: Path) -> ShapeKeyBake | None:
    """Return what `write_bake` wrote, or None where it wrote nothing."""
    if not (folder / "bake.json").exists():
        return None
    plain = read_json(folder / "bake.json")
    times = np.load(folder / "weight-times.npy")
    onset, apex, offset = plain["marks"]
    base = TimeBase(Fraction(plain["fps"]), plain["start_frame"], Fraction(plain["stretch"]))
    return ShapeKeyBake(
        plain["object_name"],
        tuple(plain["names"]),
        times,
        np.load(folder / "weights.npy"),
        np.zeros(len(times)),
        onset,
        apex,
        offset,
        plain["action_name"],
        base,
        0,
    )
