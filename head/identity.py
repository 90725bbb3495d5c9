"""Who a built-in head is: a handful of named parameters, and a few people made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Identity:
    """What tells one head from another.

    Parameters without a unit run from -1 to 1 around an ordinary face (0). Colours are sRGB in
    [0, 1]. `skin_tone` runs from 0 (pale) to 1 (deep brown), `freckles` and `blush` from 0 to 1,
    `age` from 0 (young) to 1. `seed` fixes pores, freckles and hair.
    """

    face_width: float = 0.0
    jaw_width: float = 0.0
    chin_length: float = 0.0
    cheeks: float = 0.0
    forehead: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_bridge: float = 0.0
    lips: float = 0.0
    mouth_width: float = 0.0
    eye_size: float = 0.0
    eye_spacing: float = 0.0
    eye_tilt: float = 0.0
    eye_opening: float = 0.0
    brow_height: float = 0.0
    brow_thickness: float = 0.0
    brow_arch: float = 0.0
    ears: float = 0.0
    neck_width: float = 0.0
    age: float = 0.2
    skin_tone: float = 0.25
    freckles: float = 0.4
    blush: float = 0.5
    iris: Colour = (0.30, 0.42, 0.28)
    hair: Colour = (0.20, 0.10, 0.06)
    brow: Colour = (0.16, 0.09, 0.06)
    lip: Colour = (0.72, 0.34, 0.33)
    cloth: Colour = (0.20, 0.32, 0.38)
    hair_style: str = "bob"
    seed: int = 1


#: The people who come with the product; "ada" is the demo's character.
IDENTITIES: dict[str, Identity] = {
    "ada": Identity(
        jaw_width=-0.5,
        cheeks=0.2,
        lips=0.2,
        eye_size=0.5,
        eye_tilt=0.2,
        freckles=0.65,
        hair=(0.36, 0.15, 0.07),
        brow=(0.26, 0.13, 0.08),
        seed=7,
    ),
    "noor": Identity(
        face_width=-0.2,
        jaw_width=-0.3,
        nose_length=0.3,
        nose_bridge=0.5,
        lips=0.5,
        eye_tilt=0.4,
        brow_thickness=0.6,
        skin_tone=0.5,
        freckles=0.1,
        iris=(0.34, 0.22, 0.12),
        hair=(0.06, 0.04, 0.035),
        brow=(0.05, 0.035, 0.03),
        lip=(0.62, 0.27, 0.27),
        cloth=(0.45, 0.20, 0.18),
        hair_style="bun",
        seed=11,
    ),
    "kofi": Identity(
        face_width=0.35,
        jaw_width=0.6,
        chin_length=0.3,
        nose_width=0.8,
        nose_bridge=-0.4,
        lips=0.8,
        mouth_width=0.5,
        eye_size=-0.2,
        brow_height=-0.3,
        brow_thickness=0.7,
        neck_width=0.6,
        age=0.35,
        skin_tone=0.88,
        freckles=0.05,
        blush=0.15,
        iris=(0.20, 0.11, 0.06),
        hair=(0.03, 0.025, 0.025),
        brow=(0.03, 0.022, 0.02),
        lip=(0.45, 0.22, 0.21),
        cloth=(0.72, 0.55, 0.25),
        hair_style="crop",
        seed=23,
    ),
    "mei": Identity(
        face_width=0.25,
        cheeks=0.5,
        nose_length=-0.4,
        nose_bridge=-0.6,
        lips=0.1,
        mouth_width=-0.3,
        eye_tilt=0.8,
        eye_opening=-0.25,
        brow_arch=-0.4,
        skin_tone=0.22,
        freckles=0.1,
        iris=(0.22, 0.13, 0.08),
        hair=(0.035, 0.03, 0.035),
        brow=(0.06, 0.045, 0.04),
        lip=(0.74, 0.33, 0.35),
        cloth=(0.62, 0.60, 0.56),
        hair_style="bob",
        seed=31,
    ),
    "lars": Identity(
        face_width=-0.1,
        jaw_width=0.45,
        chin_length=0.5,
        cheeks=-0.5,
        forehead=0.3,
        nose_length=0.7,
        nose_bridge=0.7,
        lips=-0.7,
        mouth_width=0.3,
        eye_size=-0.5,
        eye_opening=-0.2,
        brow_height=-0.4,
        brow_thickness=0.5,
        brow_arch=-0.5,
        ears=0.5,
        neck_width=0.7,
        age=0.7,
        skin_tone=0.12,
        freckles=0.3,
        blush=0.8,
        iris=(0.35, 0.48, 0.60),
        hair=(0.62, 0.45, 0.24),
        brow=(0.45, 0.31, 0.17),
        lip=(0.70, 0.42, 0.38),
        cloth=(0.18, 0.22, 0.30),
        hair_style="crop",
        seed=43,
    ),
    "rosa": Identity(
        face_width=0.5,
        jaw_width=0.1,
        cheeks=0.8,
        nose_width=0.3,
        lips=0.6,
        mouth_width=0.2,
        eye_size=0.1,
        brow_arch=0.5,
        age=0.45,
        skin_tone=0.42,
        freckles=0.3,
        blush=0.6,
        iris=(0.30, 0.20, 0.10),
        hair=(0.10, 0.06, 0.045),
        brow=(0.10, 0.06, 0.045),
        lip=(0.66, 0.24, 0.26),
        cloth=(0.28, 0.38, 0.27),
        hair_style="bun",
        seed=59,
    ),
}

_IRISES: tuple[Colour, ...] = (
    (0.20, 0.11, 0.06),
    (0.34, 0.22, 0.12),
    (0.30, 0.42, 0.28),
    (0.35, 0.48, 0.60),
    (0.42, 0.40, 0.34),
)
_HAIRS: tuple[Colour, ...] = (
    (0.03, 0.025, 0.025),
    (0.12, 0.07, 0.045),
    (0.36, 0.15, 0.07),
    (0.62, 0.45, 0.24),
    (0.55, 0.54, 0.52),
)


def random_identity(rng: np.random.Generator) -> Identity:
    """Return an identity drawn from `rng`; every draw is a plausible face."""

    def shape(spread: float = 0.45) -> float:
        return float(np.clip(rng.normal(0.0, spread), -1.0, 1.0))

    tone = float(rng.uniform(0.0, 1.0))
    dark = tone > 0.55
    iris = _IRISES[int(rng.integers(0, 2 if dark else len(_IRISES)))]
    hair = _HAIRS[int(rng.integers(0, 2 if dark else len(_HAIRS)))]
    shade = float(rng.uniform(0.6, 1.0))
    lip = np.array((0.74, 0.36, 0.35)) * (1.0 - 0.42 * tone) + rng.normal(0.0, 0.03, 3)
    lip = np.clip(lip, 0.1, 0.9)
    return Identity(
        face_width=shape(),
        jaw_width=shape(),
        chin_length=shape(),
        cheeks=shape(),
        forehead=shape(),
        nose_length=shape(),
        nose_width=shape(),
        nose_bridge=shape(),
        lips=shape(),
        mouth_width=shape(),
        eye_size=shape(),
        eye_spacing=shape(),
        eye_tilt=shape(),
        eye_opening=shape(),
        brow_height=shape(),
        brow_thickness=shape(),
        brow_arch=shape(),
        ears=shape(),
        neck_width=shape(),
        age=float(rng.uniform(0.0, 1.0)),
        skin_tone=tone,
        freckles=float(rng.uniform(0.0, 1.0) ** 2),
        blush=float(rng.uniform(0.0, 1.0)),
        iris=iris,
        hair=hair,
        brow=(hair[0] * shade, hair[1] * shade, hair[2] * shade),
        lip=(float(lip[0]), float(lip[1]), float(lip[2])),
        cloth=tuple(float(value) for value in rng.uniform(0.1, 0.75, 3)),  # type: ignore[arg-type]
        hair_style=str(rng.choice(["bob", "bun", "crop"])),
        seed=int(rng.integers(1, 2**31 - 1)),
    )
