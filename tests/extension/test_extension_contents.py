"""What ships is found by following imports, and nothing else ships."""

from __future__ import annotations

from pathlib import Path

import pytest
from microface.errors import RunError
from microface.extension.contents import Variant, foreign_imports, shipped_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree in the house's layout."""
    files = {
        "LICENSE": "GPL",
        "__init__.py": "def register():\n    from . import addon\n",
        "errors.py": "",
        "addon/__init__.py": "from .panel import draw\n",
        "addon/panel.py": "import bpy\nfrom ..errors import Oops\n",
        "addon/unused.py": "def late():\n    from ..server import client\n",
        "addon/notes.txt": "",
        "server/__init__.py": "",
        "server/client.py": "import zmq\nfrom .protocol.frames import split\n",
        "server/protocol/__init__.py": "",
        "server/protocol/frames.py": (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .. import worker\n"
        ),
        "server/worker.py": "from ..models.runtime import run\n",
        "models/__init__.py": "",
        "models/runtime/__init__.py": "import onnxruntime\n",
        "models/training/__init__.py": "import torch\n",
        "models/weights/encode.onnx": "",
        "models/weights/eam.safetensors": "",
        "tests/test_all.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_thin_follows_every_import_of_the_addon(tree: Path) -> None:
    assert shipped_files(tree, Variant.THIN) == (
        "LICENSE",
        "__init__.py",
        "addon/__init__.py",
        "addon/panel.py",
        "addon/unused.py",
        "errors.py",
        "server/__init__.py",
        "server/client.py",
        "server/protocol/__init__.py",
        "server/protocol/frames.py",
    )


def test_full_adds_the_server_and_its_graphs_only(tree: Path) -> None:
    added = set(shipped_files(tree, Variant.FULL)) - set(shipped_files(tree, Variant.THIN))
    assert added == {
        "server/worker.py",
        "models/__init__.py",
        "models/runtime/__init__.py",
        "models/weights/encode.onnx",
    }


def test_an_import_that_nothing_bundled_provides_is_found(tree: Path) -> None:
    full = shipped_files(tree, Variant.FULL)
    assert foreign_imports(tree, full, Variant.FULL) == []
    assert foreign_imports(tree, full, Variant.THIN) == [
        ("models/runtime/__init__.py", "onnxruntime")
    ]
    (tree / "addon/panel.py").write_text("def f():\n    import torch.nn\n", encoding="utf-8")
    assert foreign_imports(tree, full, Variant.FULL) == [("addon/panel.py", "torch.nn")]


def test_a_module_that_is_not_python_is_named(tree: Path) -> None:
    (tree / "addon/panel.py").write_text("def (", encoding="utf-8")
    with pytest.raises(RunError, match=r"panel\.py is not valid Python"):
        shipped_files(tree, Variant.THIN)
