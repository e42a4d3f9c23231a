"""A head is signed off by a named person who has looked at it, and unsigned again once it is another."""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_card import kept_of, marked_study
from tests_support import refusal
from tiny_study import tiny_head

from neuro_field.cli import main
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.sign_off import LONGEST
from neuro_field.report.opengl import PictureError
from neuro_field.report.page import card_page, study_page
from neuro_field.store import heads, plans
from neuro_field.store.heads import read_head, sign_head, write_head
from neuro_field.store.plans import read_kept, write_study


@pytest.fixture(autouse=True, scope="module")
def undrawn():
    """Pictures play no part here, and take seconds each."""

    def none(*_):
        raise PictureError("not drawn")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "head_picture", none)
        patch.setattr(plans, "study_pictures", none)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed") / "HEAD"
    write_head(tiny_head(), folder)
    return folder


def test_the_command_signs_record_and_page(folder, capsys):
    assert "Not signed off." in (folder / "qc.html").read_text(encoding="utf-8")
    assert read_head(folder).sign_off is None
    assert main(["head", str(folder), "--sign", "田中　<愛子>", "--language", "en"]) == 0
    assert "signed off by 田中 <愛子>" in capsys.readouterr().out
    page = (folder / "qc.html").read_text(encoding="utf-8")
    assert "Not signed off." not in page
    assert "signed off by 田中 &lt;愛子&gt;, 20" in page
    head = read_head(folder)
    assert head.sign_off.name == "田中 <愛子>"
    assert json.loads((folder / "head.json").read_text())["provenance"]["signed_off_by"] == "田中 <愛子>"
    assert main(["head", str(folder), "--sign", "Another", "--language", "en"]) == 0  # the last one counts
    assert read_head(folder).sign_off.name == "Another"
    assert "愛子" not in (folder / "qc.html").read_text(encoding="utf-8")


def test_a_head_that_changed_is_unsigned_again(folder, tmp_path):
    sign_head(folder, "A. Tanaka")
    head = read_head(folder)
    tags = np.array(head.mesh.tags)
    tags[0] = 3 if tags[0] != 3 else 2
    others = (
        head.with_conductivity({"bone": 0.02}),
        replace(head, mapping=None),
        replace(head, mesh=replace(head.mesh, tags=tags)),
        replace(head, mesh=replace(head.mesh, nodes=head.mesh.nodes + 1.0)),
    )
    assert [other.sign_off for other in others] == [None] * 4
    finer = head.refined(near=head.mesh.nodes.mean(axis=0), radius=10.0)
    assert finer.sign_off.name == "A. Tanaka"  # the same head in smaller pieces
    assert head.with_conductivity({"bone": 0.02}).refined(near=(0, 0, 0), radius=10.0).sign_off is None
    write_head(others[0], tmp_path / "OTHER")
    assert "signed_off_by" not in (tmp_path / "OTHER" / "head.json").read_text()
    assert "Not signed off." in (tmp_path / "OTHER" / "qc.html").read_text(encoding="utf-8")
    (tmp_path / "OTHER" / "head.json").write_bytes((folder / "head.json").read_bytes())
    card = json.loads((folder / "head.json").read_text())
    card["tissues"][0]["conductivity_S_per_m"] *= 2
    (tmp_path / "OTHER" / "head.json").write_text(json.dumps(card))
    assert read_head(tmp_path / "OTHER").sign_off is None  # edited behind our back


@pytest.mark.parametrize("name", ["", "  ", "A\nB", "A\x1b[2J", "A\u202eB", "\ud800", "12", "x" * (LONGEST + 1)])
def test_names_that_are_none_are_refused(folder, name):
    before = (folder / "head.json").read_bytes()
    assert f"1 to {LONGEST} letters" in refusal(sign_head, folder, name)
    with pytest.raises(InputError, match="1 to"):
        tiny_head().signed(name, "2030-01-02T03:04Z")
    assert (folder / "head.json").read_bytes() == before


def test_only_what_was_looked_at_can_be_signed(folder, tmp_path, capsys):
    assert "only such a folder" in refusal(sign_head, tmp_path, "A. Tanaka")
    write_head(tiny_head(), tmp_path / "BARE", qc=False)
    assert "only such a folder" in refusal(sign_head, tmp_path / "BARE", "A. Tanaka")
    stop = Finding("head-open-skull", "stop", {}).plain()
    unanswered = replace(tiny_head(), provenance={"findings": [stop]})
    write_head(unanswered, tmp_path / "STOP", qc=False)
    (tmp_path / "STOP" / "qc.html").write_text("looked at")
    assert "unanswered" in refusal(sign_head, tmp_path / "STOP", "A. Tanaka")
    assert main(["head", str(folder), "--sign", "A. Tanaka", "-o", str(tmp_path / "NEW")]) == 2
    assert "goes with a finished HEAD alone" in capsys.readouterr().err
    assert main(["head", str(folder)]) == 2
    assert "-o HEAD" in capsys.readouterr().err


@pytest.mark.parametrize(("language", "checked", "none"), [("en", "Signed off", "no"), ("ja", "確認した人", "なし")])
def test_card_and_report_say_who_and_when(tmp_path, language, checked, none):
    study = marked_study()
    signed = replace(study, head=study.head.signed("<i>田中 A.", "2030-01-02T03:04Z"))
    told = "&lt;i&gt;田中 A., 2030-01-02 03:04 UTC"
    assert told in card_page(kept_of(signed), language)
    write_study(signed, tmp_path / "PLAN")
    kept = read_kept(tmp_path / "PLAN")  # by way of plan.json
    assert f'<th scope="row">{checked}</th><td>{told}</td>' in study_page(kept, language)
    assert told in card_page(kept, language)
    assert f'<th scope="row">{checked}</th><td>{none}</td>' in study_page(kept_of(study), language)
