"""Whether the person in a clip has agreed to its use."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal

from ....errors import InputError
from ..records import SYNTHETIC

Status = Literal["none", "granted", "expired", "revoked", "synthetic"]
STATUSES: tuple[Status, ...] = ("none", "granted", "expired", "revoked", "synthetic")


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
