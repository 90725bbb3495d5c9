"""Content: bundles, uploads in pieces, and the folder that a server keeps them in."""

from __future__ import annotations

import hashlib
import io
import struct
import sys
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import characters, text
from microface.errors import InputError
from microface.server.blobs import BlobFolder
from microface.server.protocol.content import (
    MAGIC,
    BytesContent,
    FileContent,
    bundle_arrays,
    bundle_content,
    clip_content,
    is_plain_name,
    plain_name,
    read_arrays,
    read_bundle,
)
from microface.server.protocol.failures import Code, ProtocolError
from microface.server.protocol.limits import PIECE_BYTES, ServerLimits
from microface.server.protocol.upload import Upload


def bundle(index: object, content: bytes = b"") -> bytes:
    packed: bytes = msgpack.packb(index)
    return MAGIC + struct.pack("<I", len(packed)) + packed + content


def test_a_bundle_gives_back_its_files_in_order() -> None:
    files = [("b.png", b"bbb"), ("a.png", b""), ("c.png", b"c" * 5000)]
    whole = bundle_content([(name, BytesContent(data)) for name, data in files])
    data = b"".join(whole.read(offset, 7) for offset in range(0, whole.size, 7))
    assert list(read_bundle(io.BytesIO(data), len(data))) == files


def test_arrays_survive_a_bundle() -> None:
    arrays = {"motion": np.arange(6, dtype=np.float16), "names": np.array(["jawOpen", "é"])}
    data = bundle_arrays(arrays)
    back = read_arrays(io.BytesIO(data), len(data))
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04" * 9,
        MAGIC + b"\xff\xff\xff\xff",
        bundle("names"),
        bundle([["a", 3]], b"ab"),
        bundle([["a", 1]], b"ab"),
        bundle([["a", -1]]),
        bundle([["a", True]], b"a"),
        bundle([["../a", 1]], b"a"),
        bundle([["/a", 1]], b"a"),
        bundle([["a\\b", 1]], b"a"),
        bundle([[".a", 1]], b"a"),
        bundle([["", 1]], b"a"),
        bundle([["a", 1], ["a", 1]], b"ab"),
        bundle([["a", 1, 1]], b"a"),
        bundle([[str(number), 0] for number in range(20_000)]),
    ],
)
def test_a_broken_or_hostile_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError) as refused:
        list(read_bundle(io.BytesIO(data), len(data)))
    assert refused.value.code is Code.INPUT


def test_objects_and_archives_are_no_arrays() -> None:
    for make in (
        lambda buffer: np.save(buffer, np.array([{}], dtype=object), allow_pickle=True),
        lambda buffer: np.savez(buffer, a=np.zeros(3)),
    ):
        buffer = io.BytesIO()
        make(buffer)
        data = bundle([["a", len(buffer.getvalue())]], buffer.getvalue())
        with pytest.raises(ProtocolError, match="not an array"):
            read_arrays(io.BytesIO(data), len(data))


def test_a_clip_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder").mkdir()
    for name in ("missing.mp4", "empty.mp4", "folder"):
        with pytest.raises(InputError):
            clip_content(tmp_path / name)


@pytest.mark.parametrize("name", ["caf\udce9.png", "line\n.png", "a:b.png"])
def test_a_picture_whose_name_cannot_travel_is_named(tmp_path: Path, name: str) -> None:
    try:
        (tmp_path / name).write_bytes(b"png")
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    with pytest.raises(InputError, match="name that not every system can hold"):
        clip_content(tmp_path)


@given(name=text(characters(exclude_categories=()), max_size=120))
def test_any_name_is_made_plain_and_can_be_packed(name: str) -> None:
    assert is_plain_name(plain_name(name))
    assert len(msgpack.packb(plain_name(name))) <= 405


def test_a_file_that_shrinks_while_it_is_sent_is_found(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(100))
    content = FileContent(path)
    path.write_bytes(bytes(50))
    with pytest.raises(InputError, match="changed"):
        content.read(0, 100)


def send(upload: Upload, blobs: BlobFolder, pieces: int | None = None) -> int:
    """Send what `upload` has to a store; return how many bytes of content went over."""
    while upload.digest is None:
        upload.hash_step()
    sent = 0
    while not upload.done and (pieces is None or pieces > 0):
        piece = upload.next_piece()
        assert piece is not None
        upload.stored(blobs.put(upload.digest, upload.content.size, *piece))
        sent += len(piece[1])
        pieces = pieces - 1 if pieces is not None else None
    return sent


DATA = np.random.default_rng(0).bytes(2 * PIECE_BYTES + 77)
DIGEST = hashlib.sha256(DATA).digest()


def test_content_arrives_whole_and_is_not_sent_twice(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path, ServerLimits())
    assert send(Upload(BytesContent(DATA)), blobs) == len(DATA)
    assert blobs.path(DIGEST).read_bytes() == DATA
    assert send(Upload(BytesContent(DATA)), blobs) == 0


def test_an_upload_goes_on_where_another_connection_stopped(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path, ServerLimits())
    send(Upload(BytesContent(DATA)), blobs, pieces=2)
    assert send(Upload(BytesContent(DATA)), blobs) == len(DATA) - PIECE_BYTES
    assert blobs.path(DIGEST).read_bytes() == DATA


def test_repeated_and_early_pieces_are_absorbed(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path, ServerLimits())
    total = len(DATA)
    assert blobs.put(DIGEST, total, PIECE_BYTES, DATA[PIECE_BYTES:]) == 0
    for _ in range(2):
        assert blobs.put(DIGEST, total, 0, DATA[:PIECE_BYTES]) == PIECE_BYTES
    assert blobs.put(DIGEST, total, PIECE_BYTES, DATA[PIECE_BYTES:]) == total
    assert blobs.hold(DIGEST) == total


def test_content_under_a_wrong_name_is_thrown_away(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path, ServerLimits())
    with pytest.raises(ProtocolError, match="does not match"):
        blobs.put(b"x" * 32, 3, 0, b"abc")
    assert blobs.hold(b"x" * 32) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
def test_a_piece_that_a_full_disk_cut_is_not_kept(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    blobs = BlobFolder(tmp_path, ServerLimits())
    data = np.random.default_rng(0).bytes(3000)
    digest = hashlib.sha256(data).digest()
    assert blobs.put(digest, 3000, 0, data[:1000]) == 1000
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
    try:
        with pytest.raises(ProtocolError, match="cannot store"):
            blobs.put(digest, 3000, 1000, data[1000:2000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    received = 0
    while received < 3000:
        received = blobs.put(digest, 3000, received, data[received : received + 1000])
    assert blobs.path(digest).read_bytes() == data


def test_the_store_keeps_to_its_limits(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path, ServerLimits(blob_bytes=60, store_bytes=100, open_uploads=2))
    with pytest.raises(ProtocolError) as refused:
        blobs.put(bytes(32), 61, 0, b"")
    assert refused.value.code is Code.TOO_LARGE
    with pytest.raises(ProtocolError, match="beyond"):
        blobs.put(bytes(32), 2, 0, b"abc")
    contents = [bytes([value]) * 45 for value in range(4)]
    digests = [hashlib.sha256(content).digest() for content in contents]
    for digest, content in zip(digests, contents, strict=True):
        blobs.put(digest, 45, 0, content)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100
    assert blobs.hold(digests[0]) is None  # the oldest made room
    assert blobs.hold(digests[2]) == blobs.hold(digests[3]) == 45
    with pytest.raises(ProtocolError) as refused:  # what a job holds is not dropped
        blobs.put(digests[0], 45, 0, b"")
    assert refused.value.code is Code.BUSY
    blobs.release(digests[2])
    assert blobs.put(digests[0], 45, 0, b"") == 0


def test_open_uploads_are_limited(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path, ServerLimits(open_uploads=4))
    for value in range(50):
        blobs.put(bytes([value]) * 32, 1000, 0, b"some")
    assert len(list(tmp_path.iterdir())) == 4
