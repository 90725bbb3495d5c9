"""Naming source clips: a folder, a video, or one of the clips that come with the program."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

#: Prefix of a built-in clip's name, as the command line and the server take it.
BUILTIN_PREFIX = "builtin:"

#: The built-in clips: name, label, and what the face does in them.
BUILTIN_CLIPS: tuple[tuple[str, str, str], ...] = (
    ("brow-lower", "Brow lower (AU4)", "The brows are drawn down and together"),
    ("lip-corner-left", "Lip corner left (AU12L)", "The left lip corner is pulled up"),
    ("inner-brow-raise", "Inner brow raise (AU1)", "The inner brows rise"),
    ("lid-tighten", "Lid tighten (AU7)", "The lids are tightened"),
    ("nose-wrinkle", "Nose wrinkle (AU9)", "The nose is wrinkled"),
    ("chin-raise", "Chin raise (AU17)", "The chin and lower lip are pushed up"),
)


def clip_label(clip: str) -> str:
    """Return a short name of a clip for actions and folders: letters, digits, `-` and `_`.

    Raises `InputError` for a built-in name that does not exist or a path that is not there.
    """
    if clip.startswith(BUILTIN_PREFIX):
        name = clip.removeprefix(BUILTIN_PREFIX)
        known = [entry[0] for entry in BUILTIN_CLIPS]
        if name not in known:
            raise InputError(
                f"There is no built-in clip '{name}'.", f"Built-in clips: {', '.join(known)}."
            )
        return name
    path = Path(clip)
    if not clip or not path.exists():
        raise InputError(
            f"The clip '{clip}' does not exist.",
            "Give a video, a folder of frames, or builtin:NAME.",
        )
    stem = path.resolve().name if path.is_dir() else path.stem
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in stem)
