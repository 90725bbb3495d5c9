"""How many threads numeric libraries take. They read this once, when they are imported."""

from __future__ import annotations

import os


def limit_threads(threads: int = 0) -> None:
    """Keep each product of matrices to the thread that asks for it, and all else to `threads`.

    The matrices here are small: threads that share one wait for each other for longer than they
    work, and cores are filled with frames instead. Who sets OPENBLAS_NUM_THREADS decides
    otherwise. `threads` is for libraries that share out larger work (torch, OpenMP), 0 leaves it to
    them. Comes before numpy is imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if threads > 0:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(threads)
