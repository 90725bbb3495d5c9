"""Start one of the tree's modules in a process of its own: `python -I bootstrap.py MODULE PATHS`.

The tree may have been imported under any name (`microface`, or Blender's
`bl_ext.user_default.microface`) and from a folder of any name. A child cannot count on finding it,
so this file, run by its path and with nothing but the standard library, sets the folder above it
up as the package `microface`. PATHS is a JSON list: where the parent finds packages.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path

PACKAGE = "microface"


def main() -> None:
    """Import the module that the command line names and run its `child_main`."""
    name, paths = sys.argv[1], json.loads(sys.argv[2])
    sys.path.extend(path for path in paths if path not in sys.path)
    root = Path(__file__).resolve().parent.parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise SystemExit(f"{root} is not the package it should be")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    importlib.import_module(f"{PACKAGE}.{name}").child_main()


if __name__ == "__main__":
    main()
