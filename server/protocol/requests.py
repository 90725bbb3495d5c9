"""What jobs ask for, as SUBMIT carries it: flat tables that are checked field by field.

What has its default is not sent, and what is not sent has its default: a server serves clients that
know less than it does, and a client's plain requests are understood by older servers.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from ...errors import InputError
from .content import is_plain_name
from .faces import parse_face
from .failures import Code, ProtocolError
from .kinds import Bytes, Integer, Optional, Real, Text, check_fields, kinds_of
from .limits import MAX_FRAMES, MAX_SIDE_PIXELS, MIN_SIDE_PIXELS, STRENGTHS
from .regions import parse_gains, parse_mix
from .timing import parse_fps, parse_timing

#: Name under which a built-in clip is asked for: `builtin:brow-lower`.
BUILTIN = "builtin:"

#: How two clips are laid over each other in time: by onset, apex and offset, or by their starts.
ALIGNMENTS = ("moments", "start")

#: What spectacles on a character do while the face behind them moves: nothing, or as it does.
SPECTACLES = ("still", "move")

Table = dict[str, Any]

_DIGEST = Bytes(32)
_KIND = Text(8, ("video", "frames", "builtin"))
_REST_KIND = Text(8, ("video", "frames", "builtin", "picture"))
_NAME = Text(255)
_FPS = Text(40)
_WORDS = Text(400)
_FACE = Text(60)


@dataclass(frozen=True)
class _Request:
    def table(self) -> Table:
        """Return the request as SUBMIT carries it, digests in hexadecimal."""
        return {
            field.name: value.hex() if isinstance(value, bytes) else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }


@dataclass(frozen=True)
class RetargetRequest(_Request):
    """Put a clip's expression on a neutral.

    `neutral` is the SHA-256 of the raw picture, uint8 sRGB (height, width, 3). `clip` is that of
    the clip's content: a video file's own bytes, a bundle of picture files, or, for the kind
    "builtin", 32 zeros. `fps` is a ratio like "24000/1001", or empty where the clip knows its own.
    `gains` by region and side of the face, like "brows=2, lips.left=0.5"; empty for none.

    `timing` like "duration=0.3, apex=0.12" (see `timing`). The source's neutral is the frame
    `neutral_frame`, or comes from the content `rest`, a clip or picture of the same person; else it
    is found. `second` is another clip, of which there is as much as `mix` says, like "0.5" or
    "lips=1", aligned with the first as `align` says. `face` says which of several faces in the clip
    is meant, like "left" (see `faces`). `spectacles` on the character stay still, or "move".
    """

    neutral: Annotated[bytes, _DIGEST]
    height: Annotated[int, Integer(MIN_SIDE_PIXELS, MAX_SIDE_PIXELS)]
    width: Annotated[int, Integer(MIN_SIDE_PIXELS, MAX_SIDE_PIXELS)]
    clip: Annotated[bytes, _DIGEST]
    clip_kind: Annotated[str, _KIND]
    clip_name: Annotated[str, _NAME]
    fps: Annotated[str, _FPS]
    strength: Annotated[float, Real(*STRENGTHS)]
    gains: Annotated[str, _WORDS] = ""
    timing: Annotated[str | None, Optional(_WORDS)] = None
    neutral_frame: Annotated[int | None, Optional(Integer(0, MAX_FRAMES))] = None
    rest: Annotated[bytes | None, Optional(_DIGEST)] = None
    rest_kind: Annotated[str | None, Optional(_REST_KIND)] = None
    rest_name: Annotated[str | None, Optional(_NAME)] = None
    second: Annotated[bytes | None, Optional(_DIGEST)] = None
    second_kind: Annotated[str | None, Optional(_KIND)] = None
    second_name: Annotated[str | None, Optional(_NAME)] = None
    second_fps: Annotated[str | None, Optional(_FPS)] = None
    mix: Annotated[str | None, Optional(_WORDS)] = None
    align: Annotated[str | None, Optional(Text(8, ALIGNMENTS))] = None
    face: Annotated[str | None, Optional(_FACE)] = None
    spectacles: Annotated[str | None, Optional(Text(8, SPECTACLES))] = None

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Content that must be on the server."""
        wanted = (
            (self.neutral, "raw"),
            (self.clip, self.clip_kind),
            (self.rest, self.rest_kind),
            (self.second, self.second_kind),
        )
        return tuple(digest for digest, kind in wanted if digest and kind != "builtin")

    @property
    def bytes_per_frame(self) -> int:
        """What one frame's picture, edge map and motion take."""
        return self.height * self.width * (3 + 1 + 4)

    def check(self) -> None:
        """Raise ProtocolError or InputError where the fields do not fit each other."""
        for what in ("clip", "rest", "second"):
            parts = [getattr(self, name) for name in (what, f"{what}_kind", f"{what}_name")]
            if None in parts and any(part is not None for part in parts):
                raise ProtocolError(f"The field {what} comes without its kind and name.")
            if parts[2] is not None and not is_plain_name(parts[2]):
                raise ProtocolError("the clip's name is not a plain file name")
        if self.neutral_frame is not None and self.rest is not None:
            raise ProtocolError("A neutral frame and a neutral of its own exclude each other.")
        if self.mix is not None and self.second is None:
            raise ProtocolError("A mix needs a second clip.")
        for rate in filter(None, (self.fps, self.second_fps)):
            parse_fps(rate)
        parse_gains(self.gains)
        parse_timing(self.timing or "")
        parse_mix(self.mix or "")
        parse_face(self.face or "largest")


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
    values = _defaults(request_class) | table
    try:
        for name, of_kind in kinds.items():
            if _DIGEST in (of_kind, getattr(of_kind, "kind", None)) and values[name] is not None:
                values[name] = bytes.fromhex(values[name])
        request: Request = request_class(**check_fields(kinds, values))
        if isinstance(request, RetargetRequest):
            request.check()
    except (KeyError, ValueError, TypeError) as fault:
        raise _refused("its digests are not hexadecimal") from fault
    except ProtocolError as fault:
        raise _refused(fault.what) from fault
    except InputError as fault:
        raise ProtocolError(fault.what, fault.remedy, Code.INPUT) from fault
    return request


def _defaults(request_class: type[_Request]) -> Table:
    return {
        field.name: field.default
        for field in dataclasses.fields(request_class)
        if field.default is not dataclasses.MISSING
    }


def _refused(why: str) -> ProtocolError:
    return ProtocolError(
        f"The server refused the request: {why}.", "Correct the request.", Code.INPUT
    )
