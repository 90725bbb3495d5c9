"""Print how many frames a second are retargeted, and where the time goes.

Not a test: run it on an idle machine, `python tests/benchmarks/retarget_speed.py [--frames N]
[--size 2048]`; the size is the character's picture's side, in pixels.
It sends a built-in clip through an embedded server, as `microface retarget` does, so that decoding,
the server's transport and the writing of results count too. The bar is 5 frames a second on two
cores. Processor time is printed beside the clock's, since on a busy machine only that means much.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
from microface.commands.progress import ProgressReport
from microface.commands.result_folder import ResultWriter
from microface.commands.retarget import take_in
from microface.server.client import Client
from microface.server.clips.builtin import builtin_clip
from microface.server.embedded import EmbeddedServer

STAGES = ("decode", "align", "motion", "generate", "encode", "transport", "write")


def processor_seconds() -> float:
    """Return the processor time of this process and all that it started."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(t.user + t.system for t in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--clip", default="lip-corner-left", help="name of a built-in clip")
    parser.add_argument("--size", type=int, default=256, help="side of the character's picture")
    chosen = parser.parse_args()
    source = [np.asarray(frame) for frame in builtin_clip(chosen.clip).frames]
    frames = [source[i % len(source)] for i in range(chosen.frames)]
    picture = np.asarray(builtin_clip("brow-lower").frames[0])
    neutral = cv2.resize(picture, (chosen.size, chosen.size), interpolation=cv2.INTER_CUBIC)
    with tempfile.TemporaryDirectory() as name, EmbeddedServer(threads=chosen.threads) as server:
        folder = Path(name)
        (folder / "clip").mkdir()
        (folder / "out").mkdir()
        for index, frame in enumerate(frames):
            cv2.imwrite(str(folder / "clip" / f"{index:04d}.png"), frame[..., ::-1])
        with (
            Client(server.address) as client,
            ResultWriter(folder / "out") as writer,
            ProgressReport("retarget") as report,
        ):
            client.hello()
            begun, worked = time.perf_counter(), processor_seconds()
            job = client.retarget(neutral, folder / "clip", 200)
            result = take_in(job, writer, report)
            writer.finish(result)
            seconds, worked = time.perf_counter() - begun, processor_seconds() - worked
    spent = {**result["seconds"], "write": writer.seconds}
    speed = chosen.frames / seconds
    print(f"{speed:.2f} frames a second at {chosen.size} px, {os.cpu_count()} cores")
    print(f"load average {os.getloadavg()[0]:.1f} (an idle machine shows less than 2)")
    print(f"{1000 * worked / chosen.frames:.0f} ms of processor time a frame, all processes")
    for stage in STAGES:
        print(f"{stage:10} {1000 * spent.get(stage, 0.0) / chosen.frames:8.1f} ms a frame")
    print(json.dumps({"frames_per_second": speed, "seconds": spent}))


if __name__ == "__main__":
    main()
