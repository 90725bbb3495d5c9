"""Each reader takes a copy in its set's layout, and tells of every defect in it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from microface.errors import InputError
from microface.server.clips.datasets.catalogue import READERS, read_data_set
from microface.server.clips.datasets.reading import DataSet, Overrides

from . import copies

pytest.importorskip("openpyxl")


def told(read: DataSet) -> str:
    return "\n".join(map(str, read.findings))


def test_casme2(tmp_path: Path) -> None:
    read = read_data_set("casme2", copies.casme2(tmp_path))
    first, second, third = read.records
    assert [r.subject for r in read.records] == ["1", "02", "1"]
    assert first.fps == 200 and first.valence == "positive"
    assert (first.onset, first.apex, first.offset) == (0, 13, 40)
    assert first.frames is not None and len(first.frames) == 41
    assert first.frames[13].name == "img59.jpg"
    assert first.seconds == pytest.approx(0.2)
    assert first.notes == ()
    # The same file name of another subject is another clip; its apex is a slash.
    assert second.path.parent.name == "sub02"
    assert (second.onset, second.apex, second.offset) == (2, None, 12)
    assert second.numbers == (10, None, 20)
    assert [str(u) for u in second.units] == ["4", "L10"]
    assert second.is_asymmetric
    assert "the apex is '/'" in second.notes
    # Numbers as text, and an offset before its apex.
    assert (third.onset, third.apex, third.offset) == (0, 30, None)
    assert third.numbers == (131, 161, 91)
    assert "row 4: the offset 91 lies before the onset 131" in told(read)
    assert any("200 frames a second" in a for a in read.assumptions)
    assert any("'Action Units'" in a for a in read.assumptions)


def test_an_override_of_the_rate_is_told(tmp_path: Path) -> None:
    given = Overrides(fps=Fraction(24000, 1001))
    read = read_data_set("casme2", copies.casme2(tmp_path), given)
    assert read.records[0].fps == Fraction(24000, 1001)
    assert "24000/1001 frames a second, as told" in read.assumptions


def test_a_csv_will_do_and_may_be_chinese(tmp_path: Path) -> None:
    copies.casme2(tmp_path)
    (tmp_path / "CASME2-coding-20140508.xlsx").unlink()
    rows = [copies.CASME2_HEADER, [1, "EP02_01f", "", "46", "59", "86", "", "12", "高兴"]]
    copies.text_sheet(tmp_path / "CASME2-coding.csv", rows, "gb18030")
    read = read_data_set("casme2", tmp_path)
    assert read.records[0].apex == 13
    assert read.records[0].emotion == "高兴"
    assert read.records[0].valence is None
    assert "'高兴' is not known" in told(read)


def test_pictures_that_are_missing_are_told(tmp_path: Path) -> None:
    rows = [
        [9, "EP01_01", None, 1, 2, 3, None, "4", "fear"],
        [1, None, None, 5, 6, 7, None, "4", "fear"],
    ]
    read = read_data_set("casme2", copies.casme2(tmp_path, rows))
    assert [r.clip for r in read.missing] == ["EP01_01"]
    assert "no pictures of 9 EP01_01" in told(read)
    assert "row 3: the clip is missing" in told(read)


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "C:\\x", "..\\x", "a\x07b"])
def test_a_row_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    if "\x07" in name:
        copies.casme2(tmp_path)
        (tmp_path / "CASME2-coding-20140508.xlsx").unlink()
        rows = [copies.CASME2_HEADER, [1, name, "", 46, 59, 86, "", "12", "x"]]
        copies.text_sheet(tmp_path / "CASME2-coding.csv", rows)
    else:
        copies.casme2(tmp_path, [[1, name, None, 46, 59, 86, None, "12", "x"]])
    with pytest.raises(InputError, match=r"row 2: the clip"):
        read_data_set("casme2", tmp_path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    inside = copies.casme2(tmp_path / "copy")
    copies.pictures(tmp_path / "elsewhere" / "EP09_09", ["img1.jpg", "img2.jpg"])
    (inside / "CASME2-RAW" / "sub09").symlink_to(tmp_path / "elsewhere")
    read = read_data_set("casme2", inside)
    assert "sub09: is a link; links are not followed" in told(read)


def test_a_missing_column_is_one_clear_line(tmp_path: Path) -> None:
    copies.casme2(tmp_path)
    header = ["Subject", "Filename", "Begin", "ApexFrame", "OffsetFrame", "Action Units"]
    path = tmp_path / "CASME2-coding-20140508.xlsx"
    copies.workbook(path, {"Sheet1": [header, [1, "EP02_01f", 46, 59, 86, "12"]]})
    with pytest.raises(InputError) as caught:
        read_data_set("casme2", tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    for part in (path.name, "'Sheet1'", "onset", "Begin", "--column onset=NAME"):
        assert part in line
    read = read_data_set("casme2", tmp_path, Overrides(columns={"onset": "begin"}))
    assert read.records[0].onset == 0


def test_no_sheet_and_an_old_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        read_data_set("casme2", tmp_path / "absent")
    (tmp_path / "notes.csv").write_text("a,b\n")
    with pytest.raises(InputError, match=r"notes\.csv"):
        read_data_set("casme2", tmp_path)
    (tmp_path / "CASME2_label_Ver_2.xls").write_bytes(b"old")
    with pytest.raises(InputError, match="old kind"):
        read_data_set("casme2", tmp_path)
    with pytest.raises(InputError, match="Choose from casme, casme2"):
        read_data_set("casme9", tmp_path)


def test_casme(tmp_path: Path) -> None:
    header = [
        "Subject",
        "Filename",
        None,
        "OnsetF",
        "ApexF1",
        "ApexF2",
        "OffsetF",
        None,
        "AU",
        "Emotion",
    ]
    rows = [[1, "EP01_5", None, 100, 105, 109, 112, None, "4+7", "tense"]]
    copies.workbook(tmp_path / "casme.xlsx", {"S": [header, *rows]})
    folder = tmp_path / "CASME_raw_selected" / "sub01" / "EP01_5"
    copies.pictures(folder, (f"EP01_5-{n:03d}.jpg" for n in range(96, 115)))
    (record,) = read_data_set("casme", tmp_path).records
    assert (record.onset, record.apex, record.offset) == (4, 9, 16)
    assert record.fps == 60 and record.valence == "other"
    assert "a second apex, 109, is left out" in record.notes


def test_samm_with_its_header_in_row_14(tmp_path: Path) -> None:
    header = [
        "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame",
        "Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes",
    ]  # fmt: skip
    rows = [
        ["006", "006_1_2", 1, 5562, 5588, 5632, 71, "Micro - 1/2", "R14B", "Contempt", 5, None],
        [6, "006_1_3", 1, 7121, None, 7099, 50, "Micro", "12 or 14", "Other", 6, None],
    ]
    above = [["SAMM", None]] + [[f"note {n}"] for n in range(12)]
    copies.workbook(tmp_path / "SAMM_Micro_FACS_Codes_v2.xlsx", {"1": [*above, header, *rows]})
    names = [f"006_{n:05d}.jpg" for n in range(5562, 5633)]
    copies.pictures(tmp_path / "006" / "006_1_2", names, grey=True)
    copies.pictures(tmp_path / "006" / "006_1_3", [f"006_{n:05d}.jpg" for n in (7121, 7122)])
    read = read_data_set("samm", tmp_path)
    first, second = read.records
    assert (first.onset, first.apex, first.offset) == (0, 26, 70)
    assert (str(first.units[0]), first.kind, first.valence) == ("R14B", "micro", "negative")
    assert first.source.endswith("row 15")
    assert (second.onset, second.apex, second.offset) == (0, None, None)
    assert [u.sure for u in second.units] == [False, False]
    assert "row 16: the duration 50 is not the -21 frames" in told(read)
    assert "row 16: the apex is missing" in told(read)


@pytest.mark.parametrize(("variant", "fps"), [("hs", 100), ("vis", 25), ("nir", 25)])
def test_smic_variants_do_not_mix(tmp_path: Path, variant: str, fps: int) -> None:
    header = ["Subject", "Filename", "OnsetF", "OffsetF", "TotalMF", "Emotion"]
    for name in ("HS", "VIS", "NIR"):
        row = ["s1", "s1_ne_01", 20, 24, 5, "negative"]
        copies.workbook(tmp_path / f"SMIC-{name}-E_annotation.xlsx", {"a": [header, row]})
        folder = tmp_path / name / "s1" / "micro" / "negative" / "s1_ne_01"
        copies.pictures(folder, (f"image{n:06d}.bmp" for n in range(18, 27)), grey=name == "NIR")
    read = read_data_set(f"smic-{variant}", tmp_path)
    (record,) = read.records
    assert variant.upper() in record.path.parts and record.fps == fps
    assert (record.onset, record.apex, record.offset) == (2, None, 6)
    assert record.units == () and record.valence == "negative"
    assert record.source.startswith(f"SMIC-{variant.upper()}")
    assert any("no action units" in a for a in read.assumptions)


def test_cas_me2_without_header_by_its_naming_rules(tmp_path: Path) -> None:
    tabs = {
        "CASFEcode_final": [
            [1, "disgust1_1", 3, 6, 9, "4+9", "negative", "micro-expression", "disgust"],
            [1, "disgust1_2", 20, 22, 0, "12", "positive", "macro-expression", "happy"],
        ],
        "naming rule1": [["s15", "xx", 1]],
        "naming rule2": [["0101", "disgust1"]],
    }
    copies.workbook(tmp_path / "CAS(ME)^2code_final.xlsx", tabs)
    folder = tmp_path / "rawpic" / "s15" / "15_0101disgustingteeth"
    copies.pictures(folder, (f"img{n:03d}.jpg" for n in range(1, 31)))
    read = read_data_set("cas-me2", tmp_path)
    first, second = read.records
    assert first.path == second.path == folder
    assert (first.onset, first.apex, first.offset, first.kind) == (2, 5, 8, "micro")
    assert (second.onset, second.apex, second.offset, second.kind) == (19, 21, None, "macro")
    assert first.frames is second.frames  # a long video is listed once
    assert "row 2: the offset is 0" in told(read)
    with pytest.raises(InputError, match="no header"):
        read_data_set("cas-me2", tmp_path, Overrides(columns={"onset": "x"}))


def test_cas_me3_parts_a_and_c(tmp_path: Path) -> None:
    part_a = tmp_path / "a"
    header = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    rows = [["spNO.1", "B", 175, 180, 186, "4", "IV", "disgust"]]
    copies.workbook(
        part_a / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", {"label": [header, *rows]}
    )
    inner = part_a / "part_A" / "data" / "part_A" / "spNo.1" / "b"
    kept = [n for n in range(170, 191) if n != 180]
    copies.pictures(inner / "color", (f"{n}.jpg" for n in kept))
    copies.pictures(inner / "depth", (f"{n}.png" for n in kept), grey=True)
    read = read_data_set("cas-me3", part_a)
    (record,) = read.records
    assert record.path.name == "color"
    assert (record.onset, record.apex, record.offset) == (5, 10, 15)
    assert "picture 180 of the apex is missing; 181 stands for it" in record.notes
    part_c = tmp_path / "c"
    header = ["sub", "count", "onset", "offset", "au", "emotion"]
    copies.workbook(
        part_c / "CAS(ME)3_part_C_ME.xlsx", {"s": [header, [2, 1, 3, 7, "1,2", "surprise"]]}
    )
    copies.pictures(part_c / "ME_C" / "02" / "1" / "color", (f"{n}.jpg" for n in range(1, 11)))
    (record,) = read_data_set("cas-me3", part_c).records
    assert (record.onset, record.apex, record.offset) == (2, None, 6)
    assert [u.number for u in record.units] == [1, 2]


def test_mmew(tmp_path: Path) -> None:
    header = [
        "Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
        "Estimated Emotion", "remarks",
    ]  # fmt: skip
    rows = [[1, "S01-02-001", 1, 9, 8, "4+7", "anger", "head moves"]]
    copies.workbook(tmp_path / "MMEW_Micro_Exp.xlsx", {"s": [header, *rows]})
    copies.pictures(
        tmp_path / "Micro_Expression" / "anger" / "S01-02-001", (f"{n}.jpg" for n in range(1, 11))
    )
    copies.pictures(tmp_path / "Macro_Expression" / "anger" / "S01-02-001", ["1.jpg"])
    read = read_data_set("mmew", tmp_path)
    (record,) = read.records
    assert record.path.parts[-3:] == ("Micro_Expression", "anger", "S01-02-001")
    assert record.fps == 90
    assert (record.onset, record.apex, record.offset) == (0, 8, None)
    assert "the sheet remarks: head moves" in told(read)


def test_4dme_and_its_binary_columns(tmp_path: Path) -> None:
    header = ["sub_ID", "fold_name", "Onset", "Apex", "Offset", "AUs", "Emotion"]
    header += ["Positive", "Negative", "Surprise", "Repression", "Others"]
    rows = [
        ["01", "01_10", 10, 12, 15, "AU4+5(k)", "Negative", 0, 1, 0, 0, 0],
        ["01", "01_30", 30, 31, 33, "AU1", None, 1, 0, 1, 0, 0],
    ]
    copies.workbook(tmp_path / "4DME_Labelling_Micro_release v1.xlsx", {"s": [header, *rows]})
    copies.pictures(
        tmp_path / "gray_micro" / "01" / "01_10", (f"{n}.jpg" for n in range(10, 16)), grey=True
    )
    copies.pictures(
        tmp_path / "gray_micro" / "01" / "01_30", (f"{n}.jpg" for n in range(30, 34)), grey=True
    )
    read = read_data_set("4dme", tmp_path)
    first, second = read.records
    assert [str(u) for u in first.units] == ["4", "5?"]
    assert (first.apex, first.fps, first.valence) == (2, 60, "negative")
    assert second.valence is None
    assert "of several classes: Positive, Surprise" in told(read)


def test_dfme_takes_each_rows_rate(tmp_path: Path) -> None:
    header = [
        "Subject",
        "Filename",
        "OnsetFrame",
        "ApexFrame",
        "OffsetFrame",
        "Emotion",
        "EmotionId",
    ]
    rows = [["s1", f"c{fps}", 901, 905, 909, "fear", 3, fps, "1+2"] for fps in (500, 300.0, "200")]
    copies.text_sheet(tmp_path / "DFME_train.csv", [[*header, "Fps", "AU"], *rows])
    for fps in (500, 300, 200):
        copies.pictures(tmp_path / f"c{fps}", (f"{n}.jpg" for n in range(0, 9)))
    read = read_data_set("dfme", tmp_path)
    assert [r.fps for r in read.records] == [500, 300, 200]
    record = read.records[0]
    # Its pictures are numbered from 0; the sheet counts in the recording.
    assert (record.onset, record.apex, record.offset) == (0, 4, 8)
    assert any("longer recording" in note for note in record.notes)
    copies.text_sheet(tmp_path / "DFME_train.csv", [[*header, "AU"], [*rows[0][:7], "1"]])
    with pytest.raises(InputError, match="--fps"):
        read_data_set("dfme", tmp_path)


def test_every_reader_names_a_missing_folder(tmp_path: Path) -> None:
    for name in READERS:
        with pytest.raises(InputError, match="folder"):
            read_data_set(name, tmp_path / "absent")
