"""Nothing from inside the mouth comes out through the skin, in any expression."""

from __future__ import annotations

import numpy as np
import pytest
from microface.head import IDENTITIES, Head, build_head, triangles
from microface.head import grid as g

#: The tongue is meant to lie over the lower lip.
MEANT = {"tongueOut"}


@pytest.fixture(scope="module", params=["ada", "lars"])
def head(request: pytest.FixtureRequest) -> Head:
    return build_head(IDENTITIES[request.param], texture_size=16)


def heights_over(triangle: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Greatest z of front-facing triangles (T, 3, 3) over each point's (x, y); NaN where none."""
    a, b, c = triangle[:, 0], triangle[:, 1], triangle[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    front = area > 1e-6
    a, b, c, area = a[front], b[front], c[front], area[front]
    found = np.full(len(points), np.nan)
    for k, (x, y, _) in enumerate(points):
        u = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / area
        v = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / area
        inside = (u >= 0) & (v >= 0) & (u + v <= 1)
        if inside.any():
            z = u * a[:, 2] + v * b[:, 2] + (1 - u - v) * c[:, 2]
            found[k] = z[inside].max()
    return found


def test_teeth_tongue_and_hollow_stay_behind_the_skin(head: Head) -> None:
    corners, _, material = triangles(head)
    names = head.material_names
    inner = np.isin(material, [names.index(n) for n in ("mouth", "teeth", "gums", "tongue")])
    rim = g.build_grid().slits["mouth"]
    inside = np.setdiff1d(np.unique(corners[inner]), [rim.upper[0], rim.lower[0]])[::3]
    skin = corners[material == names.index("skin")]
    middle = head.vertices[skin].mean(axis=1)
    zone = (np.abs(middle[:, 0]) < 4) & (middle[:, 1] < -3) & (middle[:, 1] > -13)
    skin = skin[zone & (middle[:, 2] > -3)]
    for name, movement in zip(head.shape_names, head.shapes, strict=True):
        mouth = name.startswith(("jaw", "mouth", "lip", "nose", "cheek")) and "Right" not in name
        if name in MEANT or not mouth:
            continue
        points = (head.vertices + movement).astype(np.float64)
        cover = heights_over(points[skin], points[inside])
        out = points[inside, 2] - cover
        # More than two centimetres behind it is the neck seen through the open mouth.
        assert not ((out > 0.005) & (out < 2.0)).any(), name


def test_pinched_brows_do_not_cross_the_middle(head: Head) -> None:
    points = head.vertices.astype(np.float64)
    for name in ("browPinchLeft", "browPinchRight", "browDownLeft", "browDownRight"):
        points = points + head.shapes[head.shape_names.index(name)]
    grid = g.build_grid()
    rows = points[grid.above[g.EYE + 4 : g.HAIRLINE]]
    spread = np.diff(rows[:, g.column(-g.EYE_OUTER) : g.column(g.EYE_OUTER) + 1, 0], axis=1)
    assert spread.min() > 0.0


def test_skin_and_hollows_look_out_of_one_surface(head: Head) -> None:
    """An edge that two faces share is run through once each way, also over lips and lids."""
    names = head.material_names
    own = np.isin(head.material, [names.index("skin"), names.index("mouth")])
    faces = head.faces[own]
    faces = faces[(faces < g.build_grid().count).all(axis=1)]
    ends = np.where(faces[:, 3:] < 0, faces[:, :1], faces[:, 3:])
    loops = np.concatenate([faces[:, :3], ends], axis=1)
    edges = np.stack([loops, np.roll(loops, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges = edges[edges[:, 0] != edges[:, 1]]
    assert len(np.unique(edges, axis=0)) == len(edges)


def test_the_upper_teeth_show_below_the_lip_in_one_row(head: Head) -> None:
    names = head.material_names
    teeth = np.unique(head.faces[head.material == names.index("teeth")])
    teeth = teeth[teeth >= 0]
    upper = teeth[: len(teeth) // 2]
    rim = g.build_grid().slits["mouth"].upper[0]
    for amount in (0.1, 0.25, 0.6):
        points = head.vertices + amount * head.shapes[head.shape_names.index("jawOpen")]
        lip, order = points[rim], np.argsort(points[rim, 0])
        for x in np.linspace(-1.2, 1.2, 13):
            edge = points[upper][np.abs(points[upper, 0] - x) < 0.12, 1].min()
            shown = np.interp(x, lip[order, 0], lip[order, 1]) - edge
            assert 0.05 < shown < 0.45, (amount, x)
