"""Print how many frames a second the network makes on torch, and how far the device is used.

Not a test; run it on the machine that is to serve, best with a CUDA device,

    python tests/benchmarks/device_speed.py [--frames 2000] [--batches 1 16]

It runs the runtime that `microface serve --runtime torch` runs: on the first CUDA device by
captured graphs, else on the processor; the first line says which. For each batch it prints frames a
second on the device alone, and as served, with pictures brought to the device and fields taken
back; the share of the arithmetic that a product of large float32 matrices reaches there; and how
busy the device was: the share of time in which anything ran on a CUDA device, as `nvidia-smi` has
it, or the share of the processor's cores.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from microface.server.engine.runtime_torch import TorchRuntime
from torch.utils.flop_counter import FlopCounterMode

#: The side of the matrices whose product is the measure of a device, and how often it is made.
SIDES, PRODUCTS = {"cuda": 8192, "cpu": 1024}, 10
#: Calls before those that count.
WARM_CALLS = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each batch and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=2000, help="frames of each measurement")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    chosen = parser.parse_args(arguments)
    runtime = TorchRuntime()
    device = runtime.device
    print(f"device: {name_of(device)}; torch {torch.__version__}")
    if device.type != "cuda":
        print("no CUDA device is here: this is the processor's speed, not a GPU's")
    reached = product_rate(device)
    print(f"a product of float32 matrices: {reached / 1e12:.2f} TFLOP/s")
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (256, 256, 3), np.uint8)
    flow = rng.normal(0, 0.5, (64, 64, 2)).astype(np.float32)
    encoding = runtime.encode(picture)
    scene = runtime.prepare(encoding, encoding, picture)
    for batch in chosen.batches:
        runtime.batch = batch
        calls = max(1, chosen.frames // batch)
        inputs = (
            torch.rand(batch, 3, 256, 256, device=device),
            torch.randn(batch, 2, 64, 64, device=device),
            torch.ones(batch, device=device),
            *scene,
        )
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            runtime._frames(*inputs)
        operations = counter.get_total_flops() / batch

        def alone(count: int = batch, given: tuple[torch.Tensor, ...] = inputs) -> None:
            with torch.inference_mode():
                runtime._run(count, given)

        def served(count: int = batch) -> None:
            runtime.animate(scene, [picture] * count, [flow] * count, 1.0)

        for what, call in (("on the device alone", alone), ("as served", served)):
            with busy(device) as shares:
                seconds = seconds_of(call, calls, device)
            rate = calls * batch / seconds
            print(
                f"batch {batch:2d}, {what}: {rate:.1f} frames a second; "
                f"{100 * rate * operations / reached:.0f} % of that arithmetic; "
                f"{shares[0]:.0f} % busy"
            )


def name_of(device: torch.device) -> str:
    """Return what a device is, for people."""
    if device.type == "cuda":
        return f"CUDA, {torch.cuda.get_device_name(device)}"
    return f"the processor, {platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def product_rate(device: torch.device) -> float:
    """Return the operations a second of a product of two large float32 matrices."""
    side = SIDES[device.type]
    matrix = torch.rand(side, side, device=device)
    return 2 * side**3 * PRODUCTS / seconds_of(lambda: matrix @ matrix, PRODUCTS, device)


def seconds_of(call: Callable[[], object], calls: int, device: torch.device) -> float:
    """Return how long the calls take, by the clock, until the device is done."""
    for _ in range(WARM_CALLS):
        call()
    _wait(device)
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    _wait(device)
    return time.perf_counter() - begun


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextlib.contextmanager
def busy(device: torch.device) -> Iterator[list[float]]:
    """Give how busy the device was in the block, percent, once it is left."""
    shares: list[float] = []
    if device.type != "cuda":
        begun, used = time.perf_counter(), time.process_time()
        yield shares
        cores = (os.cpu_count() or 1) * (time.perf_counter() - begun)
        shares.append(100 * (time.process_time() - used) / cores)
        return
    asked = [
        "--query-gpu=utilization.gpu",
        "--format=csv,noheader,nounits",
        "-i",
        "0",
        "-lms",
        "50",
    ]
    with subprocess.Popen(["nvidia-smi", *asked], stdout=subprocess.PIPE, text=True) as watch:
        try:
            yield shares
        finally:
            watch.terminate()
            told = (watch.stdout.read() if watch.stdout else "").split()
    # Told twenty times a second: of less than that nothing is known.
    shares.append(statistics.mean(map(float, told)) if told else float("nan"))


if __name__ == "__main__":
    main()
