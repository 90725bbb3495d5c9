"""Put a finished bake in its place: all of it, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...drafts import move_all
from ...errors import InputError, RunError
from ..files import make_blend_draft
from ..quiet import blender_log_hidden, reason


@dataclass(frozen=True)
class Publication:
    """A bake in the making, written aside.

    `out` is the .blend to be; `draft` a folder beside it that stands for the folder that `out`'s
    pictures will lie in.
    """

    out: Path
    draft: Path

    @property
    def pictures(self) -> Path:
        """The folder that the pictures will lie in."""
        return self.out.with_name(f"{self.out.stem}_microface")

    @property
    def draft_pictures(self) -> Path:
        """The folder to write pictures to."""
        return self.draft / self.pictures.name

    @property
    def draft_blend(self) -> Path:
        """Where the .blend is written first: in its final folder, for relative paths to hold."""
        return self.draft.with_name(f"{self.draft.name}.blend")

    def relative(self, path: Path) -> str:
        """Return where a file of the draft will lie, relative to the .blend, with slashes."""
        return path.resolve().relative_to(self.draft.resolve()).as_posix()

    def publish(self, *beside: Path) -> None:
        """Save the open file as `out` and move it and its pictures into place.

        `beside` are more files in `draft`, moved to stand beside `out`. Paths to pictures are
        relative to the .blend. The .blend itself comes last. A run that is killed in between is
        finished by the next bake to `out`.
        """
        self._point_to_final_pictures()
        moves = {}
        if self.draft_pictures.exists():
            moves[self.pictures.name] = self.pictures.name
        moves |= {path.name: path.name for path in beside}
        moves[f"../{self.draft_blend.name}"] = self.out.name
        try:
            with blender_log_hidden():
                bpy.ops.wm.save_as_mainfile(
                    filepath=str(self.draft_blend),
                    check_existing=False,
                    copy=True,
                    relative_remap=True,
                )
            move_all(self.draft, moves)
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"{self.out} could not be saved ({reason(error)}).", "Check the disk's space."
            ) from error

    def _point_to_final_pictures(self) -> None:
        drafted = self.draft_pictures.resolve()
        for image in bpy.data.images:
            if image.source not in {"FILE", "SEQUENCE", "TILED"} or not image.filepath:
                continue
            path = Path(bpy.path.abspath(image.filepath)).resolve()
            if path.is_relative_to(drafted):
                final = self.pictures.resolve() / path.relative_to(drafted)
                # Relative to the file that is open; saving elsewhere turns it to the new place.
                image.filepath = bpy.path.relpath(str(final))


@contextmanager
def publication(out: Path, *, over_itself: bool = False) -> Iterator[Publication]:
    """Make a place beside `out` to write a bake to; whatever is left of it goes away at the end.

    Raises `InputError` for a path that cannot be written, or (unless `over_itself`) that is the
    open file: a character's file is never overwritten by its bake. A full disk while the bake is
    written is a `RunError`.
    """
    is_open = bool(bpy.data.filepath) and out.resolve() == Path(bpy.data.filepath).resolve()
    if is_open and not over_itself:
        raise InputError(f"{out} is the character's own file.", "Give --out another name.")
    draft = make_blend_draft(out)
    try:
        yield Publication(out, draft)
    except RunError as error:  # its files are named by where they were to lie
        raise RunError(error.what.replace(str(draft), str(out.parent)), error.remedy) from error
    except OSError as error:
        raise RunError(
            f"The bake to {out} could not be written ({error.strerror or error}).",
            "Check the disk's space and the folder's permissions.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        for name in (f"{draft.name}.blend", f"{draft.name}.blend@"):  # @: Blender's own draft
            draft.with_name(name).unlink(missing_ok=True)
