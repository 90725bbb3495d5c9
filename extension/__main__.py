"""The command line of the extension build."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import InputError, MicrofaceError
from .build import build_zip
from .contents import Variant, shipped_files
from .manifest import NAME, PLATFORMS, manifest_text
from .wheels import PYTHONS, python_groups, pythons_of, this_platform

ROOT = Path(__file__).resolve().parent.parent
EPILOG = """\
Examples:
  python -m microface.extension thin --out dist
  python -m microface.extension full --platform windows-x64 --python 3.11,3.13 --out dist
  python -m microface.extension manifest
"""


def main(arguments: list[str] | None = None) -> int:
    """Build what the arguments ask for, print where it is, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m microface.extension",
        description="Build the Blender extension: thin for use with a server elsewhere, full "
        "with a server of its own. 'manifest' writes blender_manifest.toml at the root.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", choices=[*(variant.value for variant in Variant), "manifest"], help="what to write"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("dist"),
        metavar="DIR",
        help="folder to write (default: dist)",
    )
    parser.add_argument(
        "--platform",
        metavar="NAME,...",
        help=f"comma-separated, of {', '.join(PLATFORMS)} (default: all for thin, this for full)",
    )
    parser.add_argument(
        "--python",
        metavar="VERSION,...",
        default=",".join(PYTHONS),
        help="comma-separated Python versions of the Blenders it is for (default: %(default)s)",
    )
    parser.add_argument(
        "--wheels",
        type=Path,
        metavar="DIR",
        default=ROOT / "build" / "wheels",
        help="folder that keeps downloaded wheels (default: build/wheels in the tree)",
    )
    options = parser.parse_args(arguments)
    try:
        if options.what == "manifest":
            text = manifest_text(ROOT, shipped_files(ROOT, Variant.FULL))
            (ROOT / NAME).write_text(text, encoding="utf-8")
            print(ROOT / NAME)
            return 0
        build(Variant(options.what), options)
    except MicrofaceError as error:
        print(f"microface.extension: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        told = f"{where}{error.strerror or error}. Give --out another place, or make room."
        print(f"microface.extension: {told}", file=sys.stderr)
        return 1
    return 0


def build(variant: Variant, options: argparse.Namespace) -> None:
    """Build every zip that the options ask for."""
    pythons = chosen(options.python, PYTHONS, "Python version")
    if options.platform:
        platforms = chosen(options.platform, PLATFORMS, "platform")
    else:
        platforms = list(PLATFORMS) if variant is Variant.THIN else [this_platform()]
    # The full build's wheels are large: a zip for each platform. The thin build serves all at once.
    sets = [platforms] if variant is Variant.THIN else [[platform] for platform in platforms]
    for group in python_groups(variant, pythons):
        for platform_set in sets:
            served = [name for name in platform_set if pythons_of(name, group)]
            if served:
                made = build_zip(
                    ROOT, variant, served, group, out=options.out, cache=options.wheels
                )
                print(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")


def chosen(text: str, known: tuple[str, ...], kind: str) -> list[str]:
    """Return the items of a comma-separated option, in the order they are known in.

    Raises InputError for one that is unknown.
    """
    items = {item.strip() for item in text.split(",")}
    if unknown := sorted(items - set(known)):
        raise InputError(
            f"Unknown {kind} {', '.join(map(repr, unknown))}.", f"Choose from {', '.join(known)}."
        )
    return [item for item in known if item in items]


if __name__ == "__main__":
    sys.exit(main())
