"""The arrows between the parts point one way, and torch stays where it belongs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: For each part: what of ours it may import. A longer path wins over a shorter one.
ALLOWED = {
    "errors": (),
    "drafts": ("errors",),
    "threads": (),
    "head": ("head", "errors"),
    "models": ("models", "head", "errors"),
    "server": ("server", "models", "head", "errors"),
    # Its process is no command: it says itself how many threads there shall be.
    "server.worker": ("server", "models", "head", "threads", "errors"),
    # Imports into the library are drafts that are moved into place.
    "server.clips.library": ("server", "models", "head", "drafts", "errors"),
    # So are a data set's clips, and its sheet.
    "server.clips.datasets": ("server", "models", "head", "drafts", "errors"),
    "server.clips.augmented": ("server", "models", "head", "drafts", "errors"),
    "server.protocol": ("server.protocol", "errors"),
    "server.client": ("server.client", "server.protocol", "errors"),
    "addon": (
        "addon",
        "server.client",
        "server.protocol",
        "server.embedded",
        "server.folders",
        "head",
        "report.figures",
        "report.proof",
        "drafts",
        "errors",
        "",
    ),
    "report": ("report", "errors"),
    "commands": ("commands", "report", "addon", "server", "models", "head", "drafts", "errors", ""),
}

#: Outside packages that only these parts may import, anywhere in a file.
ONLY_IN = {
    "torch": (
        "models.devices",
        "models.eam",
        "models.heads.device",
        "models.released",
        "models.training",
        "models.evaluation",
        "models.recognition",
        "models.spectacles",
        "models.export",
        "models.precision",
        "models.stored",
        "server.engine.runtime_torch",
    ),
    "bpy": ("addon",),
    "onnx": ("models.export", "models.precision"),
}

#: Parts that run in Blender's Python: what they may import beside the standard library.
BARE = {
    "addon": {"numpy", "bpy", "bpy_extras", "mathutils"},
    "server.protocol": {"numpy", "zmq", "msgpack"},
    "server.client": {"numpy", "zmq", "msgpack"},
    "head": {"numpy"},
    "report.figures": {"numpy"},
    "report.proof": {"numpy"},
}
OUTSIDE = {"cv2", "scipy", "PIL", "torch", "onnxruntime", "onnx", "tqdm", "matplotlib", "zmq"}
OUTSIDE |= {"msgpack", "numpy", "bpy", "psutil", "safetensors", "bpy_extras", "mathutils"}


def modules() -> list[tuple[str, Path]]:
    """Every module of the tree by its dotted name below the package."""
    found = []
    for top in (
        "errors.py",
        "drafts.py",
        "threads.py",
        "head",
        "models",
        "server",
        "addon",
        "report",
        "commands",
    ):
        path = ROOT / top
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            parts = list(file.relative_to(ROOT).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts.pop()
            found.append((".".join(parts), file))
    return found


def imports(name: str, file: Path) -> tuple[set[str], set[str]]:
    """Return (modules of ours, outside packages) that a file imports, at any depth of its code."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    ours: set[str] = set()
    outside: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            outside |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            outside.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            base = parts[: len(parts) - node.level + 1]
            base += node.module.split(".") if node.module else []
            dotted = ".".join(base)
            for alias in node.names:
                below = f"{dotted}.{alias.name}".strip(".")
                is_module = (ROOT / (below.replace(".", "/") + ".py")).exists()
                is_module |= (ROOT / below.replace(".", "/")).is_dir()
                ours.add(below if is_module else dotted)
    return ours, outside


def inside(name: str, part: str) -> bool:
    """Whether a module belongs to a part."""
    return name == part or name.startswith(part + ".")


def rule_for(name: str, rules: object) -> str | None:
    """The longest key of the rules that the module belongs to."""
    fitting = [part for part in rules if inside(name, part)]  # type: ignore[attr-defined]
    return max(fitting, key=len) if fitting else None


@pytest.mark.parametrize(("name", "file"), modules(), ids=lambda value: str(value))
def test_imports_follow_the_arrows(name: str, file: Path) -> None:
    ours, outside = imports(name, file)
    part = rule_for(name, ALLOWED)
    assert part is not None
    wrong = {
        module
        for module in ours
        if not any(inside(module, allowed) or module == allowed for allowed in ALLOWED[part])
    }
    assert not wrong, f"{name} may not import {sorted(wrong)}"
    assert "microface" not in outside, f"{name} must import the tree relatively"
    for package, places in ONLY_IN.items():
        allowed_here = any(inside(name, place) for place in places)
        assert package not in outside or allowed_here, f"{name} may not import {package}"
    bare = rule_for(name, BARE)
    if bare:
        extra = (outside & OUTSIDE) - BARE[bare]
        assert not extra, f"{name} may not import {sorted(extra)}"
