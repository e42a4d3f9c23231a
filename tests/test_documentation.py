"""What README and pages say can be done: every command parses, every name exists, every figure was measured."""

import ast
import csv
import json
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import get_type_hints

import pytest
from typer.main import get_command

import neuro_field as nf
from neuro_field.cli import app
from neuro_field.clinic.presets import PRESETS
from neuro_field.field.validation import EDGES
from neuro_field.navigation.files import WRITERS
from neuro_field.report.opengl import PictureError, check_opengl
from neuro_field.shelf.coils import coil_names, is_coil_file

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "ja").glob("*.md")),
]
TRANSCRIPTS = sorted((ROOT / "docs" / "worked").glob("*.txt"))
COMMANDS = get_command(app).commands
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`(neuro-field [^`]+)`(?!`)")

#: What an option's value must be one of, where it is one of a list.
KNOWN = {
    "--preset": {preset.name for preset in PRESETS},
    "--to": {*WRITERS, "NAME"},
    "--size": set(EDGES),
    "--coil": {*coil_names(), "FILE"},
    "--format": {"msh", "nifti", "gifti", "vtu"},
}


def lines_of(language):
    """(page, text) of every block in a language."""
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if block["language"] == language:
                yield page.name, block["text"]


def shown_commands():
    """(where, command line) of every whole command that a page, a transcript or a command's help shows."""
    for page, text in [*lines_of(""), *lines_of("bash")]:
        yield from ((page, line) for line in text.splitlines() if line.startswith("neuro-field "))
    for path in TRANSCRIPTS:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        if first.startswith("$ "):
            yield path.name, first.removeprefix("$ ")
    for name, command in COMMANDS.items():
        yield f"{name} --help", re.search(r"Example: `(.+)`", command.help)[1]


def named(line):
    """The command of a line and its arguments."""
    words = shlex.split(line, comments=True)
    assert words[0] == "neuro-field"
    return words[1], words[2:]


@pytest.mark.parametrize(("where", "line"), [pytest.param(*shown, id=" ".join(shown)) for shown in shown_commands()])
def test_every_command_that_is_shown_parses(where, line):
    name, arguments = named(line)
    COMMANDS[name].make_context(name, list(arguments))
    for option, value in pairwise(arguments):
        for part in value.split(",") if option in KNOWN else ():
            assert part in KNOWN[option] or (option == "--coil" and is_coil_file(part)), f"{option} {part}"


def test_enough_commands_are_shown():
    shown = {named(line)[0] for where, line in shown_commands() if not where.endswith("--help")}
    assert {"head", "plan", "export", "delivered", "simulate", "validate"} <= shown


def test_commands_within_sentences_have_these_options():
    found = 0
    for page in PAGES:
        for text in INLINE.findall(page.read_text(encoding="utf-8")):
            name, arguments = named(text)
            if name.startswith("-"):
                continue
            options = {option for parameter in COMMANDS[name].params for option in parameter.opts} | {"--help"}
            assert {word for word in arguments if word.startswith("-")} <= options, f"{page.name}: {text}"
            found += 1
    assert found > 10


@pytest.mark.parametrize("function", [command.callback for command in app.registered_commands])
def test_help_says_what_each_option_is_and_in_which_unit(function):
    kinds = get_type_hints(function)
    for parameter in COMMANDS[function.__name__].params:
        assert parameter.help or parameter.name == "help", parameter.name
        if kinds.get(parameter.name) in (float, float | None):
            assert re.search(r"mm|degrees|%|A/us|share|0 to 66|Hz|Seconds|GB", parameter.help), parameter.name


@pytest.mark.parametrize(("page", "text"), list(lines_of("python")))
def test_python_on_the_pages_uses_names_that_exist(page, text):
    used = {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "nf"
    }
    assert used <= {*nf.__all__}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_of_a_page_is_taken_for_a_comment(page):
    """A line that begins with a per cent sign is left out by the pages' parser, without a warning."""
    assert [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("%")] == []


def test_every_public_name_is_on_the_page_of_names():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    missing = [
        name for name in nf.__all__ if f"neuro_field.{name}\n" not in page and f"neuro_field.{name}." not in page
    ]
    assert missing == []


def test_the_error_in_the_readme_was_measured():
    with (ROOT / "docs" / "worked" / "validation.tsv").open(encoding="utf-8", newline="") as file:
        rows = {(row["case"], row["metric"]): row for row in csv.DictReader(file, delimiter="\t")}
    row = rows["concentric sphere, centred", "L2 recovered"]
    said = re.search(
        rf"\| {row['edge_mm']} mm, ([\d,]+) nodes \| ([\d.]+) % \|", (ROOT / "README.md").read_text("utf-8")
    )
    assert round(int(row["nodes"]), -3) == int(said[1].replace(",", ""))
    assert round(100 * float(row["value"]), 2) == float(said[2])


class Loaded(HTMLParser):
    """What a page makes a browser load."""

    def __init__(self):
        super().__init__()
        self.sources = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.sources += [values["src"]] if "src" in values else []
        self.sources += (
            [values["href"]] if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload") else []
        )


@pytest.mark.slow
def test_pages_build_without_warnings_and_ask_nothing_of_a_network(tmp_path):
    pytest.importorskip("furo", reason="the extra `docs` is not installed")
    pytest.importorskip("myst_parser", reason="the extra `docs` is not installed")
    call = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", ROOT / "docs", tmp_path]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.glob("*.html"))
    assert len(pages) > 12
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.sources
        assert [source for source in loaded.sources if re.match(r"(https?:)?//", source)] == [], page.name
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


@pytest.mark.slow
def test_the_worked_patient_works(tmp_path):
    """Every command of the page runs, on a mesh far too coarse for use."""
    try:
        check_opengl()
    except PictureError as error:
        pytest.skip(str(error))
    call = [sys.executable, ROOT / "docs" / "worked.py", "--only", "patient", "--edge", "8", "--into", tmp_path]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "patient.json").read_text(encoding="utf-8"))
    assert figures.keys() == json.loads((ROOT / "docs/worked/patient.json").read_text(encoding="utf-8")).keys()
    delivered = (tmp_path / "delivered.txt").read_text(encoding="utf-8")
    assert f"{figures['pulses']} pulses" in delivered
    assert "2 with the coil off the head" in delivered
