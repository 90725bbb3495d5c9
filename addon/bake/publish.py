"""Put a finished bake in its place: all of it, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...errors import RunError
from ..files import make_blend_draft
from ..quiet import blender_log_hidden


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

    def publish(self, *beside: Path) -> None:
        """Save the open file as `out` and move it and its pictures into place.

        `beside` are more files in `draft`, moved to stand beside `out`. Paths to pictures are
        relative to the .blend. The .blend itself comes last.
        """
        self._point_to_final_pictures()
        try:
            with blender_log_hidden():
                bpy.ops.wm.save_as_mainfile(
                    filepath=str(self.draft_blend),
                    check_existing=False,
                    copy=True,
                    relative_remap=True,
                )
            if self.draft_pictures.exists():
                if self.pictures.exists():
                    self.pictures.rename(self.draft / "replaced")
                self.draft_pictures.rename(self.pictures)
            for path in beside:
                path.replace(self.out.with_name(path.name))
            self.draft_blend.replace(self.out)
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"{self.out} could not be saved ({error}).", "Check the disk's space."
            ) from error

    def _point_to_final_pictures(self) -> None:
        drafted = self.draft_pictures.resolve()
        for image in bpy.data.images:
            if image.source not in {"FILE", "SEQUENCE"} or not image.filepath:
                continue
            path = Path(bpy.path.abspath(image.filepath)).resolve()
            if path.is_relative_to(drafted):
                final = self.pictures.resolve() / path.relative_to(drafted)
                # Relative to the file that is open; saving elsewhere turns it to the new place.
                image.filepath = bpy.path.relpath(str(final))


@contextmanager
def publication(out: Path) -> Iterator[Publication]:
    """Make a place beside `out` to write a bake to; whatever is left of it goes away at the end.

    Raises `InputError` for a path that cannot be written.
    """
    draft = make_blend_draft(out)
    try:
        yield Publication(out, draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        draft.with_name(f"{draft.name}.blend").unlink(missing_ok=True)
