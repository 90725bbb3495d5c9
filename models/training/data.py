"""Training pairs from shard files, read in place: nothing but the pairs of a batch is loaded."""

from __future__ import annotations

import os
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..flow import measure_flow, to_grid

#: Bytes of a zip entry's fixed local header, and where its two length fields lie.
_LOCAL_HEADER = 30
_LENGTHS_AT = 26

#: Fields of a pair that training reads.
FIELDS = (
    "source_neutral",
    "source_frame",
    "source_flow",
    "source_moving",
    "source_points",
    "source_motion",
    "source_chart",
    "character_neutral",
    "character_frame",
    "character_forward",
    "character_backward",
    "character_visible",
    "character_fixed",
    "character_points",
    "character_motion",
    "character_chart",
)

#: Fields that the server's measuring adds.
SERVED = ("served_flow", "served_head")

Batch = dict[str, NDArray[np.generic]]


def map_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an uncompressed .npz as read-only maps of the file.

    Raises ValueError for a compressed or pickled entry.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{path}: {entry.filename} is compressed")
            file.seek(entry.header_offset + _LENGTHS_AT)
            name, extra = struct.unpack("<HH", file.read(4))
            file.seek(entry.header_offset + _LOCAL_HEADER + name + extra)
            version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read(file)  # type: ignore[no-untyped-call]
            if dtype.hasobject or fortran:
                raise ValueError(f"{path}: {entry.filename} is no plain array")
            key = entry.filename.removesuffix(".npy")
            if 0 in shape:
                arrays[key] = np.empty(shape, dtype)
            else:
                arrays[key] = np.memmap(path, dtype, "r", offset=file.tell(), shape=shape)
    return arrays


def measured_flows(path: Path, arrays: dict[str, NDArray[np.generic]]) -> NDArray[np.float16]:
    """Return the measured source flows (P, 64, 64, 2) of a shard, kept in a file beside it."""
    beside = path.with_name(path.name.replace("pairs-", "flows-")).with_suffix(".npy")
    if beside.is_file() and beside.stat().st_mtime >= path.stat().st_mtime:
        return np.asarray(np.load(beside, mmap_mode="r"), dtype=np.float16)
    flows = [
        to_grid(measure_flow(np.asarray(a, np.uint8), np.asarray(b, np.uint8)))
        for a, b in zip(arrays["source_neutral"], arrays["source_frame"], strict=True)
    ]
    stacked = np.stack(flows).astype(np.float16)
    aside = beside.with_suffix(f".{os.getpid()}.part")
    with aside.open("wb") as file:
        np.save(file, stacked)
    aside.replace(beside)
    return stacked


def served_path(path: Path) -> Path:
    """Return where the motion lies that the server measures in the sources of a shard."""
    return path.with_name(path.name.replace("pairs-", "served-"))


def write_served(
    path: Path, flows: NDArray[np.floating[Any]], heads: NDArray[np.floating[Any]]
) -> None:
    """Write the server's measurement of a shard's sources beside it: the expressions' `flows`
    (P, 64, 64, 2) and the `heads`' motion, in 256-px pixels."""
    target = served_path(path)
    aside = target.with_suffix(f".{os.getpid()}.part")
    with aside.open("wb") as file:
        np.savez(file, served_flow=flows.astype(np.float16), served_head=heads.astype(np.float16))
    aside.replace(target)


def served(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return what `write_served` has written for a shard; InputError where it has not."""
    try:
        return map_arrays(served_path(path))
    except FileNotFoundError:
        raise InputError(
            f"{path} has not been measured as the server measures clips.",
            f"Run `python -m microface.server.clips.pairs {path.parent}`.",
        ) from None


@dataclass
class Shards:
    """All pairs of a folder of `pairs-*.npz`, and of `more` folders; new shards are taken up by
    `refresh`."""

    folder: Path
    more: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Open the folders. InputError where they hold no pairs."""
        self._paths: list[Path] = []
        self._arrays: list[dict[str, NDArray[np.generic]]] = []
        self._starts: list[int] = [0]
        self.refresh()
        if not len(self):
            raise InputError(
                f"There are no training pairs in {self.folder}.",
                "Write some with `python -m microface.models.heads.write`, or give --packs.",
            )

    def refresh(self) -> None:
        """Open the shards that have come since."""
        for path in (p for f in (self.folder, *self.more) for p in sorted(f.glob("pairs-*.npz"))):
            if path in self._paths:
                continue
            try:
                arrays = map_arrays(path)
            except (zipfile.BadZipFile, ValueError, OSError) as error:
                raise InputError(f"{path} cannot be read: {error}.", "Write it anew.") from error
            arrays["measured_flow"] = measured_flows(path, arrays)
            self._paths.append(path)
            self._arrays.append(arrays)
            self._starts.append(self._starts[-1] + len(arrays["source_neutral"]))

    def __len__(self) -> int:
        """Return the number of pairs."""
        return self._starts[-1]

    def batch(self, indices: NDArray[np.int64], fields: tuple[str, ...] = ()) -> Batch:
        """Return the pairs at `indices`, stacked field by field, as stored; all fields if none
        are named."""
        places = [
            (int(np.searchsorted(self._starts, i, side="right")) - 1, int(i)) for i in indices
        ]
        return {
            name: np.stack([self._array(s, name)[i - self._starts[s]] for s, i in places])
            for name in fields or (*FIELDS, "measured_flow", *SERVED)
        }

    def _array(self, shard: int, name: str) -> NDArray[np.generic]:
        """Return a shard's array, opening what the server measured when it is first asked for."""
        arrays = self._arrays[shard]
        if name in SERVED and name not in arrays:
            arrays.update(served(self._paths[shard]))
        if name not in arrays:
            raise InputError(
                f"{self._paths[shard]} lacks {name}, which this version needs.",
                "Write it anew with `python -m microface.models.heads.write`.",
            )
        return arrays[name]

    def column(self, name: str) -> list[NDArray[np.generic]]:
        """Return one array of every shard, as stored."""
        return [arrays[name] for arrays in self._arrays]


def draw(seed: int, step: int, count: int, pairs: int) -> NDArray[np.int64]:
    """Return the indices of a step's batch: a function of the seed and the step alone.

    So a run that is taken up again sees the pairs it would have seen.
    """
    rng = np.random.default_rng((seed, step))
    return rng.integers(0, pairs, count)
