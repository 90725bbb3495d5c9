"""Working spaces: whatever Blender renders in, a bake comes back to the same display colour."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from microface.addon.colour import SPACES, SRGB
from microface.addon.exr import write_exr
from microface.addon.ocio import set_space, show_plainly, working_space
from microface.errors import InputError

SCRIPT = Path(__file__).with_name("aces_bake.py")
#: The Academy's configuration that OpenColorIO brings along; it renders in ACEScg.
ACADEMY = "ocio://cg-config-latest"


def baked(folder: Path, name: str, **environment: str) -> dict[str, Any]:
    out = folder / f"{name}.npz"
    clean = {key: value for key, value in os.environ.items() if key != "OCIO"}
    subprocess.run(
        [sys.executable, str(SCRIPT), str(out)], env={**clean, **environment}, check=True
    )
    with np.load(out) as data:
        return dict(data)


def test_a_bake_under_acescg_shows_the_same_colours(tmp_path: Path) -> None:
    plain, academy = baked(tmp_path, "plain"), baked(tmp_path, "academy", OCIO=ACADEMY)
    assert str(plain["space"]) == "Linear Rec.709"
    assert str(academy["space"]) == "ACEScg"
    for one in (plain, academy):
        patch = one["patch"]
        asked = np.abs(one["frame"][patch].astype(int) - one["neutral"][patch])
        missed = np.abs(one["render"][patch].astype(int) - one["frame"][patch])
        print(f"{one['space']}: asked {asked.mean():.1f} levels, missed {missed.mean():.2f}")
        assert asked[:, 1].min() > 15
        assert missed.max() <= 3
        assert missed.mean() < 0.8
    # The same levels on screen, and the same in the texture.
    shown = np.abs(plain["render"].astype(int) - academy["render"])[plain["patch"]]
    texels = np.abs(plain["texel"].astype(float) - academy["texel"]) / 257
    print(f"renders differ by {shown.max()} levels, textures by {texels.max():.2f}")
    assert shown.max() <= 3
    assert texels.max() < 1.5
    assert np.array_equal(plain["moving"], academy["moving"])
    assert texels[~plain["moving"]].max() == 0


def test_blenders_own_configuration_renders_in_rec_709(tmp_path: Path) -> None:
    images = set(bpy.data.images.keys())
    assert working_space() == SPACES["Linear Rec.709"]
    assert set(bpy.data.images.keys()) == images


def test_spaces_go_by_any_of_their_names(tmp_path: Path) -> None:
    write_exr(tmp_path / "a.exr", np.zeros((2, 2, 3), np.float16))
    image = bpy.data.images.load(str(tmp_path / "a.exr"))
    for asked, found in (
        ("sRGB - Texture", "sRGB"),
        ("Utility - Raw", "Non-Color"),
        ("ACES - ACEScg", "ACEScg"),
    ):
        set_space(image, SPACES[asked])
        assert image.colorspace_settings.name == found
    with pytest.raises(InputError, match="no colour space like Odd"):
        set_space(image, type(SRGB)("Odd", "2.4", "AP0"))


def test_the_plain_view_has_no_look() -> None:
    scene = bpy.context.scene
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Punchy"
    scene.view_settings.exposure = 2.0
    show_plainly(scene)
    settings = scene.view_settings
    assert (settings.view_transform, settings.look) == ("Standard", "None")
    assert (settings.exposure, settings.gamma) == (0.0, 1.0)
