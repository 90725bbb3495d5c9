"""Digests of code and weights: what a benchmark keeps is named by what made it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType


def digest_of(*paths: Path) -> str:
    """Return a digest of what files hold, whatever their order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def modules_of(*packages: ModuleType) -> list[Path]:
    """Return the files of the modules that lie in `packages`."""
    folders = [Path(str(package.__file__)).parent for package in packages]
    return [path for folder in folders for path in folder.glob("*.py")]
