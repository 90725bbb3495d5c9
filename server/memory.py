"""How much memory this process holds, and giving back what it does not use."""

from __future__ import annotations

import ctypes
import os
import sys


class Memory:
    """This process's memory. What tells of it stays open: it is asked even when no more files can
    be opened."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        if sys.platform == "linux":
            self._descriptor = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def resident_bytes(self) -> int:
        """Return the memory this process has in use; 0 on systems that do not tell (not Linux)."""
        if self._descriptor is None:
            return 0
        pages = int(os.pread(self._descriptor, 200, 0).split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        """Let go of what is open; nothing can be asked afterwards."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def give_memory_back() -> None:
    """Return freed memory to the system, where the C library can be told to (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
