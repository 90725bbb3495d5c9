"""Shape keys of the mouth, for the subject's left side or for both."""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .fields import Face, smoothstep, toward


def corner_weight(face: Face, wide: float = 2.6, high: float = 2.6) -> Floats:
    """Weight of the left mouth corner: 1 there, fading along the lips and out over the cheek."""
    m = face.m
    corner_y = float(m.mouth_line(np.array([m.mouth_half]))[0])
    ramp = smoothstep(-0.1, 1.0, face.p[:, 0] / m.mouth_half)
    return face.patch((m.mouth_half, corner_y), (wide, high)) * ramp**0.6


def lip_weight(face: Face, reach: float) -> Floats:
    """1 on the lips' rim, 0 at `reach` cm above or below it and beyond the corners."""
    fade = np.clip(1.0 - (face.over / reach) ** 2, 0.0, 1.0) ** 1.5
    front = smoothstep(-2.0, 0.0, face.p[:, 2])
    return np.asarray(fade * front * smoothstep(1.25, 0.6, face.along))


def vermilion(face: Face) -> Floats:
    """0 where the lips meet, 1 at the border of the red, more beyond, (V,)."""
    upper, lower = face.m.lip_heights(face.p[:, 0])
    height = np.where(face.upper > 0, upper, lower)
    return np.asarray(np.abs(face.over) / np.maximum(height, 0.15))


def corner_shapes(face: Face) -> dict[str, Floats]:
    """Left-side movements (V, 3) that start at the corner of the mouth."""
    m = face.m
    soft = face.left(0.8)
    corner = corner_weight(face)
    near = corner_weight(face, 1.7, 1.5)
    cheek = face.patch((4.1, -3.3), (2.4, 2.2)) * soft
    edge = (face.p[:, 0] - 2.75) + 0.5 * (face.p[:, 1] - m.mouth_y - 1.4)
    furrow = face.patch((2.9, m.mouth_y + 1.5), (1.7, 2.3)) * soft * np.exp(-((edge / 0.28) ** 2))
    # Lips bow like a hanging cloth: their height follows the corner later than their width.
    bow = corner * np.clip(face.p[:, 0] / m.mouth_half, 0.0, 1.0) ** 0.9
    smile = toward(corner, 0.95, 0.0, -0.62) + toward(bow, 0.0, 1.08, 0.0)
    smile += toward(cheek, 0.10, 0.42, 0.30)
    smile += toward(furrow, 0.0, 0.0, -0.16)
    sharp = (
        toward(near, 0.30, 0.0, -0.10)
        + toward(bow, 0.0, 0.95, 0.0)
        + toward(cheek, 0.05, 0.40, 0.38)
    )
    stretch = toward(corner, 0.90, -0.22, -0.55)
    dimple = toward(near, 0.62, 0.10, -0.62) + toward(corner, 0.15, 0.03, -0.1)
    frown = toward(corner_weight(face, 2.3, 2.4), 0.12, -0.62, -0.14)
    tight = toward(corner_weight(face, 2.4, 1.2), -0.34, 0.0, 0.06)
    lips = lip_weight(face, 1.2) * soft
    tight += toward(lips * face.upper, 0.0, -0.16, -0.04)
    tight += toward(lips * face.lower, 0.0, 0.16, -0.04)
    return {
        "mouthSmileLeft": smile,
        "lipPullSharpLeft": sharp,
        "mouthStretchLeft": stretch,
        "mouthDimpleLeft": dimple,
        "mouthFrownLeft": frown,
        "lipTightenLeft": tight,
    }


def lip_side_shapes(face: Face) -> dict[str, Floats]:
    """Left-side movements (V, 3) of one half of one lip."""
    soft = face.left(0.8)
    m = face.m
    inside = smoothstep(1.05, 0.45, face.along)
    lift = face.patch((1.15, m.mouth_y + 0.3), (2.1, 2.9)) * soft * face.upper
    lift *= np.maximum(inside, smoothstep(0.2, 1.2, face.over))
    up = toward(lift, 0.05, 0.76, 0.10)
    drop = face.patch((1.1, m.mouth_y - 0.3), (2.0, 2.3)) * soft * face.lower
    drop *= np.maximum(inside, smoothstep(0.2, 1.2, -face.over))
    down = toward(drop, 0.06, -0.5, 0.03)
    red = np.clip(1.0 - vermilion(face), 0.0, 1.0)
    lips = lip_weight(face, 1.35) * soft
    press = toward(lips * face.upper, 0.0, -0.20, -0.16) + toward(lips * red, 0.0, 0.0, -0.22)
    press += toward(lips * face.lower, 0.0, 0.30, -0.16)
    # Pressed lips flatten against each other and do not pass: the rim itself stays in height.
    rim = np.exp(-((face.over / 0.16) ** 2))
    press[:, 1] *= 1.0 - rim
    return {"mouthUpperUpLeft": up, "mouthLowerDownLeft": down, "mouthPressLeft": press}


def both_sides_shapes(face: Face) -> dict[str, Floats]:
    """Movements (V, 3) of the whole mouth without the jaw."""
    m = face.m
    x = face.p[:, 0]
    mouth = face.patch((0.0, m.mouth_y), (4.6, 3.1))
    lips = lip_weight(face, 1.9)
    red = np.clip(1.0 - vermilion(face), 0.0, 1.0)
    draw = np.tanh(x / m.mouth_half * 1.1)
    core = np.exp(-((x / (0.9 * m.mouth_half)) ** 2))
    part = smoothstep(1.0, 0.4, face.along)
    funnel = toward(-mouth * draw, 0.85, 0.0, 0.0) + toward(mouth * core, 0.0, 0.0, 0.72)
    funnel += toward(lips * part * face.upper, 0.0, 0.50, 0.1)
    funnel += toward(lips * part * face.lower, 0.0, -0.62, 0.1)
    pucker = toward(-mouth * draw, 1.22, 0.0, 0.0) + toward(mouth * core, 0.0, 0.0, 0.78)
    pucker += toward(mouth * np.abs(draw) * (1 - core), 0.0, 0.0, 0.3)
    side = toward(mouth, 0.95, 0.0, 0.0) - toward(mouth * np.abs(draw), 0.0, 0.0, 0.22)
    roll_in = lip_weight(face, 1.5)
    rollu = toward(roll_in * face.upper, 0.0, -0.34, -0.18)
    rollu += toward(roll_in * red * face.upper, 0.0, 0.20, -0.36)
    rolll = toward(roll_in * face.lower, 0.0, 0.42, -0.16)
    rolll += toward(roll_in * red * face.lower, 0.0, -0.30, -0.40)
    for roll in (rollu, rolll):
        roll[:, 1] *= 1.0 - np.exp(-((face.over / 0.12) ** 2))
    shrug_u = toward(lips * part * face.upper, 0.0, 0.34, 0.26)
    chin = face.patch((0.0, m.chin_y + 1.6), (2.5, 2.6))
    shrug_l = toward(chin, 0.0, 0.72, 0.10) + toward(lips * face.lower, 0.0, 0.40, 0.34)
    shrug_l += toward(lips * part * face.upper, 0.0, 0.36, 0.16)
    parted = toward(lips * part * face.upper, 0.0, 0.10, 0.02)
    parted += toward(lips * part * face.lower, 0.0, -0.34, 0.03)
    return {
        "mouthFunnel": funnel,
        "mouthPucker": pucker,
        "mouthLeft": side,
        "mouthRollUpper": rollu,
        "mouthRollLower": rolll,
        "mouthShrugUpper": shrug_u,
        "mouthShrugLower": shrug_l,
        "lipsPart": parted,
    }
