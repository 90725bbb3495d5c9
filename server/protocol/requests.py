"""What jobs ask for, as SUBMIT carries it: flat tables that are checked field by field."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from .content import is_plain_name
from .failures import Code, ProtocolError
from .kinds import Bytes, Integer, Real, Text, check_fields, kinds_of
from .limits import MAX_SIDE_PIXELS

#: Name under which a built-in clip is asked for: `builtin:brow-lower`.
BUILTIN = "builtin:"

Table = dict[str, Any]


@dataclass(frozen=True)
class _Request:
    def table(self) -> Table:
        """Return the request as SUBMIT carries it, digests in hexadecimal."""
        return {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in dataclasses.asdict(self).items()
        }


@dataclass(frozen=True)
class RetargetRequest(_Request):
    """Put a clip's expression on a neutral.

    `neutral` is the SHA-256 of the raw picture, uint8 sRGB (height, width, 3). `clip` is that of
    the clip's content: a video file's own bytes, a bundle of picture files, or, for the kind
    "builtin", 32 zeros. `fps` is a ratio like "24000/1001", or empty where the clip knows its own.
    `gains` by region and side of the face, like "brows=2, lips.left=0.5"; empty for none.
    """

    neutral: Annotated[bytes, Bytes(32)]
    height: Annotated[int, Integer(16, MAX_SIDE_PIXELS)]
    width: Annotated[int, Integer(16, MAX_SIDE_PIXELS)]
    clip: Annotated[bytes, Bytes(32)]
    clip_kind: Annotated[str, Text(8, ("video", "frames", "builtin"))]
    clip_name: Annotated[str, Text(255)]
    fps: Annotated[str, Text(40)]
    strength: Annotated[float, Real(0.0, 4.0)]
    gains: Annotated[str, Text(400)] = ""

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Content that must be on the server."""
        return (self.neutral,) if self.clip_kind == "builtin" else (self.neutral, self.clip)

    @property
    def frame_rate(self) -> Fraction | None:
        """`fps` as a ratio."""
        return parse_fps(self.fps) if self.fps else None

    @property
    def bytes_per_frame(self) -> int:
        """What one frame's picture, edge map and motion take."""
        return self.height * self.width * (3 + 1 + 4)


@dataclass(frozen=True)
class SolveRequest(_Request):
    """Solve shape key weights; `bundle` is the SHA-256 of a bundle of NPY arrays, the arguments of
    the solve by name."""

    bundle: Annotated[bytes, Bytes(32)]

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Content that must be on the server."""
        return (self.bundle,)

    @property
    def bytes_per_frame(self) -> int:
        """Nothing is sent per frame."""
        return 0


Request = RetargetRequest | SolveRequest


def parse_request(kind: str, table: Table) -> Request:
    """Return the request in a SUBMIT; raises ProtocolError (code INPUT) for one that is wrong."""
    request_class = RetargetRequest if kind == "retarget" else SolveRequest
    kinds = kinds_of(request_class)
    values = dict(table)
    try:
        for name, of_kind in kinds.items():
            if isinstance(of_kind, Bytes):
                values[name] = bytes.fromhex(values[name])
        request: Request = request_class(**check_fields(kinds, values))
    except (KeyError, ValueError, TypeError) as fault:
        raise _refused("its digests are not hexadecimal") from fault
    except ProtocolError as fault:
        raise _refused(fault.what) from fault
    if isinstance(request, RetargetRequest):
        if not is_plain_name(request.clip_name):
            raise _refused("the clip's name is not a plain file name")
        if request.fps:
            parse_fps(request.fps)
    return request


def parse_fps(text: str) -> Fraction:
    """Return a frame rate from "25", "29.97" or "24000/1001"; raises ProtocolError (INPUT)."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError) as fault:
        raise _refused("the frame rate is not a number or a ratio") from fault
    if not 1 <= rate <= 10_000:
        raise _refused("the frame rate is not within 1 to 10000")
    return rate


def _refused(why: str) -> ProtocolError:
    return ProtocolError(
        f"The server refused the request: {why}.", "Correct the request.", Code.INPUT
    )
