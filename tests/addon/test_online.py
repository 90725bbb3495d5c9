"""An extension reaches servers elsewhere only while Blender's online access is on."""

from __future__ import annotations

import bpy
import pytest
from microface.addon.retarget.connection import Link, connect
from microface.addon.retarget.online import allow, is_on_this_machine
from microface.errors import InputError


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:5757", "tcp://127.8.8.8:1", "tcp://localhost:5757", "ipc:///tmp/s"]
)
def test_this_machine(address: str) -> None:
    assert is_on_this_machine(address)
    allow(address, is_extension=True)


@pytest.mark.parametrize(
    "address",
    ["tcp://render:5757", "tcp://10.0.0.7:1", "tcp://127.evil.example:1", "tcp://[::2]:1"],
)
def test_elsewhere(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_on_this_machine(address)
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", False)
    with pytest.raises(InputError, match="Allow Online Access"):
        allow(address, is_extension=True)
    allow(address, is_extension=False)
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", True)
    allow(address, is_extension=True)


def test_every_way_to_a_server_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(address: str) -> None:
        asked.append(address)
        raise InputError("No.", "")

    monkeypatch.setattr("microface.addon.retarget.connection.allow", refuse)
    with pytest.raises(InputError), connect("tcp://render:1"):
        pass
    with pytest.raises(InputError):
        Link("tcp://render:2").poll()
    assert asked == ["tcp://render:1", "tcp://render:2"]
