"""Content that a client sends: bytes that are read in pieces, and bundles of files.

A folder of pictures, or a set of arrays, travels as one bundle: the magic line, the length of the
index (4 bytes, little endian), the index (msgpack list of [name, size]) and the files' own bytes
one after the other.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgpack
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .failures import Code, ProtocolError

MAGIC = b"MFBUNDLE1\n"
MAX_INDEX_BYTES = 16 << 20
MAX_NAME_LETTERS = 255

#: Files in one bundle, a few times the frames that a clip may have; each becomes one on a disk.
MAX_BUNDLE_FILES = 10_000

#: File name endings of the pictures that a folder of frames may hold.
PICTURE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".exr",
)  # fmt: skip


class Content(Protocol):
    """Bytes that can be read piece by piece."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset` on, fewer only at the end."""
        ...


class BytesContent:
    """Content in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self._data)

    def read(self, offset: int, count: int) -> bytes:
        """Return a piece."""
        return self._data[offset : offset + count]


class FileContent:
    """Content of one file; it is opened for each piece, so that nothing stays open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._size = path.stat().st_size
        except OSError as fault:
            raise InputError(
                f"{path} cannot be read ({fault.strerror}).", "Give a file that can be read."
            ) from fault

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def read(self, offset: int, count: int) -> bytes:
        """Return a piece; raises InputError when the file has gone or shrunk."""
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                piece = file.read(count)
        except OSError as fault:
            raise InputError(
                f"{self._path} cannot be read ({fault.strerror}).", "Give a file that can be read."
            ) from fault
        if len(piece) < min(count, self._size - offset):
            raise InputError(f"{self._path} changed while it was sent.", "Try again.")
        return piece


class JoinedContent:
    """Several contents one after the other."""

    def __init__(self, contents: Sequence[Content]) -> None:
        self._contents = contents
        self._starts = np.cumsum([0, *(content.size for content in contents)])

    @property
    def size(self) -> int:
        """Length in bytes."""
        return int(self._starts[-1])

    def read(self, offset: int, count: int) -> bytes:
        """Return a piece."""
        pieces = []
        position = int(np.searchsorted(self._starts, offset, side="right")) - 1
        while count > 0 and position < len(self._contents):
            piece = self._contents[position].read(offset - int(self._starts[position]), count)
            pieces.append(piece)
            offset += len(piece)
            count -= len(piece)
            position += 1
        return b"".join(pieces)


def clip_content(path: Path) -> tuple[Content, str]:
    """Return a clip's content and its kind, "video" for a file and "frames" for a folder.

    Raises InputError when there is nothing to send.
    """
    if path.is_dir():
        files = sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".")
        )
        if not files:
            raise InputError(
                f"The folder {path} holds no pictures.", "Give one with PNG, JPEG or TIFF frames."
            )
        if strange := [file.name for file in files if not is_plain_name(file.name)]:
            raise InputError(
                f"{path} holds a picture with a name that not every system can hold: {strange[0]}.",
                "Rename it to letters and digits.",
            )
        return bundle_content([(file.name, FileContent(file)) for file in files]), "frames"
    if not path.exists():
        raise InputError(f"There is no clip at {path}.", "Give a folder of pictures or a video.")
    content = FileContent(path)
    if content.size == 0:
        raise InputError(f"{path} is empty.", "Give a folder of pictures or a video.")
    return content, "video"


def bundle_content(files: Iterable[tuple[str, Content]]) -> Content:
    """Return the bundle of named contents."""
    files = list(files)
    index: bytes = msgpack.packb([[name, content.size] for name, content in files])
    head = MAGIC + struct.pack("<I", len(index)) + index
    return JoinedContent([BytesContent(head), *(content for _name, content in files)])


def bundle_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bundle of named arrays, each as an NPY file."""
    files = []
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        files.append((name, BytesContent(buffer.getvalue())))
    whole = bundle_content(files)
    return whole.read(0, whole.size)


def read_bundle(file: BinaryIO, total: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of each file in a bundle of `total` bytes.

    Raises ProtocolError (code INPUT) for anything that is not exactly a bundle; a name is never a
    path.
    """
    head = file.read(len(MAGIC) + 4)
    if len(head) < len(MAGIC) + 4 or not head.startswith(MAGIC):
        raise _broken("it does not start as a bundle does")
    (length,) = struct.unpack("<I", head[len(MAGIC) :])
    if length > MAX_INDEX_BYTES:
        raise _broken("its index is too long")
    try:
        index = msgpack.unpackb(file.read(length), raw=False, max_map_len=0, max_ext_len=0)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as fault:
        raise _broken("its index cannot be read") from fault
    names = _checked_index(index)
    if len(head) + length + sum(names.values()) != total:
        raise _broken("its length is not the sum of its files")
    for name, size in names.items():
        data = file.read(size)
        if len(data) != size:
            raise _broken("it ends early")
        yield name, data


def read_arrays(file: BinaryIO, total: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a bundle; raises ProtocolError for one that is not well formed."""
    arrays = {}
    for name, data in read_bundle(file, total):
        if not data.startswith(b"\x93NUMPY"):
            raise _broken(f"{name} is not an array")
        try:
            arrays[name] = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, TypeError, SyntaxError, EOFError, OverflowError, MemoryError) as fault:
            raise _broken(f"{name} is not an array") from fault
    return arrays


def _checked_index(index: object) -> dict[str, int]:
    names: dict[str, int] = {}
    if not isinstance(index, list):
        raise _broken("its index is not a list")
    if len(index) > MAX_BUNDLE_FILES:
        raise _broken(f"it has more than {MAX_BUNDLE_FILES} files")
    for entry in index:
        if not (isinstance(entry, list) and len(entry) == 2):
            raise _broken("its index is not a list of pairs")
        name, size = entry
        if not is_plain_name(name) or name in names:
            raise _broken("a name in it is not a plain file name")
        if type(size) is not int or size < 0:
            raise _broken("a size in it is not a length")
        names[name] = size
    return names


def is_plain_name(name: object) -> bool:
    """Whether `name` is a file name and nothing else: no path, no hidden file, no control."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= MAX_NAME_LETTERS
        and not name.startswith(".")
        and all(map(_is_plain, name))
    )


def plain_name(name: str) -> str:
    """Return a name with what no file name may hold replaced, cut to its last 100 letters."""
    letters = [letter if _is_plain(letter) else "_" for letter in name]
    return "".join(letters).lstrip(".")[-100:] or "clip"


def _is_plain(letter: str) -> bool:
    """Whether a letter may stand in a file name everywhere. Half a surrogate pair may not: it is
    what Python makes of a byte in a name that is not UTF-8, and cannot be sent."""
    return ord(letter) >= 32 and letter not in '/\\:*?"<>|' and not "\ud800" <= letter <= "\udfff"


def _broken(why: str) -> ProtocolError:
    return ProtocolError(f"A bundle of files cannot be used: {why}.", "Send it again.", Code.INPUT)
