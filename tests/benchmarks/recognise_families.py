"""Print how well the recogniser reads a family of heads that it was not taught on.

Not a test: `python tests/benchmarks/recognise_families.py SAMPLES... [--steps N]`, with files that
`python -m microface.models.recognition.samples` wrote. For each family in them the recogniser is
taught on the others; F1 of the units named is told for unseen people of those, and for that family.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from microface.models.recognition.gain import tested
from microface.models.recognition.network import Recogniser
from microface.models.recognition.samples import Samples, joined
from microface.models.recognition.scores import ratio
from microface.models.recognition.train import fit, parted, with_threshold


def f1(network: Recogniser, samples: Samples) -> float:
    """Return F1 of the units that `network` names."""
    return ratio(tested(network, samples))(np.ones(len(samples)))


def main() -> None:
    """Teach and test, family by family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, default=2500, help="steps each (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    every = joined([Samples.load(path) for path in arguments.samples])
    families = np.array([name.rstrip("0123456789") for name in every.people])
    for family in sorted(set(families.tolist())):
        others, left_out = every.chosen(families != family), every.chosen(families == family)
        learned, kept = parted(others)
        network = with_threshold(fit(learned, arguments.steps, arguments.seed), kept)
        known, unknown = f1(network, kept), f1(network, left_out)
        print(f"without {family}: unseen people {known:.3f}, {family} {unknown:.3f}", flush=True)


if __name__ == "__main__":
    main()
