"""Measure the server's transport: rates of frames, and what credit costs.

Run it as `python tests/benchmarks/transport.py`. It prints, for pictures of 256 and 512 pixels and
a worker whose frames cost nothing, megabytes and frames a second through worker, front and client;
the same at a window of 8 frames as a share of the widest window; how long after SUBMIT the first
frame comes, the decoding left out; and how long a cancel takes to be acknowledged.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
from microface.server.client import Cancelled, Client, Frame
from microface.server.embedded import EmbeddedServer
from microface.server.protocol.limits import MAX_WINDOW_FRAMES

ENGINE = Path(__file__).parent.parent / "server" / "engine_for_tests.py"
REPEATS = 30
SLOW = 3


def main() -> None:
    """Run all measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="jobs per number (default 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name)
        for index in range(8):
            cv2.imwrite(str(clip / f"{index}.png"), np.full((64, 64, 3), index, np.uint8))
        with EmbeddedServer(engine=f"{ENGINE}:TestEngine") as server:
            for side in (256, 512):
                rates = {
                    window: rate(server.address, clip, side, window, rounds)
                    for window in (8, MAX_WINDOW_FRAMES)
                }
                megabytes = side * side * 8 / 1e6
                for window, frames in rates.items():
                    print(
                        f"{side} px, window {window:2d}: {frames:6.0f} frames/s "
                        f"{frames * megabytes:6.0f} MB/s"
                    )
                print(f"{side} px, processor time: {spent(server, clip, side)}")
                share = rates[8] / rates[MAX_WINDOW_FRAMES]
                print(f"{side} px, window 8 / window {MAX_WINDOW_FRAMES}: {share:.2f}")
            first, cancel = delays(server.address, clip, rounds)
            print(f"first frame after decoding: {first * 1e3:.1f} ms")
            print(f"cancel acknowledged after: {cancel * 1e3:.1f} ms")


def picture(side: int, mode: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return a neutral for the tests' engine."""
    neutral = np.zeros((side, side, 3), np.uint8)
    neutral[0, 0, :2] = mode, REPEATS
    return neutral


def rate(address: str, clip: Path, side: int, window: int, rounds: int) -> float:
    """Return the median frames a second from the first frame to the last."""
    rates = []
    with Client(address, window=window) as client:
        for _ in range(rounds):
            stamps: list[float] = []

            def mark(event: object, stamps: list[float] = stamps) -> None:
                if isinstance(event, Frame):
                    stamps.append(time.perf_counter())

            client.retarget(picture(side), clip, 25).pump(mark)
            rates.append((len(stamps) - 1) / (stamps[-1] - stamps[0]))
    return statistics.median(rates)


def spent(server: EmbeddedServer, clip: Path, side: int) -> str:
    """Return what a frame costs each process, in milliseconds of processor time; other programs on
    the machine change it little."""
    front = psutil.Process(server.process_id)
    worker = next(child for child in front.children() if "server.worker" in child.cmdline())
    processes = {"client": psutil.Process(), "front": front, "worker": worker}
    with Client(server.address) as client:
        before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
        frames = len(client.retarget(picture(side), clip, 25).pump().frames)
        after = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    costs = {name: (after[name] - before[name]) / frames * 1e3 for name in processes}
    return ", ".join(f"{name} {cost:.2f} ms" for name, cost in costs.items())


def delays(address: str, clip: Path, rounds: int) -> tuple[float, float]:
    """Return the median seconds to the first frame (without decoding) and to a cancel's answer."""
    firsts, cancels = [], []
    with Client(address) as client:
        for _ in range(rounds):
            job = client.retarget(picture(256, SLOW), clip, 25)
            decoded = first = 0.0
            while not first:
                for event in job.poll(0.001):
                    if getattr(event, "stage", "") == "generate":
                        decoded = decoded or time.perf_counter()
                    if isinstance(event, Frame):
                        first = first or time.perf_counter()
            firsts.append(first - decoded)
            begun = time.perf_counter()
            job.cancel()
            while not any(isinstance(event, Cancelled) for event in job.poll(0.001)):
                pass
            cancels.append(time.perf_counter() - begun)
    return statistics.median(firsts), statistics.median(cancels)


if __name__ == "__main__":
    main()
