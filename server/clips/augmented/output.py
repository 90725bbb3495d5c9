"""The folder of a synthetic data set: filled clip by clip, taken up again after any kill.

    CASME2-RAW/sub01/EP01_brow-lower/img1.png ...   a clip, moved into place in one step
    CASME2-coding.xlsx                              onset, apex, offset, units, emotion
    manifest.json                                   sources, characters, settings, hashes, consent
    .augment/                                       while it is made: the plan, and a record a clip

The last step writes the sheet and the manifest: a folder with `manifest.json` is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....drafts import make_draft
from ....errors import InputError, RunError
from ..datasets.generated import MANIFEST
from ..datasets.write_casme2 import Coded, write_coding
from ..images import write_png
from ..stream import pictures_in, pictures_sha256
from .plan import Item

PICTURES = "CASME2-RAW"
_MAKING = ".augment"


class Output:
    """The folder `out` of one plan; `sheet` is the coding's name.

    `plan` is all that decides the result, as JSON: a folder that was begun with another one is
    refused with InputError, and removed with `force`.
    """

    def __init__(self, out: Path, plan: dict[str, Any], sheet: str, *, force: bool) -> None:
        self.out = out
        self._sheet = sheet
        self._making = out / _MAKING
        text = json.dumps(plan, indent=1, sort_keys=True) + "\n"
        known = {PICTURES, MANIFEST, _MAKING, "CASME2-coding.xlsx", "CASME2-coding.csv"}
        inside = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
        if out.is_file():
            raise InputError(f"{out} is a file.", "Give --out a folder.")
        if strange := sorted(inside - known):
            raise InputError(
                f"{out} holds {strange[0]}, which is no part of a data set.", "Give another --out."
            )
        if inside and self._begun(out) != text:
            if not force:
                raise InputError(
                    f"{out} holds another data set.",
                    "The same clips, characters and options go on with it; --force replaces it.",
                )
            for name in inside:
                path = out / name
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.is_whole = (out / MANIFEST).exists()
        try:
            (self._making / "clips").mkdir(parents=True, exist_ok=True)
            (out / PICTURES).mkdir(exist_ok=True)
            _write(self._making / "plan.json", text)
        except OSError as error:
            self.leave_nothing()
            raise InputError(
                f"{out} cannot be written ({error.strerror}).", "Give --out another place."
            ) from error

    def done(self, item: Item) -> dict[str, Any] | None:
        """Return the record of a clip that is there, every picture as it was written, or None."""
        try:
            told: dict[str, Any] = json.loads(self._record(item).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if told.get("key") != item.key:
            return None
        if "refused" in told:
            return told
        folder = self.out / PICTURES / item.name
        return told if folder.is_dir() and _digest(folder) == told["sha256"] else None

    @contextlib.contextmanager
    def making(self, item: Item) -> Iterator[Callable[[int, NDArray[np.uint8]], None]]:
        """Give what takes a clip's frames in order; in the end the clip moves into place."""
        place = self.out / PICTURES / item.name
        with self._told(item.name):
            draft = make_draft(self._making / "drafts" / "clip")
        count = 0

        def take(index: int, frame: NDArray[np.uint8]) -> None:
            nonlocal count
            with self._told(item.name):
                write_png(draft / f"img{index + 1}.png", frame)
            count += 1

        try:
            yield take
            with self._told(item.name):
                told = {"key": item.key, "frames": count, "sha256": _digest(draft)}
                # The record first: a folder without one would not be known to be whole.
                self._keep(item, told)
                shutil.rmtree(place, ignore_errors=True)
                place.parent.mkdir(parents=True, exist_ok=True)
                draft.chmod(0o755)
                draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def leave_nothing(self) -> None:
        """Remove the folder if no clip has come into it: there is nothing to go on with."""
        if not any((self._making / "clips").glob("*.json")):
            shutil.rmtree(self.out, ignore_errors=True)

    @property
    def models(self) -> dict[str, str]:
        """SHA-256 of the weights that the clips were made with, by name; empty before the first."""
        try:
            told: dict[str, str] = json.loads(
                (self._making / "models.json").read_text(encoding="utf-8")
            )
        except (OSError, ValueError):
            return {}
        return told

    def check_models(self, models: dict[str, str]) -> None:
        """Refuse to go on with other weights than those of the first clip, with RunError."""
        known = self.models
        if not known:
            with self._told(f"{_MAKING}/models.json"):
                _write(self._making / "models.json", json.dumps(models, indent=1) + "\n")
        elif known != models:
            raise RunError(
                f"{self.out} was begun with other weights than this server has.",
                "Use the same ones, or begin anew with --force.",
            )

    def reopen(self) -> None:
        """Take the manifest away: clips of a whole data set are to be made again."""
        (self.out / MANIFEST).unlink(missing_ok=True)
        self.is_whole = False

    def refuse(self, item: Item, why: str) -> None:
        """Keep that a clip could not be made, and why: the next run need not try again."""
        self._keep(item, {"key": item.key, "refused": why})

    def finish(self, rows: list[Coded], manifest: dict[str, Any]) -> None:
        """Write the sheet and the manifest: the data set is whole."""
        sheet = self.out / self._sheet
        write_coding(sheet, rows)
        told = manifest | {"sheet": {"name": sheet.name, "sha256": _file_sha256(sheet)}}
        with self._told(MANIFEST):
            _write(self.out / MANIFEST, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        self.is_whole = True

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Tell of a disk that does not take something, with RunError."""
        try:
            yield
        except OSError as error:
            raise RunError(
                f"{what} cannot be written to {self.out} ({error.strerror or error}).",
                "See to its disk; the same command goes on with what is there.",
            ) from error

    def _record(self, item: Item) -> Path:
        return self._making / "clips" / f"{item.name.replace('/', '_')}.json"

    def _keep(self, item: Item, told: dict[str, Any]) -> None:
        _write(self._record(item), json.dumps(told) + "\n")

    @staticmethod
    def _begun(out: Path) -> str:
        with contextlib.suppress(OSError):
            return (out / _MAKING / "plan.json").read_text(encoding="utf-8")
        return ""


def _digest(folder: Path) -> str:
    """Return the SHA-256 that reading the folder as a clip gives; empty where it holds none."""
    try:
        return pictures_sha256(pictures_in(folder))
    except InputError:
        return ""


def _file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
