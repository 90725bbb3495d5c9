"""What tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from microface.__main__ import leave

ROOT = Path(__file__).resolve().parent.parent
STATUS = pytest.StashKey[int]()


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


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep the exit status for the end."""
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without tearing Blender's module down."""
    if STATUS in config.stash:
        leave(config.stash[STATUS])
