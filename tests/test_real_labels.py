"""From a person's T1 and the raw labels of SAMSEG to a plan, by the command line, on a coarse mesh."""

import json
from pathlib import Path

import pytest

from neuro_field.cli import main

DATA = Path(__file__).parents[2] / "shared" / "data" / "colin27"


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.skipif(not DATA.is_dir(), reason="the raw SAMSEG labels are not beside the repository")
def test_raw_labels_of_samseg_become_a_plan(tmp_path, capsys):
    head, plan = tmp_path / "HEAD", tmp_path / "PLAN"
    images = [DATA / "colin27_T1.nii.gz", "--labels", DATA / "colin27_samseg_labels.nii.gz"]
    assert main([str(word) for word in ["head", *images, "--edge", 4, "-o", head]]) == 0
    assert json.loads((head / "head.json").read_text())["mapping"]["mni_from_head"] is not None
    study = ["--preset", "contralesional-1hz-hand", "--lesion-side", "left"]
    assert main([str(word) for word in ["plan", head, *study, "-o", plan]]) == 0
    assert "Contralesional (right) hemisphere" in capsys.readouterr().out

    record = json.loads((plan / "plan.json").read_text())["plans"]["contralesional"]
    assert record["report"]["placements"] >= 1000  # half circles: turned right round, this coil does the same
    best = record["ranking"][0]
    assert best["strength"] == pytest.approx(best["verified"], rel=0.01)
    assert 0.3 < best["verified"] < 0.9
    x, y, z = (row[3] for row in best["head_from_coil"][:3])
    assert (x, y, z) == pytest.approx((57, -11, 83), abs=15)  # over the right hand area
    assert (plan / "report.html").stat().st_size > 100_000
