"""Every known defect, in every data set's own layout: told, and no row dropped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from microface.errors import InputError
from microface.server.clips.datasets.catalogue import READERS, published_name, read_data_set
from microface.server.clips.datasets.reading import DataSet, Overrides

from . import copies

pytest.importorskip("openpyxl")


@dataclass(frozen=True)
class Copy:
    """A set's sheet and where a clip's pictures lie in it.

    `columns` are the header, each with what it holds: a field's name, or what stands there.
    """

    sheet: str
    columns: tuple[tuple[str | None, Any], ...]
    place: str
    above: int = 0
    header: bool = True


def columns(text: str) -> tuple[tuple[str | None, Any], ...]:
    """Parse `Name=field` or `Name:constant`, joined by `|`; a lone `_` has no name."""
    found: list[tuple[str | None, Any]] = []
    for part in text.split("|"):
        name, _, field = part.partition("=")
        found.append((None if name == "_" else name, field or None))
    return tuple(found)


COPIES = {
    "casme": Copy(
        "casme.xlsx",
        columns(
            "Subject=subject|Filename=clip|_|OnsetF=onset|ApexF1=apex|ApexF2|OffsetF=offset|_"
            "|AU=units|Emotion=emotion"
        ),
        "raw/sub{subject:02d}/{clip}/{clip}-{frame:03d}.jpg",
    ),
    "casme2": Copy(
        "CASME2-coding-20140508.xlsx",
        columns(
            "Subject=subject|Filename=clip|_|OnsetFrame=onset|ApexFrame=apex|OffsetFrame=offset|_"
            "|Action Units=units|Estimated Emotion=emotion"
        ),
        "CASME2-RAW/sub{subject:02d}/{clip}/img{frame}.jpg",
    ),
    "samm": Copy(
        "SAMM_Micro_FACS_Codes_v2.xlsx",
        columns(
            "Subject=subject|Filename=clip|Inducement Code|Onset Frame=onset|Apex Frame=apex"
            "|Offset Frame=offset|Duration|Micro|Action Units=units|Estimated Emotion=emotion"
            "|Objective Classes|Notes"
        ),
        "{subject:03d}/{clip}/{subject:03d}_{frame:05d}.jpg",
        above=13,
    ),
    **{
        f"smic-{variant.lower()}": Copy(
            f"SMIC-{variant}-E_annotation.xlsx",
            columns("Subject=subject|Filename=clip|OnsetF=onset|OffsetF=offset|Emotion=emotion"),
            variant + "/s{subject}/micro/{emotion}/{clip}/image{frame:06d}.bmp",
        )
        for variant in ("HS", "VIS", "NIR")
    },
    "cas-me2": Copy(
        "CAS(ME)^2code_final.xlsx",
        columns("=subject|=clip|=onset|=apex|=offset|=units|=emotion|=kind|=self"),
        "rawpic/s{subject}/{clip}/img{frame:03d}.jpg",
        header=False,
    ),
    "cas-me3": Copy(
        "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
        columns(
            "Subject=subject|Filename=clip|Onset=onset|Apex=apex|Offset=offset|AU=units"
            "|Objective class|emotion=emotion"
        ),
        "part_A/data/part_A/spNO.{subject}/{clip}/color/{frame}.jpg",
    ),
    "mmew": Copy(
        "MMEW_Micro_Exp.xlsx",
        columns(
            "Subject=subject|Filename=clip|OnsetFrame=onset|ApexFrame=apex|OffsetFrame=offset"
            "|Action Units=units|Estimated Emotion=emotion|remarks"
        ),
        "Micro_Expression/{emotion}/{clip}/{frame}.jpg",
    ),
    "4dme": Copy(
        "4DME_Labelling_Micro_release.xlsx",
        columns(
            "sub_ID=subject|fold_name=clip|Onset=onset|Apex=apex|Offset=offset|AUs=units"
            "|Emotion=emotion|Positive|Negative|Surprise|Repression|Others"
        ),
        "gray_micro/{subject:02d}/{clip}/{frame}.jpg",
    ),
    "dfme": Copy(
        "DFME_train.xlsx",
        columns(
            "Subject=subject|Filename=clip|OnsetFrame=onset|ApexFrame=apex|OffsetFrame=offset"
            "|Emotion=emotion|EmotionId|Fps=fps|AU=units"
        ),
        "{subject}/{clip}/{frame}.jpg",
    ),
}
#: Row by row: the plain one, then a defect each. Sets that lack a column lack its defect.
ROWS: tuple[dict[str, Any], ...] = (
    {"units": "4+L10"},
    {"subject": 2, "units": "R1A+A2"},
    {"clip": "c2", "apex": None},
    {"clip": "c3", "apex": "/", "units": "/"},
    {"clip": "c4", "apex": 9, "offset": 7},
    {"clip": "c5", "onset": 5, "offset": 3},
    {"clip": "c6", "units": "4/7+?12"},
    {"clip": "c7", "units": "smile"},
    {"clip": "gone"},
)
PLAIN = {
    "subject": 1, "clip": "c1", "onset": 4, "apex": 6, "offset": 9, "units": "12",
    "emotion": "surprise", "kind": "micro-expression", "self": "surprise", "fps": 200,
}  # fmt: skip


def written(root: Path, name: str, rename: dict[str, str] | None = None) -> Path:
    copy, sheet = COPIES[name], []
    rename = rename or {}
    sheet += [[f"above {index}"] for index in range(copy.above)]
    if copy.header:
        sheet.append([rename.get(str(held), title) for title, held in copy.columns])
    made = set()
    for change in ROWS:
        row = PLAIN | change
        sheet.append([row.get(str(held)) for _, held in copy.columns])
        path = root / copy.place.format(**row, frame=0)
        if row["clip"] != "gone" and path.parent not in made:
            made.add(path.parent)
            files = [Path(copy.place.format(**row, frame=number)).name for number in range(1, 13)]
            copies.pictures(path.parent, files, 16)
    copies.workbook(root / copy.sheet, {"Sheet1": sheet})
    return root


def lines(read: DataSet) -> list[str]:
    return [str(finding) for finding in read.findings]


def test_every_reader_is_tried() -> None:
    assert set(COPIES) == set(READERS)


@pytest.mark.parametrize("name", COPIES)
def test_defects_are_told_and_no_row_is_dropped(name: str, tmp_path: Path) -> None:
    read = read_data_set(name, written(tmp_path, name))
    assert len(read.records) == len(ROWS)
    assert published_name(name) == read.name
    held = {field for _, field in COPIES[name].columns}
    first, second, *rest, gone = read.records
    without, slash, before_apex, before_onset, doubted, word = rest
    told = {r.clip: [line for line in lines(read) if line.startswith(r.source + ":")] for r in rest}
    assert first.frames is not None and len(first.frames) == 12
    assert (first.onset, first.offset) == (3, 8)
    assert (first.valence, first.kind) == ("surprise", "micro")
    # The same name of another subject is another clip, but where the set has no subjects' folders.
    assert second.clip == first.clip and second.subject != first.subject
    if name != "mmew":
        assert second.path != first.path
    assert before_onset.offset is None
    assert any("offset 3 lies before the onset 5" in line for line in told["c5"])
    assert [r.clip for r in read.missing] == [gone.clip] == ["gone"]
    assert any(line.startswith(gone.source) and "no pictures of" in line for line in lines(read))
    if "apex" in held:
        assert first.apex == 5
        assert without.apex is None and any("apex is missing" in line for line in told["c2"])
        assert slash.apex is None and any("apex is '/'" in line for line in told["c3"])
        assert (before_apex.apex, before_apex.offset) == (8, None)
        assert any("offset 7 lies before the apex 9" in line for line in told["c4"])
    else:
        assert all(r.apex is None for r in read.records)
        assert any("no apex" in line for line in read.assumptions)
    if "units" in held:
        assert [str(u) for u in first.units] == ["4", "L10"]
        assert [str(u) for u in second.units] == ["R1A", "A2"]
        assert second.is_asymmetric
        assert slash.units == ()
        assert [str(u) for u in doubted.units] == ["4?", "7?", "12?"]
        assert any("alternatives" in line for line in told["c6"])
        assert any("doubted by its coder" in line for line in told["c6"])
        assert word.units == () and any("'smile'" in line for line in told["c7"])
    else:
        assert all(r.units == () for r in read.records)


@pytest.mark.parametrize("name", [name for name, copy in COPIES.items() if copy.header])
def test_a_renamed_column_is_one_line_and_can_be_named(name: str, tmp_path: Path) -> None:
    written(tmp_path, name, {"onset": "Begin of it"})
    with pytest.raises(InputError) as caught:
        read_data_set(name, tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    for part in (COPIES[name].sheet, "onset", "Begin of it", "--column onset=NAME"):
        assert part in line
    read = read_data_set(name, tmp_path, Overrides(columns={"onset": "Begin of it"}))
    assert len(read.records) == len(ROWS)
    assert read.records[0].onset == 3


@pytest.mark.parametrize("name", COPIES)
def test_a_sheet_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    written(tmp_path, name)
    copies.workbook(tmp_path / COPIES[name].sheet, {"Sheet1": [["a", "b"], [1, 2]]})
    with pytest.raises(InputError) as caught:
        read_data_set(name, tmp_path)
    assert COPIES[name].sheet in str(caught.value) and "\n" not in str(caught.value)
