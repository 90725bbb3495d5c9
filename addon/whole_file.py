"""Files that appear whole or not at all, and stay untouched where nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import RunError


def write_whole(path: Path, parts: Sequence[bytes]) -> bool:
    """Write the parts one after the other as `path`; return whether the file changed.

    A file that already holds these bytes is left alone, so that its time stays and nothing that
    watches it (a renderer's texture cache, a sync, an asset importer) takes it for new. Raises
    `RunError` when the disk is full or the place cannot be written; what was there before stays.
    """
    try:
        if _holds(path, parts):
            return False
        aside = path.with_name(f"{path.name}.part")
        try:
            with aside.open("wb") as file:
                file.writelines(parts)
            aside.replace(path)
        except OSError:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RunError(
            f"{path} could not be written ({error.strerror or error}).",
            "Check the disk's space and the folder's permissions.",
        ) from error
    return True


def _holds(path: Path, parts: Sequence[bytes]) -> bool:
    if not path.is_file() or path.stat().st_size != sum(len(part) for part in parts):
        return False
    with path.open("rb") as file:
        return all(file.read(len(part)) == part for part in parts)
