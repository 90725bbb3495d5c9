"""Which side of the face a channel moves: by its name in any spelling, else by its motion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, BOTH = "left", "right", ""

_SIDE_WORDS = {
    LEFT: {"l", "left", "lft", "lt", "sideleft", "links", "gauche", "sinistra", "izquierda"},
    RIGHT: {"r", "right", "rgt", "rt", "sideright", "rechts", "droite", "destra", "derecha"},
}
#: With nothing but these beside it, "left" says where to, not on which side: jawLeft, Mouth_L.
_WHOLE_PARTS = {"mouth", "jaw", "tongue", "head", "neck", "chin", "lips", "eyes", "look"}
_DIRECTIONS = {"shift", "slide", "move", "swing", "sideways", "twist", "roll", "tilt", "turn"}
#: What rigs put before and after a name that says nothing of it.
_FILLERS = {"ctrl", "ctl", "fcl", "key", "shape", "bs", "facs", "pose", "location", "rotation"}
#: A channel moves one side if that side has at least this share of its motion.
ONE_SIDED = 0.85

#: A word run together with its side, such as browdownleft; not cleft, bright, upright.
_RUN_TOGETHER = re.compile(
    r"^(?:(left|right)(\w{3,})|(\w{3,}?)(?<!c)(left)|(\w{3,}?)(?<![bf])(?<!up)(right))$"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def side_by_name(name: str) -> str:
    """Return "left", "right", or "" where the name does not tell.

    Understands `mouthSmileLeft`, `mouthSmile_L`, `mouth_smile.l`, `L_browDown`, `Fcl_BRW_Down_L`,
    `left-eye-closed` and the like; `jawLeft` and `Mouth_R` are directions, no sides.
    """
    words = [
        part
        for word in _WORD.findall(name)
        for part in _RUN_TOGETHER.sub(r"\1 \2\3 \4\5 \6", word.lower()).split()
    ]
    found = {side for side, known in _SIDE_WORDS.items() if not known.isdisjoint(words)}
    if len(found) != 1:
        return BOTH
    (side,) = found
    rest = {word for word in words if word not in _SIDE_WORDS[side] and not word.isdigit()}
    rest -= _FILLERS
    if rest and rest <= _WHOLE_PARTS | _DIRECTIONS:
        return BOTH
    return side


def sides_by_motion(
    pixels: NDArray[np.floating[Any]], jacobian: NDArray[np.floating[Any]]
) -> tuple[str, ...]:
    """Return the side (S strings) of each channel from where it moves the face in a front view.

    `pixels` (V,2) of the vertices, `jacobian` (V,2,S) pixels per weight. The character's left is
    on the right of the picture. The midline is where motion of all channels together is halved.
    """
    reach = np.sqrt((np.asarray(jacobian, np.float64) ** 2).sum(axis=1))
    largest = reach.max(axis=0, initial=0.0)
    share = reach / np.where(largest > 0, largest, 1.0)
    order = np.argsort(pixels[:, 0], kind="stable")
    running = np.cumsum(share.sum(axis=1)[order])
    if not len(running) or running[-1] == 0:
        return tuple(BOTH for _ in range(reach.shape[1]))
    middle = float(pixels[order[int(np.searchsorted(running, running[-1] / 2))], 0])
    left = share[pixels[:, 0] > middle].sum(axis=0)
    total = np.maximum(share.sum(axis=0), 1e-12)
    sides: list[str] = []
    for part, whole in zip((left / total).tolist(), total.tolist(), strict=True):
        is_right = part < 1 - ONE_SIDED and whole > 1e-9
        sides.append(LEFT if part > ONE_SIDED else RIGHT if is_right else BOTH)
    return tuple(sides)


def channel_sides(names: Sequence[str], by_motion: Sequence[str] = ()) -> tuple[str, ...]:
    """Return each channel's side: as its name says, else as its motion does (where known)."""
    moved = by_motion or (BOTH,) * len(names)
    return tuple(side_by_name(name) or other for name, other in zip(names, moved, strict=True))


def gains(sides: Sequence[str], balance: float) -> NDArray[np.float64]:
    """Return what the weights of each channel are multiplied by (S,), 0 to 1.

    `balance` 0 leaves both sides alike, 1 moves the character's left alone, -1 its right alone;
    channels of no side are left as they are. No side is ever made stronger than it was.
    """
    by_side = {LEFT: min(1.0, 1.0 + balance), RIGHT: min(1.0, 1.0 - balance), BOTH: 1.0}
    return np.array([by_side[side] for side in sides])
