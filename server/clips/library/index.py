"""The library's index: SQLite, made from the entries' files and made again when it is gone."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ....errors import InputError, RunError
from .consent import Consent
from .entry import Entry, entry_from_json
from .query import Query

#: Seconds that a reader or writer waits for another one.
_PATIENCE = 30.0
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, subject TEXT NOT NULL, clip TEXT NOT NULL,
  data_set TEXT NOT NULL, kind TEXT NOT NULL, emotion TEXT, valence TEXT, event_seconds REAL,
  asymmetric INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS units (
  entry TEXT NOT NULL REFERENCES entries(id) ON DELETE CASCADE,
  number INTEGER NOT NULL, side TEXT NOT NULL, sure INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS consents (
  data_set TEXT NOT NULL, subject TEXT NOT NULL, scope TEXT NOT NULL, show TEXT NOT NULL,
  expires TEXT, release_sha256 TEXT NOT NULL, revoked INTEGER NOT NULL,
  PRIMARY KEY (data_set, subject)
);
CREATE INDEX IF NOT EXISTS units_by_number ON units(number, entry);
CREATE INDEX IF NOT EXISTS entries_by_content ON entries(sha256);
"""


class Index:
    """The tables of a library. Many may read while one writes; a writer waits its turn.

    Raises RunError where the file is damaged and InputError where a newer program made it. The
    rollback journal is used, not the write-ahead log: it also works on a network's disks.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        mode = "ro" if read_only else "rwc"
        with self._told():
            self._base = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=_PATIENCE,
                isolation_level=None,
            )
            self._base.execute("PRAGMA foreign_keys = ON")
            (version,) = self._base.execute("PRAGMA user_version").fetchone()
            if version > _SCHEMA_VERSION:
                raise InputError(
                    f"{path} was made by a newer microface.", "Use that, or another folder."
                )
            if not read_only and version < _SCHEMA_VERSION:
                self._base.executescript(_SCHEMA)
                self._base.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def ids(self) -> set[str]:
        """Return the ids of all entries."""
        with self._told():
            return {row[0] for row in self._base.execute("SELECT id FROM entries")}

    def add(self, entries: list[Entry]) -> None:
        """Add entries, all or none; those that are there already stay as they are."""
        with self._changing():
            for entry in entries:
                fresh = self._base.execute(
                    "INSERT OR IGNORE INTO entries VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                    (
                        entry.id, entry.sha256, entry.subject, entry.clip, entry.data_set,
                        entry.kind, entry.emotion, entry.valence, entry.event_seconds,
                        int(entry.is_asymmetric), entry.to_json(),
                    ),
                ).rowcount  # fmt: skip
                if fresh:
                    self._base.executemany(
                        "INSERT INTO units VALUES (?,?,?,?)",
                        [(entry.id, u.number, u.side, int(u.sure)) for u in entry.units],
                    )

    def remove(self, ids: set[str]) -> None:
        """Take entries out."""
        with self._changing():
            self._base.executemany("DELETE FROM entries WHERE id = ?", [(i,) for i in ids])

    def find(self, query: Query) -> list[Entry]:
        """Return the entries that a query asks for, by data set, subject and clip."""
        condition, values = query.sql()
        order = "ORDER BY data_set, CAST(subject AS INTEGER), subject, clip, id"  # 3 before 17
        with self._told():
            rows = self._base.execute(
                f"SELECT text FROM entries WHERE {condition} {order}", values
            ).fetchall()
        return [entry_from_json(row[0]) for row in rows]

    def starting(self, beginning: str) -> list[Entry]:
        """Return the entries whose id, or whose content's digest, begins so."""
        with self._told():
            rows = self._base.execute(
                "SELECT text FROM entries WHERE substr(id, 1, ?) = ? OR substr(sha256, 1, ?) = ?",
                [len(beginning), beginning.lower()] * 2,
            ).fetchall()
        return [entry_from_json(row[0]) for row in rows]

    def set_consent(self, data_set: str, subject: str, consent: Consent) -> None:
        """Keep a subject's consent, instead of an earlier one."""
        expires = consent.expires.isoformat() if consent.expires else None
        with self._changing():
            self._base.execute(
                "INSERT OR REPLACE INTO consents VALUES (?,?,?,?,?,?,?)",
                (
                    data_set, subject, consent.scope, consent.show, expires,
                    consent.release_sha256, int(consent.revoked),
                ),
            )  # fmt: skip

    def consents(self) -> dict[tuple[str, str], Consent]:
        """Return every consent by data set and subject."""
        with self._told():
            rows = self._base.execute("SELECT * FROM consents").fetchall()
        return {
            (data_set, subject): Consent(
                scope, show, datetime.date.fromisoformat(expires) if expires else None, release,
                bool(revoked),
            )
            for data_set, subject, scope, show, expires, release, revoked in rows
        }  # fmt: skip

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._told():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise RunError(f"{self._path}: {error}.", "Try again; check the disk.") from error
        except sqlite3.DatabaseError as error:
            raise RunError(
                f"{self._path} is damaged ({error}).",
                "Delete it; it is made again from the clips' own files (consents are kept there).",
            ) from error
