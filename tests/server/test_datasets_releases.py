"""What releases of one data set do differently: each is read, and what was assumed is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from microface.errors import InputError
from microface.server.clips.datasets.catalogue import read_data_set
from microface.server.clips.datasets.reading import Overrides

from . import copies

pytest.importorskip("openpyxl")

CASME2_ROW = [1, "EP02_01f", None, 46, 59, 86, None, "12", "happiness"]


def test_the_newest_of_several_sheets_is_read_and_objective_classes_are_not(tmp_path: Path) -> None:
    copies.casme2(tmp_path)
    newer = [*CASME2_ROW[:4], 60, *CASME2_ROW[5:]]
    for name in ("CASME2-coding-20190701.xlsx", "CASME2_label_Ver_2.xls"):
        copies.workbook(tmp_path / "x.xlsx", {"Sheet1": [copies.CASME2_HEADER, newer]})
        (tmp_path / "x.xlsx").rename(tmp_path / name)
    copies.workbook(
        tmp_path / "CASME2-ObjectiveClasses.xlsx", {"S": [["Subject", "Class"], [1, 2]]}
    )
    read = read_data_set("casme2", tmp_path)
    assert [r.apex for r in read.records] == [14]
    (not_read,) = (told for told in read.assumptions if told.startswith("not read"))
    assert "CASME2-coding-20140508.xlsx" in not_read and "Objective" not in not_read
    updated = [*CASME2_ROW[:4], 61, *CASME2_ROW[5:]]
    copies.workbook(
        tmp_path / "CASME2-coding-updated.xlsx", {"Sheet1": [copies.CASME2_HEADER, updated]}
    )
    assert [r.apex for r in read_data_set("casme2", tmp_path).records] == [15]
    for name in ("20140508", "20190701", "updated"):
        (tmp_path / f"CASME2-coding-{name}.xlsx").unlink()
    with pytest.raises(InputError, match="old kind"):  # rather than the objective classes
        read_data_set("casme2", tmp_path)


def test_cropped_pictures_have_names_of_their_own(tmp_path: Path) -> None:
    copies.workbook(
        tmp_path / "CASME2-coding-20140508.xlsx", {"Sheet1": [copies.CASME2_HEADER, CASME2_ROW]}
    )
    names = [f"reg_img{n}.jpg" for n in range(46, 87)]
    copies.pictures(tmp_path / "Cropped-updated" / "Cropped" / "sub01" / "EP02_01f", names)
    (record,) = read_data_set("casme2", tmp_path).records
    assert (record.onset, record.apex, record.offset) == (0, 13, 40)
    raw = tmp_path / "CASME2_RAW_selected" / "CASME2_RAW_selected" / "sub01" / "EP02_01f"
    copies.pictures(raw, [name.removeprefix("reg_") for name in names])
    (record,) = read_data_set("casme2", tmp_path).records
    assert record.path == raw and "2 places fit" in record.notes[0]


def test_the_rows_need_not_be_on_the_first_sheet(tmp_path: Path) -> None:
    header = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    row = ["spNO.1", "a", 355, 358, 362, "4", "IV", "Others"]
    tabs = {"notes": [["AU", "meaning"], ["4", "brow"]], "label": [header, row]}
    copies.workbook(tmp_path / "annotation" / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", tabs)
    clips = tmp_path / "Part_A_ME_clip"
    copies.pictures(clips / "frame" / "spNo.1_a_355", [f"{n}.jpg" for n in range(355, 363)])
    copies.pictures(clips / "depth" / "spNo.1_a_355", [f"{n}.png" for n in range(355, 363)])
    read = read_data_set("cas-me3", tmp_path)
    (record,) = read.records
    assert (record.onset, record.apex, record.offset, record.valence) == (0, 3, 7, "other")
    assert record.path.parts[-2:] == ("frame", "spNo.1_a_355")
    assert record.source.endswith("sheet 'label', row 2")


def test_cas_me3_macro_expressions_and_part_c_in_one_recording(tmp_path: Path) -> None:
    part_a = tmp_path / "part_A"
    macro = copies.workbook(
        part_a / "annotation" / "cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx",
        {"Sheet1": [["sub", "seq", "onset", "apex", "offset", "emotion"],
                    ["spNO.1", "b", 20, 25, 60, "happy"]]},
    )  # fmt: skip
    copies.pictures(part_a / "data" / "spNo.1" / "b" / "color", [f"{n}.jpg" for n in range(15, 70)])
    (record,) = read_data_set("cas-me3", part_a, Overrides(sheet=macro)).records
    assert (record.onset, record.apex, record.offset, record.kind) == (5, 10, 45, "macro")
    part_c = tmp_path / "part_C"
    header = ["sub", "count", "onset", "offset", "au", "emotion", "PHY"]
    rows = [[2, 1, 373, 380, "4", "fear", "x"], [2, 2, 400, 409, "1,2", "surprise", "y"]]
    copies.workbook(part_c / "CAS(ME)3_part_C_ME.xlsx", {"s": [header, *rows]})
    whole = part_c / "RGB_Depth" / "part_C" / "02" / "a"
    copies.pictures(whole / "color", [f"{n}.jpg" for n in range(370, 420)])
    copies.pictures(whole / "depth", [f"{n}.png" for n in range(370, 420)])
    read = read_data_set("cas-me3", part_c)
    assert [(r.onset, r.offset) for r in read.records] == [(3, 10), (30, 39)]
    assert {r.path for r in read.records} == {whole / "color"}


def test_casme_has_a_second_apex_only_where_it_differs(tmp_path: Path) -> None:
    header = ["Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "AU"]
    clips = [("EP01_5", 0), ("EP01_6", 105), ("EP01_7", 109)]
    rows = [[1, clip, None, 100, 105, second, 112, None, "4"] for clip, second in clips]
    copies.workbook(tmp_path / "casme.xlsx", {"S": [header, *rows]})
    for clip, _ in clips:
        place = tmp_path / "CASME_raw_selected" / "sub01" / clip
        copies.pictures(place, [f"{clip}-{n}.jpg" for n in range(98, 114)])
    notes = [record.notes for record in read_data_set("casme", tmp_path).records]
    assert notes == [(), (), ("a second apex, 109, is left out",)]


def test_samm_long_videos(tmp_path: Path) -> None:
    header = ["Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset", "Duration",
              "Type", "Action Units", "Notes"]  # fmt: skip
    rows = [
        ["006", "006_1_1", 1, 12, 15, 40, 29, "Macro", "L12", None],
        ["006", "006_1_2", 1, 50, 58, 70, 21, "Micro - 1/2", "R14B", None],
    ]
    above = [[f"note {n}"] for n in range(9)]
    copies.workbook(tmp_path / "SAMM_LongVideos_V3_Release.xlsx", {"1": [*above, header, *rows]})
    place = tmp_path / "SAMM_longvideos" / "006_1"
    copies.pictures(place, [f"006_1_{n:04d}.jpg" for n in range(1, 80)], grey=True)
    macro, micro = read_data_set("samm", tmp_path).records
    assert macro.path == micro.path == place
    assert (macro.onset, macro.apex, macro.offset, macro.kind) == (11, 14, 39, "macro")
    assert (micro.onset, micro.apex, micro.offset, micro.kind) == (49, 57, 69, "micro")
    assert micro.emotion is None


def test_smic_clips_of_several_expressions(tmp_path: Path) -> None:
    header = ["Subject", "Filename", "OnsetF", "OffsetF", "Onset2F", "Offset2F", "FirstF", "LastF",
              "TotalMF1", "TotalMF2", "TotalVL", "Emotion"]  # fmt: skip
    rows = [
        [3, "s3_sur_01", 308870, 308880, 308884, 308889, 308866, 308890, 11, 6, 25, "surprise"],
        [3, "s3_po_02", 400, 410, None, None, 400, 420, 11, None, 21, "positive"],
        [None] * 12,
    ]
    long = tmp_path / "SMIC-E_raw image" / "HS_long"
    copies.workbook(long / "SMIC-HS-E_annotation_2019.xlsx", {"s": [header, *rows]})
    below = long / "SMIC-HS-E" / "s03"
    copies.pictures(below / "s3_sur_01", [f"image{n}.jpg" for n in range(308866, 308891)])
    copies.pictures(below / "s3_po_02", [f"image{n:06d}.jpg" for n in range(400, 421)])
    read = read_data_set("smic-hs", tmp_path)
    told = [(record.clip, record.onset, record.offset) for record in read.records]
    assert told == [("s3_sur_01", 4, 14), ("s3_sur_01", 18, 23), ("s3_po_02", 0, 10)]
    assert read.findings == ()


def test_smic_without_a_sheet_is_told_by_its_folders(tmp_path: Path) -> None:
    for variant in ("HS", "NIR"):
        for clip, emotion in (("s1_ne_01", "negative"), ("s1_sur_02", "surprise")):
            place = tmp_path / "SMIC_all_cropped" / variant / "s1" / "micro" / emotion / clip
            names = [f"reg_image{n:06d}.bmp" for n in range(21, 30)]
            copies.pictures(place, names, grey=variant == "NIR")
    read = read_data_set("smic-nir", tmp_path)
    assert [(r.subject, r.clip, r.emotion) for r in read.records] == [
        ("s1", "s1_ne_01", "negative"), ("s1", "s1_sur_02", "surprise"),
    ]  # fmt: skip
    assert all("NIR" in r.path.parts and (r.onset, r.offset) == (0, 8) for r in read.records)
    assert any("no sheet" in told for told in read.assumptions) and read.findings == ()
    with pytest.raises(InputError, match="no sheet named like SMIC VIS"):
        read_data_set("smic-vis", tmp_path)


def test_mmew_without_folders_of_emotions(tmp_path: Path) -> None:
    header = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
              "Estimated Emotion", "remarks"]  # fmt: skip
    row = [1, "S01-02-001", 1, 5, 9, "4+7", "anger", None]
    copies.workbook(tmp_path / "MMEW_Micro_Exp (20).xlsx", {"s": [header, row]})
    place = tmp_path / "MMEW_Final" / "Micro_Expression" / "S01-02-001"
    copies.pictures(place, [f"{n}.jpg" for n in range(1, 11)])
    (record,) = read_data_set("mmew", tmp_path).records
    assert (record.path, record.notes) == (place, ())


def test_4dme_of_micro_and_macro_expressions(tmp_path: Path) -> None:
    header = ["No", "SubID", "VideoNo", "longclipNo", "MENo", "fold_name", "Onset", "Apex",
              "Offset", "AUs", "Emotion"]  # fmt: skip
    row = [1, "S13", 1, 1, 1, "S13_1_01", 2480, 2490, 2503, "AUR2+12(k)+45", "Positive"]
    name = "Micro_and_Macro-expression_labels_new_2D_oneLabel.xlsx"
    copies.workbook(tmp_path / name, {"s": [header, row]})
    place = tmp_path / "micro_short_gray_video_cropped" / "S13" / "S13_1_01"
    copies.pictures(place, [f"Frame_{n:09d}.jpg" for n in range(2480, 2504)], grey=True)
    (record,) = read_data_set("4dme", tmp_path).records
    assert (record.onset, record.apex, record.offset) == (0, 10, 23)
    assert [str(unit) for unit in record.units] == ["R2", "12?", "45"]
