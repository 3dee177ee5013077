"""An export obeys a curation file, takes it along, and refuses one that belongs to something else."""

from __future__ import annotations

import hashlib

import pytest

from core.errors import InputRefusedError
from dataset.curation import Decision, read_curation, render_curation
from dataset.export.plan import plan_export
from dataset.export.request import ExportOptions, ExportRequest
from tests.support.exports import export_to, files_of, manifest, pixels_of, put


@pytest.fixture
def output(tmp_path):
    for number in range(1, 7):
        put(tmp_path / "out", "MEL" if number % 2 else "NV", number, number)
    return tmp_path / "out"


def decide(output, **kept):
    """Write a curation file of all images; `kept` by file number, others are kept."""
    paths = sorted(output.glob("*/*.png"))
    path = output.parent / "curation.csv"
    path.write_text(
        render_curation(
            Decision(
                image=file.relative_to(output).as_posix(),
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
                code=file.parent.name,
                kept=kept.get(f"n{int(file.stem[-7:])}", True),
                rule="fidelity",
                reason="because",
                fidelity=0.1234567,
            )
            for file in paths
        ),
        encoding="utf-8",
    )
    return path


def test_what_is_written_is_read(output):
    choices = read_curation(decide(output, n3=False)).choices
    assert len(choices) == 6
    assert {name for name, choice in choices.items() if not choice.kept} == {"MEL/ISIC_0000003.png"}


@pytest.mark.parametrize("form", ["imagefolder", "csv", "jsonl", "hf", "isic"])
def test_left_out_images_are_not_exported_and_the_file_goes_along(output, tmp_path, form):
    curation = decide(output, n3=False, n4=False)
    plan = export_to(output, tmp_path / "set", format=form, split=None, curation=curation)
    exported = {row["source_file"] for row in manifest(tmp_path / "set")}
    assert exported == {f"{'MEL' if n % 2 else 'NV'}/ISIC_{n:07d}.png" for n in (1, 2, 5, 6)}
    files = files_of(tmp_path / "set")
    assert files["curation.csv"] == curation.read_bytes()
    assert b"curation.csv" in files["SHA256SUMS"]
    assert b"that the curation keeps" in files["README.md"]
    assert "Excluded by the curation: 2 images." in plan.warnings


def test_a_folder_stands_for_the_file_in_it(output, tmp_path):
    decide(output, n1=False)
    assert plan_export(output, ExportOptions(tmp_path / "set", curation=tmp_path)).rows == 5


def test_images_made_or_changed_since_are_left_out(output, tmp_path):
    curation = decide(output)
    put(output, "MEL", 9, 9)
    put(output, "MEL", 1, 1, pixels=pixels_of(99))
    plan = plan_export(output, ExportOptions(tmp_path / "set", curation=curation))
    assert plan.rows == 5
    assert "Excluded because the curation did not evaluate them in their present state: 2 images." in plan.warnings


def test_a_file_for_another_folder_is_refused(output, tmp_path):
    curation = decide(output)
    put(tmp_path / "other", "DF", 1, 1)
    with pytest.raises(InputRefusedError, match="names none of these images"):
        plan_export(tmp_path / "other", ExportOptions(tmp_path / "set", curation=curation))


def test_a_file_may_be_edited_and_a_slip_is_named(output, tmp_path):
    curation = decide(output)
    lines = curation.read_text(encoding="utf-8").splitlines()
    edited = lines[1].replace(",1,fidelity,", ",no,,")
    curation.write_text("\n".join([lines[0], edited, *lines[2:]]), encoding="utf-8")
    assert plan_export(output, ExportOptions(tmp_path / "set", curation=curation)).rows == 5
    curation.write_text("\n".join([lines[0], lines[1].replace(",1,fidelity", ",maybe,fidelity")]), encoding="utf-8")
    with pytest.raises(InputRefusedError, match=r"Line 2 .* 'maybe'"):
        read_curation(curation)
    curation.write_text("\n".join([*lines, lines[1]]), encoding="utf-8")
    with pytest.raises(InputRefusedError, match=r"Line 8 .* second time"):
        read_curation(curation)


def test_a_damaged_line_is_named(output, tmp_path):
    curation = decide(output)
    lines = curation.read_bytes().splitlines(keepends=True)
    curation.write_bytes(b"".join([*lines[:3], lines[3].replace(b"because", b"be\0cause"), *lines[4:]]))
    plan = plan_export(output, ExportOptions(tmp_path / "set", curation=curation))
    assert plan.rows == 5
    damaged, unjudged = plan.warnings[:2]
    assert "line 4 (a zero byte)" in damaged
    assert str(curation) in damaged
    assert "did not evaluate them in their present state: 1 image." in unjudged


@pytest.mark.parametrize("content", [b"", b"image,class\nx,MEL\n", b"\xff\xfe\x00"])
def test_something_else_is_no_curation_file(tmp_path, content):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputRefusedError, match=r"x\.csv"):
        read_curation(tmp_path / "x.csv")


def test_the_command_that_is_copied_names_the_file(output, tmp_path):
    options = ExportOptions(tmp_path / "set", curation=tmp_path / "curation.csv")
    arguments = ExportRequest.of(output, options).arguments()
    assert arguments[arguments.index("--curation") + 1] == str(tmp_path / "curation.csv")
