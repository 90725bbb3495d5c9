"""Which files of the tree ship in an extension, found by following its imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path, PurePosixPath

from ..errors import RunError


class Variant(Enum):
    """`THIN` talks to a server elsewhere; `FULL` also carries the server, to run it by itself."""

    THIN = "thin"
    FULL = "full"


#: Folders whose every module ships; what these import is found and ships too.
ROOTS = {Variant.THIN: ("addon",), Variant.FULL: ("addon", "server")}
#: Modules of these folders that stay behind: no variant brings what they need.
LEFT_BEHIND = frozenset(
    {PurePosixPath("server/clips/pairs.py"), PurePosixPath("server/engine/runtime_torch.py")}
)
#: Data beside the code, as patterns from the root of the tree.
DATA = {
    Variant.THIN: ("LICENSE",),
    Variant.FULL: (
        "LICENSE",
        "models/weights/*.onnx",
        "models/weights/card.md",
        "models/weights/manifest.json",
        "server/clips/*.npz",
        "server/clips/*.onnx",
        "server/engine/*.onnx",
    ),
}
#: What a shipped module may import besides Python's own modules and this tree: what Blender has ...
BLENDER_MODULES = frozenset(
    {"bl_math", "blf", "bmesh", "bpy", "bpy_extras", "gpu", "gpu_extras", "mathutils", "numpy"}
)
#: ... and what the wheels of the variant bring.
WHEEL_MODULES = {
    Variant.THIN: frozenset({"msgpack", "zmq"}),
    Variant.FULL: frozenset({"PIL", "cv2", "msgpack", "onnxruntime", "scipy", "zmq"}),
}


def shipped_files(root: Path, variant: Variant) -> tuple[str, ...]:
    """Return the paths of what the variant ships: sorted, relative to `root`, with forward slashes.

    Modules are found by following relative imports from `ROOTS`, those inside functions too,
    those under `if TYPE_CHECKING:` not. The manifest is not among them: the builder adds it.
    """
    pending = [PurePosixPath("__init__.py")]
    for folder in ROOTS[variant]:
        pending += [
            PurePosixPath(path.relative_to(root).as_posix())
            for path in sorted((root / folder).rglob("*.py"))
        ]
    pending = [module for module in pending if module not in LEFT_BEHIND]
    found: set[PurePosixPath] = set()
    while pending:
        module = pending.pop()
        if module in found:
            continue
        found.add(module)
        pending += parent_packages(module)
        pending += imported_modules(root, module)
    data = {
        path.relative_to(root).as_posix()
        for pattern in DATA[variant]
        for path in root.glob(pattern)
    }
    return tuple(sorted({str(module) for module in found} | data))


def parent_packages(module: PurePosixPath) -> list[PurePosixPath]:
    """Return the `__init__.py` of every package that a module lies in, the root left out."""
    return [folder / "__init__.py" for folder in module.parents if folder.parts]


def imported_modules(root: Path, module: PurePosixPath) -> list[PurePosixPath]:
    """Return the modules of the tree that one module imports at run time."""
    found = []
    for node in run_time_imports(root / module):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        folder = module.parent
        for _ in range(node.level - 1):
            folder = folder.parent
        base = folder.joinpath(*(node.module or "").split(".")) if node.module else folder
        # `from .a import b`: b is a module of its own, or a name in a.
        candidates = [base / alias.name for alias in node.names] + [base]
        for candidate in candidates:
            if candidate.parts:
                paths = (candidate.with_suffix(".py"), candidate / "__init__.py")
                found += [path for path in paths if (root / path).is_file()]
    return found


def foreign_imports(root: Path, paths: Sequence[str], variant: Variant) -> list[tuple[str, str]]:
    """Return (path, module) of every import that neither Blender nor the variant's wheels have."""
    known = sys.stdlib_module_names | BLENDER_MODULES | WHEEL_MODULES[variant]
    found = []
    for path in paths:
        if not path.endswith(".py"):
            continue
        for node in run_time_imports(root / path):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [] if node.level else [node.module or ""]
            found += [(path, name) for name in names if name.partition(".")[0] not in known]
    return found


def run_time_imports(path: Path) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield every import statement of a file, at any depth, that is not for type checkers alone.

    Raises RunError where the file is not valid Python.
    """
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise RunError(
            f"{path} is not valid Python: {error}.", "Mend it and build again."
        ) from error
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING` or `typing.TYPE_CHECKING`."""
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"
