"""Write a folder of results whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from ..drafts import make_draft, write_whole
from ..errors import InputError, RunError

#: What the system says when a disk, a quota or a limit on files takes no more.
NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


@contextlib.contextmanager
def whole_folder(out: Path, known: Collection[str], *, force: bool) -> Iterator[Path]:
    """Give a folder beside `out` to write into; it becomes `out` in one step if all went well.

    `known` are the names that a result holds: with `force` an earlier result is replaced, but
    never a folder that holds anything else. Raises InputError where `out` cannot be used, RunError
    where the disk takes no more.
    """
    check_output(out, known, force=force)
    try:
        aside = make_draft(out)
    except OSError as error:
        raise InputError(
            f"{out} cannot be written ({error.strerror}).", "Give --out another place."
        ) from error
    try:
        yield aside
        check_output(out, known, force=force)  # another run may have been quicker
        # mkdtemp keeps others out; a result is as readable as any other folder.
        mask = os.umask(0)
        os.umask(mask)
        aside.chmod(0o777 & ~mask)
        old = None
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
            out.replace(old / out.name)
        aside.replace(out)
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
    except (OSError, InputError) as error:
        # A file of its own tells what it is by where it lies now, which nobody has to know.
        fault = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(fault, OSError) or fault.errno not in NO_ROOM:
            raise
        raise RunError(
            f"{out} cannot be written whole ({fault.strerror}).",
            "Make room on its disk, or give --out another place.",
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check_output(out: Path, known: Collection[str], *, force: bool) -> None:
    """Raise InputError where `out` exists and must not be replaced."""
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out} is a file.", "Give --out a folder.")
    inside = {entry.name for entry in out.iterdir()}
    if not inside:
        return
    if not force:
        raise InputError(f"{out} is not empty.", "Give --force to replace it, or another --out.")
    if strange := sorted(inside - set(known)):
        raise InputError(
            f"{out} holds {strange[0]}, which is no part of an earlier result.",
            "Give another --out; it would be deleted.",
        )


def check_file(path: Path | None, *, force: bool) -> None:
    """Raise InputError where a file to write is there already and must not be replaced."""
    if path is not None and path.exists() and not force:
        raise InputError(f"{path} is there already.", "Give --force to replace it.")


def write_text_whole(path: Path, text: str) -> None:
    """Write a small file whole or not at all; raises InputError where it cannot be written."""
    write_whole(path, text.encode("utf-8"))
