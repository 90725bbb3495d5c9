"""Print how many training pairs a second are drawn, by numpy and by torch, and measured as the
server measures clips, and on what. Not a test; run it on a quiet machine as

    python tests/benchmarks/pairs_speed.py --packs HEADS --device auto --shards 4

The first shard warms up and does not count: heads are made, and sent to the device, in it. Numpy
and the measuring run on one core; where there are more, processes share the shards.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import cv2
import torch
from microface.models import devices
from microface.models.heads.device.pairs import HEADS, Studio
from microface.models.heads.device.write import write_shards
from microface.models.heads.write import PAIRS_PER_SHARD, load_families, shard_path, write_shard
from microface.server.clips.pairs import measure_folder


def name_of(device: torch.device) -> str:
    """Return what a device is called."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {torch.get_num_threads()} threads"


def told(what: str, pairs: int, wall: float, processor: float | None = None) -> None:
    """Print a line of the table; `processor` seconds are this process's own."""
    own = "" if processor is None else f"  {pairs / processor:8.1f} a CPU second"
    print(f"{what:<44} {pairs / wall:8.1f} pairs/s{own}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packs", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="folder that keeps built heads")
    parser.add_argument("--device", choices=devices.NAMES, default="auto")
    parser.add_argument("--shards", type=int, default=2, help="shards of 64 pairs that count")
    parser.add_argument("--heads", type=int, default=HEADS, help="heads of each family")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="for the measuring")
    parser.add_argument("--numpy", action="store_true", help="draw as many by numpy, too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    device = devices.chosen(options.device)
    families = load_families(options.packs, options.cache)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        studio = Studio(families, device, options.heads)
        list(write_shards(out, [0], 1, studio, "train"))
        numbers = range(1, options.shards + 1)
        pairs = options.shards * PAIRS_PER_SHARD
        begin, used = time.perf_counter(), time.process_time()
        list(write_shards(out, numbers, 1, studio, "train"))
        took = time.perf_counter() - begin, time.process_time() - used
        told(f"drawn by torch on {name_of(device)}", pairs, *took)
        shard_path(out, 0).unlink()
        begin = time.perf_counter()
        measure_folder(out, options.processes)
        told(f"measured by {options.processes} processes", pairs, time.perf_counter() - begin)
        if options.numpy:
            (out / "numpy").mkdir()
            write_shard(out / "numpy", 0, 1, families, "train")
            begin, used = time.perf_counter(), time.process_time()
            for number in numbers:
                write_shard(out / "numpy", number, 1, families, "train")
            took = time.perf_counter() - begin, time.process_time() - used
            told("drawn by numpy on one core", pairs, *took)


if __name__ == "__main__":
    main()
