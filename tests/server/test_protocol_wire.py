"""Messages to parts and back; nothing that comes in gets further than it should."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.server.protocol import messages as m
from microface.server.protocol.failures import Code, ProtocolError
from microface.server.protocol.internal import FROM_WORKER, TO_WORKER
from microface.server.protocol.limits import MAX_HEADER_BYTES, VERSION
from microface.server.protocol.requests import RetargetRequest, parse_request
from microface.server.protocol.wire import FROM_CLIENT, FROM_SERVER, decode, encode

JOB, DIGEST = b"j" * 16, b"d" * 32

SAMPLES: list[m.Message] = [
    m.Hello("a client"),
    m.Put(DIGEST, 12, 0, b"some content"),
    m.Submit(JOB, "retarget", 8, {"strength": 0.5}),
    m.Credit(JOB, 3, 8),
    m.Resume(JOB, 3, 8),
    m.Cancel(JOB),
    m.Ping(7),
    m.Welcome("a server", True, 1 << 20, 1 << 30, {"encode": "00"}),
    m.Stored(DIGEST, 3, 12),
    m.Accepted(JOB, 8),
    m.Progress(JOB, "decode", 0.5),
    m.Cancelled(JOB),
    m.Done(JOB, 3, DIGEST, b"{}"),
    m.error_message(JOB, Code.ENGINE, "It failed.", "Mend it."),
    m.Pong(7),
    m.Frame(JOB, 1, np.arange(60, dtype=np.uint8).reshape(4, 5, 3)),
    m.Edge(JOB, 1, np.arange(20, dtype=np.uint8).reshape(4, 5)),
    m.Motion(JOB, 1, np.arange(40, dtype=np.float16).reshape(4, 5, 2)),
    m.Weights(JOB, 0, np.arange(20, dtype=np.float32).reshape(4, 5)),
]
BOTH = {**FROM_CLIENT, **FROM_SERVER}


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: message.VERB)
def test_a_message_survives_the_wire(message: m.Message) -> None:
    parts = encode(message)
    assert len(parts[0]) <= MAX_HEADER_BYTES
    back = decode([bytes(part) for part in parts], BOTH)
    assert back == message
    if isinstance(message, m.ArrayMessage) and isinstance(back, m.ArrayMessage):
        assert back.array.dtype == message.array.dtype
        np.testing.assert_array_equal(back.array, message.array)


def test_every_verb_has_a_sample() -> None:
    assert {message.VERB for message in SAMPLES} == set(BOTH)


def test_a_server_takes_no_frames_and_a_client_no_orders() -> None:
    for message, verbs in ((SAMPLES[-1], FROM_CLIENT), (m.Cancel(JOB), FROM_SERVER)):
        with pytest.raises(ProtocolError, match="verb"):
            decode(encode(message), verbs)


def header_of(message: m.Message) -> dict[str, Any]:
    return dict(msgpack.unpackb(encode(message)[0]))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"v": VERSION + 1}, "version"),
        ({"t": "NOPE"}, "verb"),
        ({"t": ["CREDIT"]}, "verb"),
        ({"b": []}, "map"),
        ({"b": {"job": JOB, "received": 3}}, "missing or unknown"),
        ({"b": {"job": JOB, "received": 3, "window": 8, "more": 1}}, "missing or unknown"),
        ({"b": {"job": "j" * 16, "received": 3, "window": 8}}, "bytes"),
        ({"b": {"job": JOB, "received": -1, "window": 8}}, "within"),
        ({"b": {"job": JOB, "received": True, "window": 8}}, "within"),
        ({"b": {"job": JOB, "received": 3.0, "window": 8}}, "within"),
        ({"b": {"job": JOB, "received": 3, "window": 1 << 62}}, "within"),
        ({"extra": 1}, "not made"),
    ],
)
def test_a_header_that_is_not_exact_is_refused(change: dict[str, Any], match: str) -> None:
    header = header_of(m.Credit(JOB, 3, 8)) | change
    with pytest.raises(ProtocolError, match=match):
        decode([msgpack.packb(header)], FROM_CLIENT)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"shape": [4, 5]}, "shape"),
        ({"shape": [4, 5, 4]}, "shape"),
        ({"shape": [5, 5, 3]}, "fill"),
        ({"shape": [0, 5, 3]}, "shape"),
        ({"shape": [4, 5.0, 3]}, "whole"),
        ({"shape": [1 << 40, 1 << 40, 3]}, "shape"),
        ({"dtype": "object"}, "dtype"),
        ({"codec": "zip"}, "codec"),
        ({"n": 61}, "as long"),
        ({"sum": 0}, "checksum"),
    ],
)
def test_an_array_that_does_not_fit_its_header_is_refused(
    change: dict[str, Any], match: str
) -> None:
    message = m.Frame(JOB, 1, np.arange(60, dtype=np.uint8).reshape(4, 5, 3))
    header = header_of(message) | change
    with pytest.raises(ProtocolError, match=match):
        decode([msgpack.packb(header), bytes(encode(message)[1])], FROM_SERVER)


def test_a_flipped_bit_is_found() -> None:
    header, payload = encode(m.Put(DIGEST, 12, 0, b"some content"))
    damaged = bytearray(payload)
    damaged[5] ^= 1
    with pytest.raises(ProtocolError, match="checksum"):
        decode([header, bytes(damaged)], FROM_CLIENT)


def test_headers_and_part_counts_are_limited() -> None:
    with pytest.raises(ProtocolError, match="longer"):
        decode([b"\x80" * (MAX_HEADER_BYTES + 1)], FROM_CLIENT)
    for parts in ([], [b"\x80"] * 3, [b"\x80"] * 1000):
        with pytest.raises(ProtocolError, match="parts"):
            decode(parts, FROM_CLIENT)


def test_nested_and_foreign_msgpack_is_refused() -> None:
    deep = b"\x91" * 4000 + b"\x90"
    clock = msgpack.packb({"v": msgpack.Timestamp(1, 1)})
    alien = msgpack.packb(msgpack.ExtType(5, b"x"))
    for packed in (deep, clock, alien, b"", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x81\x01\x02"):
        with pytest.raises(ProtocolError):
            decode([packed], FROM_CLIENT)


def mutated(source: random.Random, packed: bytes) -> bytes:
    """Return a header with some bytes changed, cut, doubled or put in."""
    data = bytearray(packed)
    for _ in range(source.randint(1, 4)):
        place = source.randrange(len(data) + 1)
        kind = source.randrange(4)
        if kind == 0 and place < len(data):
            data[place] = source.randrange(256)
        elif kind == 1:
            del data[place : place + source.randint(1, 9)]
        elif kind == 2:
            data[place:place] = source.randbytes(source.randint(1, 9))
        else:
            data[place:place] = data[place : place + source.randint(1, 40)]
        if not data:
            return b""
    return bytes(data)


def test_a_hundred_thousand_damaged_headers_raise_nothing_but_protocol_errors() -> None:
    source = random.Random(20)
    encoded = [[bytes(part) for part in encode(message)] for message in SAMPLES]
    everything = {**BOTH, **TO_WORKER, **FROM_WORKER}
    refused = 0
    for _ in range(100_000):
        parts = source.choice(encoded)
        try:
            decode([mutated(source, parts[0]), *parts[1:]], everything)
        except ProtocolError:
            refused += 1
    assert refused > 50_000  # most damage is found; what is left is another valid message


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=9)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    message=st.sampled_from(SAMPLES),
    change=st.dictionaries(st.sampled_from(["v", "t", "b", "n", "sum", "shape", "dtype"]), plain),
    fields=st.dictionaries(st.sampled_from(["job", "index", "code", "window", "models"]), plain),
)
def test_wrong_values_of_any_type_raise_nothing_but_protocol_errors(
    message: m.Message, change: dict[str, Any], fields: dict[str, Any]
) -> None:
    header = header_of(message)
    header["b"] = header["b"] | fields
    parts = [msgpack.packb(header | change), *(bytes(part) for part in encode(message)[1:])]
    with contextlib.suppress(ProtocolError):
        decode(parts, BOTH)


@settings(max_examples=60, deadline=None)
@given(
    table=st.dictionaries(
        st.sampled_from([*RetargetRequest.__dataclass_fields__, "other"]), plain, max_size=9
    ),
    kind=st.sampled_from(["retarget", "solve"]),
)
def test_requests_of_any_content_raise_nothing_but_protocol_errors(
    table: dict[str, Any], kind: str
) -> None:
    good = RetargetRequest(DIGEST, 64, 64, DIGEST, "video", "a.mp4", "25", 1.0).table()
    for content in (table, good | table):
        try:
            parse_request(kind, content)
        except ProtocolError as fault:
            assert fault.code is Code.INPUT


@pytest.mark.parametrize(
    "change",
    [
        {"clip_name": "../../etc/passwd"},
        {"clip_name": ".hidden"},
        {"clip_name": "a\x00b"},
        {"fps": "0/0"},
        {"fps": "1e9"},
        {"fps": "nan"},
        {"height": 100_000},
        {"strength": float("inf")},
        {"neutral": "zz"},
        {"clip_kind": "url"},
        {"strength": 0.0},
        {"timing": "soon"},
        {"gains": "ears=1"},
        {"neutral_frame": -1},
        {"rest": "00" * 32},
        {"second": "00" * 32, "second_kind": "video", "second_name": "../b.mp4"},
        {"second": "zz", "second_kind": "video", "second_name": "b.mp4"},
        {"mix": "0.5"},
        {"face": "middle"},
        {"spectacles": "off"},
        {"beyond": 1},
    ],
)
def test_a_request_that_is_wrong_is_refused(change: dict[str, Any]) -> None:
    good = RetargetRequest(DIGEST, 64, 64, DIGEST, "video", "a.mp4", "24000/1001", 1.0)
    assert parse_request("retarget", good.table()) == good
    with pytest.raises(ProtocolError):
        parse_request("retarget", good.table() | change)


def test_clients_that_know_less_are_served() -> None:
    good = RetargetRequest(DIGEST, 64, 64, DIGEST, "video", "a.mp4", "25", 1.0)
    assert good.table().keys() == {
        "neutral", "height", "width", "clip", "clip_kind", "clip_name", "fps", "strength",
    }  # fmt: skip
    assert parse_request("retarget", good.table()) == good
    with_gains = good.table() | {"gains": ""}
    assert parse_request("retarget", with_gains) == good


def test_a_whole_request_fits_a_header() -> None:
    name, words = "n" * 255, "brows=1, " * 44
    whole = RetargetRequest(
        DIGEST, 64, 64, DIGEST, "builtin", name, "24000/1001", 1.0, words, "0=0, 0.1=0.2",
        None, DIGEST, "picture", name, DIGEST, "frames", name, "50", words, "moments", "470,160",
        "move",
    )  # fmt: skip
    assert parse_request("retarget", whole.table()) == whole
    assert len(bytes(encode(m.Submit(bytes(16), "retarget", 8, whole.table()))[0])) < 4096
    assert whole.digests == (DIGEST, DIGEST, DIGEST)
