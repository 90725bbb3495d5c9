"""Arrays as short text, for evidence that lies in a .blend as a text block."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

#: What may be stored.
KINDS = {"bool", "uint8", "int32", "float16", "float32", "float64"}


def pack(array: NDArray[Any]) -> dict[str, Any]:
    """Return an array as `{"type", "shape", "zlib"}`; exact.

    `zlib` is base64 of the deflated bytes in C order, little-endian: bits for booleans; pictures
    (uint8 of three axes or more) as differences to the row above, modulo 256; other numbers with
    the bytes of the same significance together, which deflates better.
    """
    kind = str(array.dtype)
    if kind not in KINDS:
        raise TypeError(f"arrays of {kind} are not stored")
    packed = base64.b64encode(zlib.compress(_plain_bytes(array), 9)).decode("ascii")
    return {"type": kind, "shape": list(array.shape), "zlib": packed}


def unpack(stored: Any) -> NDArray[Any]:
    """Return the array that `pack` stored; raises `InputError` for anything else."""
    try:
        kind, shape = str(stored["type"]), tuple(int(size) for size in stored["shape"])
        if kind not in KINDS or min(shape, default=0) < 0:
            raise ValueError(kind)
        count = int(np.prod(shape, dtype=np.int64))
        raw = zlib.decompress(base64.b64decode(stored["zlib"], validate=True))
        return _from_bytes(raw, kind, shape, count)
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise InputError(
            "An array of the evidence cannot be read.", "Bake again to renew the evidence."
        ) from error


def _plain_bytes(array: NDArray[Any]) -> bytes:
    if array.dtype == bool:
        return np.packbits(array.ravel()).tobytes()
    if array.dtype == np.uint8 and array.ndim >= 3:
        return np.diff(array, axis=-3, prepend=np.uint8(0)).tobytes()
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(-1, array.dtype.itemsize).T.tobytes()


def _from_bytes(raw: bytes, kind: str, shape: tuple[int, ...], count: int) -> NDArray[Any]:
    flat = np.frombuffer(raw, np.uint8)
    if kind == "bool":
        return np.unpackbits(flat, count=count).astype(bool).reshape(shape)
    dtype = np.dtype(kind)
    if len(flat) != count * dtype.itemsize:
        raise ValueError(f"{len(flat)} bytes for {shape} of {kind}")
    if kind == "uint8" and len(shape) >= 3:
        return np.cumsum(flat.reshape(shape), axis=-3, dtype=np.uint8)
    together = np.ascontiguousarray(flat.reshape(dtype.itemsize, count).T)
    return together.view(dtype.newbyteorder("<")).reshape(shape).astype(dtype)
