"""Whether a server may be reached: an extension keeps to Blender's online access setting."""

from __future__ import annotations

from urllib.parse import urlsplit

import bpy

from ...errors import InputError

_IS_EXTENSION = (__package__ or "").startswith("bl_ext.")


def is_on_this_machine(address: str) -> bool:
    """Return whether an address such as `tcp://127.0.0.1:5757` never leaves this machine."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    return parts.scheme in ("ipc", "inproc") or host in ("localhost", "::1") or _is_loopback(host)


def allow(address: str, *, is_extension: bool = _IS_EXTENSION) -> None:
    """Raise `InputError` if an address lies elsewhere and Blender's online access is off.

    Blender asks this of extensions; as a plain package in a farm job we are not one.
    """
    if is_extension and not bpy.app.online_access and not is_on_this_machine(address):
        raise InputError(
            f"Blender's online access is off, so the server {address} cannot be reached.",
            "Turn on Preferences > System > Allow Online Access.",
        )


def _is_loopback(host: str) -> bool:
    numbers = host.split(".")
    return len(numbers) == 4 and numbers[0] == "127" and all(part.isdigit() for part in numbers)
