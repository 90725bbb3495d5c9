"""The client against a server that runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import msgpack
import numpy as np
import pytest
import zmq
from microface.errors import InputError, RunError
from microface.server.client import (
    Cancelled,
    Client,
    Done,
    Edge,
    Failed,
    Frame,
    Motion,
    Performance,
    RetargetJob,
)
from microface.server.embedded import EmbeddedServer
from microface.server.protocol.limits import VERSION

Neutral = Callable[..., np.ndarray[Any, np.dtype[np.uint8]]]


def polled(job: RetargetJob, seconds: float = 20.0) -> list[Any]:
    """All of a job's events, taken as a timer in a window would."""
    events = []
    until = time.monotonic() + seconds
    while not job.over:
        assert time.monotonic() < until
        events += job.poll(0.003)
        time.sleep(0.002)
    return events


def test_what_arrives_is_what_the_engine_made(
    client: Client,
    neutral: Neutral,
    clip_folder: Path,
    clip_frames: np.ndarray[Any, Any],
    engine_module: ModuleType,
) -> None:
    picture = neutral(repeats=2)
    whole = client.retarget(picture, clip_folder, Fraction(24000, 1001), 0.5).pump()
    assert len(whole.frames) == len(whole.edges) == len(whole.motion) == 24
    for index, image in enumerate(whole.frames):
        made = engine_module.made(picture, clip_frames[index % 12], index)
        np.testing.assert_array_equal(image, made.image)
        np.testing.assert_array_equal(whole.edges[index], made.edge)
        np.testing.assert_array_equal(whole.motion[index], made.flow)
        assert whole.motion[index].dtype == np.float16
    clip = whole.result["clip"]
    assert (clip["name"], clip["fps"], clip["frames"]) == ("small", "24000/1001", 12)
    np.testing.assert_allclose(clip["times"], np.arange(12) * 1001 / 24000)
    assert {"decode", "encode", "transport"} <= whole.result["seconds"].keys()


def test_polling_and_pumping_give_the_same_bits(
    client: Client, neutral: Neutral, clip_folder: Path
) -> None:
    pumped = client.retarget(neutral(), clip_folder, 25).pump()
    events = polled(client.retarget(neutral(), clip_folder, 25))
    assert isinstance(events[-1], Done)
    assert events[-1].result["manifest"] == pumped.result["manifest"]
    for kind, name, arrays in (
        (Frame, "image", pumped.frames),
        (Edge, "map", pumped.edges),
        (Motion, "flow", pumped.motion),
    ):
        got = [getattr(event, name) for event in events if isinstance(event, kind)]
        np.testing.assert_array_equal(np.stack(got), np.stack(arrays))


def test_a_poll_stays_within_a_few_milliseconds(
    client: Client, neutral: Neutral, clip_folder: Path
) -> None:
    job = client.retarget(neutral(repeats=4, side=512), clip_folder, 25)
    spent = []
    while not job.over:
        # Processor time of this thread: other programs' load must not fail the test.
        begun = time.thread_time()
        job.poll(0.002)
        spent.append(time.thread_time() - begun)
        time.sleep(0.002)
    assert np.percentile(spent, 95) < 0.004


def test_two_jobs_at_once_do_not_mix(client: Client, neutral: Neutral, clip_folder: Path) -> None:
    jobs = [client.retarget(neutral(repeats=r, side=64 + r), clip_folder, 25) for r in (2, 3)]
    events: list[list[Any]] = [[], []]
    until = time.monotonic() + 20
    while not all(job.over for job in jobs) and time.monotonic() < until:
        for job, got in zip(jobs, events, strict=True):
            got += job.poll(0.001)
        time.sleep(0.001)
    for got, repeats in zip(events, (2, 3), strict=True):
        frames = [event for event in got if isinstance(event, Frame)]
        assert [frame.index for frame in frames] == list(range(12 * repeats))
        assert {frame.image.shape for frame in frames} == {(64 + repeats, 64 + repeats, 3)}


def test_a_cancel_is_quick_and_leaves_the_server_free(
    client: Client, neutral: Neutral, clip_folder: Path, engine_module: ModuleType
) -> None:
    job = client.retarget(neutral(engine_module.SLOW, repeats=200), clip_folder, 25)
    while not any(isinstance(event, Frame) for event in job.poll(0.01)):
        time.sleep(0.005)
    begun = time.monotonic()
    job.cancel()
    assert isinstance(polled(job)[-1], Cancelled)
    assert time.monotonic() - begun < 1.0
    assert len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12


def test_an_interrupt_while_pumping_cancels_the_job(
    client: Client, neutral: Neutral, clip_folder: Path, engine_module: ModuleType
) -> None:
    def interrupt(event: object) -> None:
        if isinstance(event, Frame):
            raise KeyboardInterrupt

    job = client.retarget(neutral(engine_module.SLOW, repeats=200), clip_folder, 25)
    with pytest.raises(KeyboardInterrupt):
        job.pump(interrupt)
    assert len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12


def test_a_solve_comes_back(client: Client) -> None:
    motion = np.arange(12, dtype=np.float16).reshape(3, 4)
    solved = client.solve(motion=motion, names=np.array(["jawOpen", "browDownLeft"])).pump()
    np.testing.assert_array_equal(solved.weights, motion.astype(np.float32) * 2)
    assert solved.result["names"] == ["jawOpen", "browDownLeft"]


def test_the_engines_errors_arrive_as_they_are(
    client: Client, neutral: Neutral, clip_folder: Path, engine_module: ModuleType
) -> None:
    with pytest.raises(InputError, match="no face") as refused:
        client.retarget(neutral(engine_module.REFUSE), clip_folder, 25).pump()
    assert refused.value.remedy == "Give a clip that shows one."
    with pytest.raises(RunError, match="ValueError: a bug"):
        client.retarget(neutral(engine_module.RAISE), clip_folder, 25).pump()
    failed = polled(client.retarget(neutral(engine_module.REFUSE), clip_folder, 25))[-1]
    assert isinstance(failed, Failed) and isinstance(failed.error, InputError)


def test_a_request_says_what_was_asked(
    client: Client, neutral: Neutral, clip_folder: Path, tmp_path: Path
) -> None:
    plain = client.retarget(neutral(), clip_folder, 25, 0.5).pump().result["asked"]
    assert plain.keys() == {
        "neutral", "height", "width", "clip", "clip_kind", "clip_name", "fps", "strength",
    }  # fmt: skip
    cv2 = pytest.importorskip("cv2")
    cv2.imwrite(str(tmp_path / "rest.png"), np.zeros((64, 64, 3), np.uint8))
    asked = Performance(
        clip_folder,
        25,
        timing="duration=0.3, 0.1=0.12",
        rest=tmp_path / "rest.png",
        second=clip_folder,
        second_fps="50",
        mix="0.3, lips=1",
        align="start",
        face="right",
    )
    told = client.perform(neutral(), asked).pump().result["asked"]
    assert told["timing"] == asked.timing and told["mix"] == asked.mix
    assert (told["rest_kind"], told["rest_name"]) == ("picture", "rest.png")
    assert told["second"] == told["clip"] and told["second_fps"] == "50"
    assert told["align"] == "start" and told["face"] == "right" and "neutral_frame" not in told
    still = client.perform(neutral(), Performance(clip_folder, 25, rest=3)).pump().result["asked"]
    assert still["neutral_frame"] == 3 and "rest" not in still


@pytest.mark.parametrize(
    "wrong",
    [
        {"timing": "apex=soon"},
        {"timing": "0.3=0.1, 0.2=0.2"},
        {"timing": "duration=0.3, factor=2"},
        {"timing": "fps=0"},
        {"gains": "ears=2"},
        {"mix": "1.5"},
        {"mix": "ears=1"},
        {"align": "apex"},
        {"rest": -1},
        {"rest": "nowhere.png"},
        {"second": "nowhere.mp4"},
        {"second_fps": "fast"},
        {"face": "middle"},
    ],
    ids=lambda wrong: "-".join(map(str, *wrong.items())),
)
def test_what_makes_no_sense_is_refused_here(
    client: Client, neutral: Neutral, clip_folder: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as refused:
        client.perform(neutral(), Performance(clip_folder, 25, **wrong))
    assert "\n" not in str(refused.value) and refused.value.remedy


@pytest.mark.parametrize("strength", [-1.0, 0.0, 0.04, 5.0, float("nan")])
def test_a_strength_out_of_range_is_refused_here(
    client: Client, neutral: Neutral, clip_folder: Path, strength: float
) -> None:
    with pytest.raises(InputError, match="strength"):
        client.retarget(neutral(), clip_folder, 25, strength)


def test_other_bad_input_is_refused_here(
    client: Client, neutral: Neutral, clip_folder: Path, tmp_path: Path
) -> None:
    wrong: list[tuple[Any, Any, Any]] = [
        (neutral().astype(np.float32), clip_folder, 25),
        (neutral()[..., 0], clip_folder, 25),
        (neutral(side=8), clip_folder, 25),
        (neutral(), clip_folder, None),
        (neutral(), clip_folder, "fast"),
        (neutral(), clip_folder, 0),
        (neutral(), tmp_path / "missing.mp4", None),
        (neutral(), tmp_path, 25),
    ]
    for picture, clip, fps in wrong:
        with pytest.raises(InputError):
            client.retarget(picture, clip, fps)


def test_an_unreadable_clip_is_named_by_its_own_name(
    client: Client, neutral: Neutral, tmp_path: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("not a video")
    with pytest.raises(InputError) as refused:
        client.retarget(neutral(), tmp_path / "notes.mp4").pump()
    assert refused.value.what.startswith("notes.mp4 ")


def test_a_bomb_is_refused(client: Client, neutral: Neutral, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    for index in range(2):
        bomb = np.zeros((8000, 8000), np.uint8)
        cv2.imwrite(str(tmp_path / f"{index}.png"), bomb)
    with pytest.raises(InputError, match="pixels"):
        client.retarget(neutral(), tmp_path, 25).pump()


def test_a_server_that_is_not_there_is_one_clear_line(neutral: Neutral, clip_folder: Path) -> None:
    address = "tcp://127.0.0.1:9"
    begun = time.monotonic()
    with Client(address, timeout_seconds=1.0) as client:
        with pytest.raises(InputError, match="No Microface server answers") as refused:
            client.hello()
        assert address in refused.value.what and "microface serve" in refused.value.remedy
        with pytest.raises(InputError, match="No Microface server answers"):
            client.retarget(neutral(), clip_folder, 25).pump()
    assert 1.5 < time.monotonic() - begun < 6


def test_a_greeting_tells_of_another_version() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.ROUTER) as server:
        port = server.bind_to_random_port("tcp://127.0.0.1")

        def answer() -> None:
            visitor, header = server.recv_multipart()
            newer = msgpack.unpackb(header) | {"v": VERSION + 1}
            server.send_multipart([visitor, msgpack.packb(newer)])

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            Client(f"tcp://127.0.0.1:{port}") as client,
            pytest.raises(InputError, match=f"version {VERSION} "),
        ):
            client.hello()
        thread.join()


@pytest.mark.parametrize("address", ["", "here", "http://127.0.0.1:80", "tcp://127.0.0.1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="address"):
        Client(address)


def test_the_same_clip_is_sent_once(
    server: EmbeddedServer, neutral: Neutral, tmp_path: Path
) -> None:
    cv2 = pytest.importorskip("cv2")
    noise = np.random.default_rng(3).integers(0, 256, (2, 1024, 1024, 3), dtype=np.uint8)
    for index, frame in enumerate(noise):
        cv2.imwrite(str(tmp_path / f"{index}.png"), frame)
    sends = []
    for _ in range(2):
        with Client(server.address) as client:
            job = client.retarget(neutral(), tmp_path, 25)
            stages: list[str] = []

            def note(event: object, stages: list[str] = stages) -> None:
                stages.append(getattr(event, "stage", ""))

            job.pump(note)
            sends.append(stages.count("send"))
    assert sends[0] > 6 and sends[1] == 2  # the second time only the two questions


def test_a_neutral_may_be_a_view(client: Client, neutral: Neutral, clip_folder: Path) -> None:
    flipped = neutral()[:, ::-1]
    whole = client.retarget(flipped, clip_folder, 25).pump()
    again = client.retarget(np.ascontiguousarray(flipped), clip_folder, 25).pump()
    assert whole.result["manifest"] == again.result["manifest"]
