"""Print how many frames a second are retargeted, and what a frame costs at each size of picture.

Not a test; run it as

    python tests/benchmarks/retarget_speed.py [--frames N] [--sizes 256 2048]

A size is the side of the character's picture, in pixels. A built-in clip goes through an embedded
server as `microface retarget` sends it, so that decoding, transport and the writing of results
count too: once N frames of it, for what starting costs, then twice as many. A frame's cost is the
difference in processor time, by process, which other work on the machine changes little; frames a
second and the stages' times are by the clock, and mean something on an idle machine only. The warp
alone is measured here, with the motion that came: Lanczos where anything moves.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from microface.commands.progress import ProgressReport
from microface.commands.result_folder import ResultWriter
from microface.commands.retarget import take_in
from microface.server.client import Client
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.sampling import own_places, sample
from microface.server.embedded import EmbeddedServer
from numpy.typing import NDArray

STAGES = ("decode", "align", "motion", "generate", "encode", "transport", "write")


@dataclass(frozen=True)
class Spent:
    """What a job took: seconds by the clock, seconds by stage, and of the processor by process."""

    seconds: float
    stages: dict[str, float]
    processor: dict[str, float]


def processes(server: EmbeddedServer) -> dict[str, psutil.Process]:
    """Return the processes that work, by name."""
    front = psutil.Process(server.process_id)
    worker = next(child for child in front.children() if "server.worker" in child.cmdline())
    return {"worker": worker, "front": front, "client": psutil.Process()}


def processor_seconds(of: dict[str, psutil.Process]) -> dict[str, float]:
    """Return the processor time of each process."""
    return {name: sum(process.cpu_times()[:2]) for name, process in of.items()}


def retarget(server: EmbeddedServer, neutral: NDArray[np.uint8], clip: Path, out: Path) -> Spent:
    """Do a whole job, its result written to a new folder `out`."""
    out.mkdir()
    with (
        Client(server.address) as client,
        ResultWriter(out) as writer,
        ProgressReport("retarget") as report,
    ):
        client.hello()
        of = processes(server)
        begun, before = time.perf_counter(), processor_seconds(of)
        result = take_in(client.retarget(neutral, clip, 200), writer, report)
        writer.finish(result)
        seconds, after = time.perf_counter() - begun, processor_seconds(of)
    spent = {name: after[name] - before[name] for name in of}
    return Spent(seconds, {**result["seconds"], "write": writer.seconds}, spent)


def warp_seconds(neutral: NDArray[np.uint8], flows: NDArray[np.float16]) -> float:
    """Return the processor time of warping the neutral by each of the flows (T, H, W, 2), in the
    box of what moves."""
    own = own_places(neutral.shape[1], neutral.shape[0])
    total = 0.0
    for flow in flows:
        x, y, width, height = cv2.boundingRect(
            flow.view(np.uint32)[..., 0].astype(bool).astype(np.uint8)
        )
        if not width:
            continue
        box = (slice(y, y + height), slice(x, x + width))
        places = own[box] + flow[box]
        begun = time.thread_time()
        sample(neutral, places, cv2.INTER_LANCZOS4)
        total += time.thread_time() - begun
    return total


def write_clips(folder: Path, frames: Sequence[Any], count: int) -> list[Path]:
    """Write a clip of `count` frames, over and over again if need be, and one of twice as many."""
    made = []
    for length in (count, 2 * count):
        clip = folder / f"clip-{length}"
        clip.mkdir()
        for index in range(length):
            picture = np.asarray(frames[index % len(frames)])
            cv2.imwrite(str(clip / f"{index:04d}.png"), picture[..., ::-1])
        made.append(clip)
    return made


def main() -> None:
    """Measure each size and print it, and how it compares to the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=25, help="frames of the shorter job")
    parser.add_argument("--threads", type=int, default=0, help="the server's; 0 is one a core")
    parser.add_argument("--clip", default="lip-corner-left", help="name of a built-in clip")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256], metavar="PIXELS")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    picture = np.asarray(builtin_clip("brow-lower").frames[0])
    count, first = chosen.frames, 0.0
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} (idle: less than 1)")
    with tempfile.TemporaryDirectory() as name, EmbeddedServer(threads=chosen.threads) as server:
        folder = Path(name)
        clips = write_clips(folder, builtin_clip(chosen.clip).frames, count)
        for size in chosen.sizes:
            neutral = np.asarray(
                cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8
            )
            outs = [folder / f"{size}-{clip.name}" for clip in clips]
            short, long = (
                retarget(server, neutral, clip, out) for clip, out in zip(clips, outs, strict=True)
            )
            with np.load(outs[1] / "motion.npz") as archive:
                warp = 1000 * warp_seconds(neutral, archive["flow"][count:]) / count
            costs = {
                name: 1000 * (long.processor[name] - short.processor[name]) / count
                for name in long.processor
            }
            beyond = sum(costs.values()) - warp
            first = first or sum(costs.values())
            print(f"\n{size} px: {2 * count / long.seconds:.2f} frames a second, start included")
            print(f"{sum(costs.values()):6.0f} ms of processor time a frame, more of them made:")
            for process, cost in costs.items():
                print(f"{cost:10.0f} ms {process}")
            print(f"{warp:10.0f} ms is the warp alone")
            print(f"{beyond:6.0f} ms beyond the warp: {beyond / first:.2f} x a whole frame at "
                  f"{chosen.sizes[0]} px")  # fmt: skip
            stages = (f"{stage} {500 * long.stages[stage] / count:.0f}" for stage in STAGES)
            print(f"ms a frame by the clock, all threads: {', '.join(stages)}")


if __name__ == "__main__":
    main()
