"""Whether the person in a clip has agreed to its use."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ....errors import InputError
from ..records import SYNTHETIC

Status = Literal["none", "granted", "expired", "revoked", "synthetic"]


@dataclass(frozen=True)
class Consent:
    """A subject's consent: to what (`scope`, and the `show` it is for), until when (the last valid
    day, None for no end), the SHA-256 of the signed release, and whether it was taken back."""

    scope: str = ""
    show: str = ""
    expires: datetime.date | None = None
    release_sha256: str = ""
    revoked: bool = False

    def __post_init__(self) -> None:
        if self.release_sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.release_sha256):
            raise InputError(
                f"{self.release_sha256!r} is no SHA-256 of a release.", "Give the release's file."
            )


def status_of(consent: Consent | None, data_set: str, today: datetime.date) -> Status:
    """Return where a consent stands on a day."""
    if data_set == SYNTHETIC:
        return "synthetic"
    if consent is None:
        return "none"
    if consent.revoked:
        return "revoked"
    if consent.expires is not None and consent.expires < today:
        return "expired"
    return "granted"


def consents_to_json(consents: Mapping[tuple[str, str], Consent]) -> str:
    """Return consents by data set and subject as a file's text."""
    rows = [
        {
            "data_set": data_set,
            "subject": subject,
            **asdict(consent),
            "expires": consent.expires.isoformat() if consent.expires else None,
        }
        for (data_set, subject), consent in sorted(consents.items())
    ]
    return json.dumps(rows, indent=1) + "\n"


def consents_from_json(text: str) -> dict[tuple[str, str], Consent]:
    """Return the consents in a file's text by data set and subject; raises ValueError."""
    found: dict[tuple[str, str], Consent] = {}
    try:
        rows: list[dict[str, Any]] = json.loads(text)
        for row in rows:
            whose = (str(row.pop("data_set")), str(row.pop("subject")))
            day = row.pop("expires")
            expires = datetime.date.fromisoformat(day) if day else None
            found[whose] = Consent(expires=expires, **row)
    except (ValueError, TypeError, KeyError, AttributeError, InputError) as error:
        raise ValueError(f"not a list of consents: {error}") from error
    return found
