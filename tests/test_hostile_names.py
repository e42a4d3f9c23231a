"""Names that come from files are shown and never run: not by a browser, a terminal, a template or a spreadsheet."""

import csv
import html
import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from browser import Tab, browser
from tiny_plan import ROLES, pixel
from tiny_study import ranked_study, tiny_head, tiny_study

from neuro_field.cli import main
from neuro_field.clinic.ledger import Ledger, LedgerReport
from neuro_field.commands.targets import target_form
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.images import write_image
from neuro_field.navigation.files import Export, export_plan, read_navigator
from neuro_field.report.opengl import PictureError, check_opengl
from neuro_field.shelf.coils import read_coil, write_coil
from neuro_field.store import plans
from neuro_field.store.coil_folder import write_coil_pages
from neuro_field.store.heads import read_head, write_head
from neuro_field.store.ledgers import write_ledger
from neuro_field.store.plans import read_plan, write_study

#: What runs where it can: in an element, an attribute, a script, a Vue or Jinja template, a terminal, a spreadsheet.
RUNS = (
    "=cmd|'/C calc'!A0 \"><img src=y onerror=\"document['title']='PWNED'\"><script>document['title']='PWNED'</script>"
    "</script><script>document['title']='PWNED'</script>{{6*7}}{% raw %}${6*7}$\\frac{1}{2}$"
)

#: And what must not reach a terminal or a table at all: it clears the screen, starts cells and lines, turns writing.
HOSTILE = RUNS + "\x1b]0;PWNED\x07\x1b[2J\t=1+1\r\nsecond line\x00\u202e"


def clean(text):
    """Whether a text holds line feeds and tabs, and letters that can be printed, alone."""
    return all(letter.isprintable() or letter in "\n\t" for letter in text)


@cache
def hostile_mask_target():
    """Of a mask whose file is called so; a slash and a dot end such a name."""
    import tempfile
    from pathlib import Path

    name = HOSTILE.replace("/", "").replace(".", "").replace("\x00", "")
    axis = np.arange(-80.0, 81.0, 8.0)
    grid = np.diag([8.0, 8, 8, 1])
    grid[:3, 3] = -80.0
    near = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1) - [40, 0, 55], axis=-1) < 20
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name[:150]}.nii"
        write_image(Path(folder) / "plain.nii", near.astype(np.uint8), grid)
        (Path(folder) / "plain.nii").rename(path)
        return target_form(f"mask:{path}")(tiny_head())


def hostile_coil(folder):
    """The coil of the small study, read from a .tcd with such a name and maker."""
    path = folder / "coil.tcd"
    write_coil(tiny_study().coil, path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"name": HOSTILE, "brand": HOSTILE}))
    return read_coil(path)


def hostile_head(folder):
    """The small head, read from a folder whose card was edited: control characters there are refused as damage."""
    write_head(tiny_head(), folder / "EDITED", qc=False)
    card = folder / "EDITED" / "head.json"
    content = json.loads(card.read_text())
    for name in (HOSTILE, "".join(letter for letter in HOSTILE if letter.isprintable())):
        content |= {"name": name, "provenance": {"T1": name, name: name}}
        content["mapping"]["source"] = name
        card.write_text(json.dumps(content))
        if name == HOSTILE:
            with pytest.raises(FileFormatError, match="damaged"):
                read_head(folder / "EDITED")
    return read_head(folder / "EDITED")


def hostile_study(folder):
    """All of these in one study."""
    made, coil = ranked_study(), hostile_coil(folder)
    changed = {}
    for role in ROLES:
        plan = getattr(made, role)
        named = replace(plan.target, name=HOSTILE, source=HOSTILE)
        changed[role] = replace(plan, target=named, coil=coil)
    return replace(made, head=hostile_head(folder), coil=coil, **changed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Everything that is written of hostile names."""
    room = tmp_path_factory.mktemp("hostile")
    study = hostile_study(room)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "study_pictures", lambda study, face=None: {f"{role}_side": pixel() for role in ROLES})
        write_study(study, room / "PLAN")
    write_head(study.head, room / "HEAD")
    export_plan(study, ["localite", "brainsight", "ant", "softaxic", "invesalius", "nibs-bids"], room / "OUT", Export())
    return room


@pytest.fixture(scope="module")
def written(folder):
    """Path and text of every file of text."""
    out = {}
    for part in ("PLAN", "HEAD", "OUT"):
        for path in sorted((folder / part).rglob("*")):
            if path.is_file() and path.suffix not in (".png", ".gz", ".msh", ".tcd"):
                out[path] = path.read_text(encoding="utf-8")
    return out


def test_no_file_holds_what_a_terminal_or_a_page_would_run(written):
    names = {path.name for path in written}
    assert {"plan.json", "plan.tsv", "report.html", "qc.html", "head.json"} <= names
    for path, text in written.items():
        assert clean(text), path.name
        if path.suffix == ".html":
            shown = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
            assert "<img src=y" not in text, path.name
            assert "PWNED" not in shown or "&lt;img src=y" in shown, path.name
    assert "PWNED" in next(text for path, text in written.items() if path.name == "qc.html")  # it is shown


def test_tables_keep_their_columns_and_no_cell_is_a_formula(written):
    tables = {path: text for path, text in written.items() if path.suffix == ".tsv"}
    assert len(tables) >= 3
    for path, text in tables.items():
        rows = [line.split("\t") for line in text.splitlines()]
        assert {len(row) for row in rows} == {len(rows[0])}, path.name
        cells = [cell for row in rows for cell in row if not re.fullmatch(r"-?[\d.e+-]+", cell)]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))], path.name


def test_files_of_one_folder_stay_in_it(folder):
    assert {path.name for path in folder.iterdir()} == {"EDITED", "coil.tcd", "PLAN", "HEAD", "OUT"}
    for path in folder.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9_.+-]+", path.name)


@pytest.mark.parametrize("page", ["PLAN/report.html", "HEAD/qc.html"])
def test_in_a_browser_nothing_runs_and_the_title_stays(folder, page):
    with browser() as running:
        tab = Tab(running)
        tab.page.on("dialog", lambda box: tab.complaints.append(box.message))
        tab.page.goto((folder / page).as_uri())
        tab.page.wait_for_timeout(700)
        assert tab.page.title().startswith(("Coil placement: ", "Head: "))
        assert tab.page.locator("img[src=y]").count() == 0
        assert tab.page.title() != "PWNED"
        assert tab.complaints == []
        assert all(url.startswith(("file:", "data:", "blob:")) for url in tab.requests)


def test_pages_of_coils_show_the_name_of_a_file(tmp_path):
    try:
        check_opengl()
    except PictureError as error:
        pytest.skip(str(error))
    hostile_coil(tmp_path)
    write_coil_pages([str(tmp_path / "coil.tcd")] * 2, tmp_path / "COILS")
    text = (tmp_path / "COILS" / "coils.html").read_text(encoding="utf-8")
    assert clean(text)
    assert html.escape("<img src=y", quote=False) in text
    assert "<img src=y" not in text
    assert len(list((tmp_path / "COILS").glob("*.png"))) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9_.+-]+", path.name) for path in (tmp_path / "COILS").iterdir())


def test_a_mask_gives_its_target_a_name_of_one_plain_line():
    target = hostile_mask_target()
    assert clean(target.name)
    assert "\t" not in target.name
    assert "onerror" in target.name


def test_a_page_that_is_served_takes_names_as_text(tmp_path):
    """Names come as data, which the page's scripts set as text; its own files hold none."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install -e .[serve]")
    from neuro_field.desk.server import FILES
    from neuro_field.desk.serving import Keeping, lead_page
    from neuro_field.field.solver import Solver
    from neuro_field.search.steering import Steering

    made = tiny_study().contralesional
    plan = replace(made, target=replace(made.target, name=HOSTILE, side=None))
    solver = Solver(tiny_head(), tolerance=1e-3)
    page = lead_page(solver, Steering.of(solver, plan.coil, plan, 4.0), plan, Keeping(tmp_path / "led"))
    scene = json.loads(page.data["scene"]())
    assert "onerror" in scene["title"]
    assert "patient's face" in scene["notes"][0]
    for name, content in page.files.items():
        text = (content if isinstance(content, bytes) else content.read_bytes()).decode("utf-8")
        assert "PWNED" not in text, name
    for script in FILES.glob("*.js"):
        assert not re.search(r"(inner|outer)HTML|insertAdjacentHTML|document\.write|eval", script.read_text()), script


def test_a_ledger_of_hostile_poses_is_a_table_that_runs_nothing(tmp_path):
    pose = "".join(f'data{i}{j}="{float(i == j) + 5.0 * (j == 3 and i < 3)}" ' for i in range(4) for j in range(4))
    name = html.escape(RUNS).replace("\n", "") + "&#9;=1+1&#10;second"
    text = f'<TriggerMarkerList coordinateSpace="RAS"><TriggerMarker description="{name}" set="true"><Matrix4D {pose}/>'
    (tmp_path / "poses.xml").write_text(f"{text}</TriggerMarker></TriggerMarkerList>")
    (marker,) = read_navigator(tmp_path / "poses.xml").markers
    marker = replace(marker, session="@SUM(1+1)*cmd")
    one = np.ones(1)
    made = Ledger(None, (marker,), 1.0, 1.0, one, one, one, one, one, LedgerReport(0, 1, 0.0, {}), one)
    for ending in (".tsv", ".csv"):
        write_ledger(made, tmp_path / f"ledger{ending}")
        written = (tmp_path / f"ledger{ending}").read_text(encoding="utf-8")
        (_, row) = csv.reader(written.splitlines(), delimiter={".tsv": "\t", ".csv": ","}[ending])
        assert row[1:3] == ["'@SUM(1+1)*cmd", f"'{marker.name}"]
        assert clean(written)


def test_an_edited_plan_is_refused_in_one_line(folder, tmp_path):
    """A plan's own names are of letters and digits: nothing else is read."""
    (tmp_path / "plan.json").write_bytes((folder / "PLAN" / "plan.json").read_bytes())
    content = json.loads((tmp_path / "plan.json").read_text())
    content["plans"]["contralesional"]["target"]["name"] = HOSTILE
    (tmp_path / "plan.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_plan(tmp_path)
    assert clean(str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_terminal_is_told_plain_lines(folder, tmp_path, capsys):
    commands = (
        ["coils", str(folder / "coil.tcd")], ["coils", HOSTILE], ["head", HOSTILE.replace("\x00", ""), "-o", "x"],
        ["report", str(folder / "PLAN"), "-o", str(tmp_path / "page.html")],
        ["export", str(folder / "PLAN"), "--to", "brainsight", "-o", str(tmp_path / "OUT")],
        ["export", str(folder / "PLAN"), "--to", HOSTILE], ["report", HOSTILE.replace("\x00", ""), "-o", "x"],
        ["plan", str(folder / "HEAD"), "--target", f"left:{HOSTILE}", "--coil", HOSTILE, "-o", str(tmp_path / "P")],
    )  # fmt: skip
    for command in commands:
        main(command)
        told = capsys.readouterr()
        assert clean(told.out), command[0]
        assert clean(told.err), command[0]
        assert told.out or told.err
