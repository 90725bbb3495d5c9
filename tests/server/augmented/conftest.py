"""What the tests of data sets share: a library, characters, and a set made in one go."""

from __future__ import annotations

import datetime
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from microface.commands import main
from microface.server.clips.library.consent import Consent
from microface.server.clips.library.library import ClipLibrary
from microface.server.clips.records import ActionUnit, ClipRecord
from microface.server.embedded import EmbeddedServer

from ..libraries import quick
from .asking import arguments

pytest.importorskip("openpyxl")

#: What the tests' engine does for a neutral whose first pixel says so.
SLOW, REFUSE = 3, 4


def write(path: Path, picture: np.ndarray) -> Path:
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


@pytest.fixture(scope="session")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with three subjects' clips and two characters."""
    folder = tmp_path_factory.mktemp("materials")
    rng = np.random.default_rng(3)
    with ClipLibrary(folder / "library", create=True, decode=quick) as library:  # type: ignore[arg-type]
        for number, subject in enumerate(("anna", "ben", "eve")):
            frames = folder / f"c{number}"
            frames.mkdir()
            for index in range(8):
                write(frames / f"{index}.png", rng.integers(0, 250, (48, 48, 3), dtype=np.uint8))
            library.import_clip(
                ClipRecord(
                    subject, f"c{number}", frames, tuple(sorted(frames.iterdir())), Fraction(200),
                    0, 3 if number else None, 6, (ActionUnit(12, "left"), ActionUnit(4, order=1)),
                    "happiness", "positive", "studio",
                )
            )  # fmt: skip
        for subject in ("anna", "ben"):
            library.set_consent("studio", subject, Consent("research", "", None, "0" * 64))
        past = datetime.date(2020, 1, 1)
        library.set_consent("studio", "eve", Consent("research", "", past, "0" * 64))
    for name, mode in (("one", SLOW), ("two", SLOW), ("faceless", REFUSE)):
        picture = rng.integers(0, 250, (48, 48, 3), dtype=np.uint8)
        picture[0, 0, :2] = mode, 1
        write(folder / f"{name}.png", picture)
    return folder


@pytest.fixture(scope="session")
def whole(materials: Path, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that was made in one go."""
    out = tmp_path_factory.mktemp("whole") / "set"
    with EmbeddedServer(engine=engine, threads=1) as server:
        assert main(arguments(materials, server, out)) == 0
    return out
