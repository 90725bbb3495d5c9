"""What tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """A folder beside the repository with heads and clips that do not ship; tests skip without."""
    folder = ROOT.parent / "shared"
    if not (folder / "heads" / "ict.npz").exists():
        pytest.skip("no shared test data beside the repository")
    return folder
