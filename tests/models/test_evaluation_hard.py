"""Hard questions: what their answers come to, and that scenes ask what they say."""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from microface.commands import evaluate
from microface.errors import InputError
from microface.models.evaluation import hard_table
from microface.models.evaluation.hard import rendered
from microface.models.evaluation.hard_page import page
from microface.models.evaluation.hard_scenes import STRENGTHS, doing, questions
from microface.models.evaluation.hard_table import Answer, as_markdown, conditions, rows
from microface.models.heads.families import HeadModel, is_test
from microface.models.heads.packs import load_ict
from microface.models.heads.style import STYLES
from numpy.typing import NDArray

CELLS = 16


def _answer(question: str, scene: int, truth: NDArray[np.float32], produced: float) -> Answer:
    """An answer that produces a share of the truth, on a face of a few cells."""
    rows, columns = np.indices((CELLS, CELLS))
    chart = np.stack([columns - 7.5, 4 - rows, np.zeros((CELLS, CELLS))], -1).astype(np.float32)
    every = np.ones((CELLS, CELLS), np.bool_)
    return Answer(question, scene, produced * truth, truth, every, every, chart)


def _push(x: float, left: float = 1.0, right: float = 1.0) -> NDArray[np.float32]:
    """Motion of `x` pixels, times a share on each side of the face."""
    truth = np.zeros((CELLS, CELLS, 2), np.float32)
    truth[:, :8, 0], truth[:, 8:, 0] = x * right, x * left
    return truth


def _answers(produced: float) -> list[Answer]:
    """All questions of two scenes, every one answered with a share of the truth."""
    found = []
    for scene in (0, 1):
        found += [_answer(f"gain {s:g}", scene, _push(2 * s), produced) for s in STRENGTHS]
        found.append(_answer("one side", scene, _push(1, right=0.05), produced))
        found.append(_answer("two units", scene, _push(1), produced))
        still = ("still", "head shake", "odd form at rest")
        found += [replace(_answer(q, scene, _push(0), 0), flow=_push(0.03)) for q in still]
        usual = ["odd form", "source turned", "character turned", "both turned"]
        usual += ["grey character", "grey source", *(f"{s} character" for s in STYLES)]
        found += [_answer(q, scene, _push(1), produced) for q in usual]
    return found


def test_rows_say_what_was_produced() -> None:
    table = rows(_answers(0.8))
    by_measure = {(line.question, line.measure): line for line in table}
    curve = by_measure["gain curve", "slope"]
    assert (curve.value, curve.low, curve.high) == pytest.approx((0.8, 0.8, 0.8), abs=1e-4)
    assert by_measure["", "Pearson r"].value == pytest.approx(1)
    assert by_measure["", "gain at 0.05 (0.10 px)"].value == pytest.approx(0.8, abs=1e-4)
    assert by_measure["one side alone", "side right, share"].value == 1
    for measure in ("motion of the resting side over the moving", "the same in truth"):
        assert by_measure["", measure].value == pytest.approx(0.05, abs=1e-4)
    assert by_measure["two units at once", "gain, upper face"].value == pytest.approx(0.8)
    assert by_measure["", "gain, lower face"].value == pytest.approx(0.8)
    still = by_measure["still, noise and flicker", "mean motion, px"]
    assert still.value == pytest.approx(0.03) and still.wanted == "under 0.05"
    turned = dict(conditions(_answers(0.8)))["source turned by 15 degrees"]
    assert [line.value for line in turned] == pytest.approx([0.2, 1.0, 0.8], abs=1e-4)


def test_weak_strengths_count_where_the_strongest_moves() -> None:
    # At a twentieth of the strength nothing exceeds the moving region's threshold.
    kept = hard_table.within_strongest(_answers(1.0))
    assert len(kept) == 2 * len(STRENGTHS)
    assert all(answer.known.all() for answer in kept)
    assert hard_table.amplitude(kept[0])[0] > 0


def test_interval_is_as_wide_as_scenes_differ() -> None:
    found = [_answer("q", scene, _push(1), share) for scene, share in enumerate((0.6, 0.8, 1.0))]
    line = hard_table.row(found, "q", "gain", hard_table.gain)
    assert line.value == pytest.approx(0.8)
    assert 0.6 <= line.low < 0.75 and 0.85 < line.high <= 1.0


def test_page_has_a_line_for_all_that_was_asked() -> None:
    found = _answers(1.0)
    lines = as_markdown(found).splitlines()
    assert len(lines) == len(rows(found)) + len(conditions(found)) + 5
    assert all(line.count("|") == 5 for line in lines if line)
    text = page(found, "0123456789ab")
    assert "2 scenes" in text and "weights 0123456789ab" in text and lines[-1] in text


def test_doing_one_side_leaves_the_other() -> None:
    weights = doing(("AU12",), 0.35, left=0.0)
    assert weights == {"mouthSmileLeft": 0.0, "mouthSmileRight": 0.35}


@pytest.mark.slow
def test_scene_asks_of_held_out_heads_and_is_kept(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    families: list[HeadModel] = [load_ict(shared / "heads")]
    first = list(islice(questions(families, 1), 2))
    assert [q.name for q in first] == ["gain 0.05", "gain 0.1"]
    assert all(is_test(identity) for identity in first[0].pair.identities)
    lengths = [float(np.linalg.norm(q.pair.source_flow, axis=-1).max()) for q in first]
    assert lengths[1] == pytest.approx(2 * lengths[0], rel=0.1)
    monkeypatch.setattr("microface.models.evaluation.hard_scenes.questions", lambda *_: iter(first))
    path = rendered(tmp_path, families, 1)
    before = path.stat().st_mtime_ns
    assert rendered(tmp_path, families, 1) == path
    assert path.stat().st_mtime_ns == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "asked", [["--hard", "0", "--packs", "heads"], ["--hard", "9", "--data", "d"]]
)
def test_hard_questions_need_scenes_to_render(asked: list[str]) -> None:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    with pytest.raises(InputError, match="must be rendered"):
        evaluate.run(parser.parse_args(asked))
