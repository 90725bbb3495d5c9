"""Messages to parts and back: `[msgpack header][payload]`.

The header is a map with `v` version, `t` verb, `b` the verb's fields and, where a payload follows,
`n` its length in bytes, `sum` its CRC-32 and, for arrays, `shape`, `dtype` and `codec`.
"""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgpack
import numpy as np

from .failures import Code, ProtocolError
from .kinds import Bytes, Integer, Text, check_fields
from .limits import MAX_HEADER_BYTES, VERSION
from .messages import (
    Accepted,
    ArrayMessage,
    Cancel,
    Cancelled,
    Credit,
    Done,
    Edge,
    Error,
    Frame,
    Hello,
    Message,
    Motion,
    Payload,
    Ping,
    Pong,
    Progress,
    Put,
    Resume,
    Stored,
    Submit,
    Weights,
    Welcome,
)

Array = TypeVar("Array", bound=ArrayMessage)

Verbs = dict[str, type[Message]]


def _by_verb(*classes: type[Message]) -> Verbs:
    return {message.VERB: message for message in classes}


#: What a server takes from a client, and a client from a server.
FROM_CLIENT = _by_verb(Hello, Put, Submit, Credit, Resume, Cancel, Ping, Pong)
FROM_SERVER = _by_verb(
    Welcome, Stored, Accepted, Frame, Edge, Motion, Weights, Progress, Cancelled, Done, Error,
    Ping, Pong,
)  # fmt: skip

_SHAPED = {"v", "t", "b", "n", "sum", "shape", "dtype", "codec"}
_LOADED = {"v", "t", "b", "n", "sum"}
_PLAIN = {"v", "t", "b"}
_LENGTH = Integer(0, 1 << 40)
_SUM = Integer(0, (1 << 32) - 1)
_CODEC = Text(8, ("raw",))


def encode(message: Message) -> list[Payload]:
    """Return the parts to send for a message."""
    header: dict[str, Any] = {"v": VERSION, "t": message.VERB, "b": message.body()}
    payload: Payload | None = None
    checksum: int | None = None
    if isinstance(message, ArrayMessage):
        array = np.ascontiguousarray(message.array, dtype=message.DTYPE)
        message.check_shape(array.shape)
        payload = array.data.cast("B")
        checksum = message.checksum
        header |= {"shape": list(array.shape), "dtype": message.DTYPE, "codec": "raw"}
    elif isinstance(message, (Put, Done)):
        payload = message.payload
    if payload is not None:
        checksum = zlib.crc32(payload) if checksum is None else checksum
        header |= {"n": len(payload), "sum": checksum}
    packed: bytes = msgpack.packb(header)
    if len(packed) > MAX_HEADER_BYTES:
        raise ProtocolError(f"A {message.VERB} message does not fit its header.")
    return [packed] if payload is None else [packed, payload]


def summed(message: Array) -> Array:
    """Return the message with its array as it travels and the checksum of that."""
    array = np.ascontiguousarray(message.array, dtype=message.DTYPE)
    return dataclasses.replace(message, array=array, checksum=zlib.crc32(array.data.cast("B")))


def decode(parts: Sequence[Payload], verbs: Verbs) -> Message:
    """Return the message in `parts`; whatever is not exactly one raises ProtocolError.

    `verbs` names what the receiver accepts. Arrays and payloads are views into their part.
    """
    header, message_class = read_header(parts, verbs)
    fields = check_fields(message_class.kinds(), header["b"])
    if len(parts) == 1:
        return message_class(**fields)
    payload = memoryview(parts[1])
    if zlib.crc32(payload) != _SUM.check("sum", header["sum"]):
        raise ProtocolError("A payload does not match its checksum.", "Send it again.")
    if issubclass(message_class, ArrayMessage):
        shape = _shape(header, message_class, len(payload))
        array = np.frombuffer(payload, dtype=message_class.DTYPE).reshape(shape)
        return message_class(**fields, array=array, checksum=header["sum"])
    return message_class(**fields, payload=payload)  # type: ignore[call-arg]


def read_header(parts: Sequence[Payload], verbs: Verbs) -> tuple[dict[str, Any], type[Message]]:
    """Return the header and the class of the message in `parts`, its frame of fields checked.

    The fields themselves and the payload's checksum are left to `decode`.
    """
    if not 1 <= len(parts) <= 2:
        raise ProtocolError(f"A message has {len(parts)} parts, not one or two.")
    header = unpack_map(parts[0], MAX_HEADER_BYTES)
    if header.get("v") != VERSION:
        raise ProtocolError(
            f"The other side does not speak version {VERSION} of the protocol.",
            "Install the same version of Microface on both sides.",
            Code.VERSION,
        )
    verb = header.get("t")
    message_class = verbs.get(verb) if isinstance(verb, str) else None
    if message_class is None:
        raise ProtocolError("A message has a verb that is not known here.")
    if issubclass(message_class, ArrayMessage):
        keys, count = _SHAPED, 2
    elif issubclass(message_class, (Put, Done)):
        keys, count = _LOADED, 2
    else:
        keys, count = _PLAIN, 1
    if header.keys() != keys or len(parts) != count:
        raise ProtocolError(f"A {message_class.VERB} message is not made as it should be.")
    if count == 2 and _LENGTH.check("n", header["n"]) != len(parts[1]):
        raise ProtocolError("A payload is not as long as its header says.", "Send it again.")
    return header, message_class


def job_of(header: dict[str, Any]) -> bytes | None:
    """Return the key of the job that a header speaks of, where it has a well-formed one."""
    body = header["b"]
    job = body.get("job") if isinstance(body, dict) else None
    return Bytes(16).check("job", job) if job is not None else None


def unpack_map(packed: Payload, longest: int) -> dict[str, Any]:
    """Return the msgpack map with text keys in `packed`, or raise ProtocolError."""
    if len(packed) > longest:
        raise ProtocolError(f"A header is longer than {longest} bytes.", code=Code.TOO_LARGE)
    try:
        unpacked = msgpack.unpackb(packed, raw=False, strict_map_key=True, ext_hook=_no_extension)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as fault:
        raise ProtocolError(f"A header cannot be read ({type(fault).__name__}).") from fault
    if not isinstance(unpacked, dict) or not all(isinstance(key, str) for key in unpacked):
        raise ProtocolError("A header is not a map with text keys.")
    return unpacked


def _no_extension(_code: int, _data: bytes) -> object:
    raise ValueError("extension types are not used")


def _shape(
    header: dict[str, Any], message_class: type[ArrayMessage], length: int
) -> tuple[int, ...]:
    shape = header["shape"]
    if header["dtype"] != message_class.DTYPE:
        raise ProtocolError(f"A {message_class.VERB} message has another dtype than its verb.")
    _CODEC.check("codec", header["codec"])
    if not isinstance(shape, list) or not all(type(extent) is int for extent in shape):
        raise ProtocolError("A shape is not a list of whole numbers.")
    message_class.check_shape(tuple(shape))
    if math.prod(shape) * np.dtype(message_class.DTYPE).itemsize != length:
        raise ProtocolError("A payload does not fill its shape.")
    return tuple(shape)
