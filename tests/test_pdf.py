"""A page as PDF by a browser that is there; without one, or with one that fails, a line that says to print."""

import os
import re
import sys
import time
from pathlib import Path

import pytest
from browser import NAMES
from tests_support import refusal
from tiny_plan import tiny_plan

from neuro_field.cli import main
from neuro_field.report import pdf


def fake_browser(folder, code, monkeypatch):
    """Instead of any browser, a program that does what the code says with its arguments."""
    script = folder / "fake-browser"
    script.write_text(f"#!{sys.executable}\nimport sys, time, os, subprocess\n{code}\n")
    script.chmod(0o755)
    monkeypatch.setattr(pdf, "NAMES", (str(script),))
    monkeypatch.setattr(pdf, "PLACES", ())


def test_without_a_browser_it_is_said_to_print(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pdf, "NAMES", ("no-such-browser",))
    monkeypatch.setattr(pdf, "PLACES", ())
    assert "print it" in refusal(pdf.printed, "<p>page</p>", tmp_path / "x.pdf")
    out = tmp_path / "card.pdf"
    assert main(["report", str(tiny_plan()), "--kind", "card", "--pdf", "-o", str(out)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "print it" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the fake browser is a script")
@pytest.mark.parametrize("code", ["sys.exit(3)", "open([a for a in sys.argv if 'print-to-pdf' in a][0][15:], 'w')"])
def test_a_browser_that_makes_no_pdf_is_said_to(tmp_path, monkeypatch, code):
    fake_browser(tmp_path, code, monkeypatch)
    line = refusal(pdf.printed, "<p>page</p>", tmp_path / "x.pdf")
    assert "made no PDF" in line
    assert "print it" in line
    assert not (tmp_path / "x.pdf").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the fake browser is a script")
def test_a_browser_that_hangs_is_stopped_with_all_that_it_started(tmp_path, monkeypatch):
    note = tmp_path / "child"
    fake_browser(
        tmp_path,
        f"child = subprocess.Popen(['sleep', '60']); open({str(note)!r}, 'w').write(str(child.pid)); time.sleep(60)",
        monkeypatch,
    )
    monkeypatch.setattr(pdf, "PATIENCE", 1.5)
    assert "stopped after" in refusal(pdf.printed, "<p>page</p>", tmp_path / "x.pdf")
    child = int(note.read_text())
    for _ in range(50):
        if not _running(child):
            break
        time.sleep(0.1)
    assert not _running(child)


def _running(process):
    """Whether a process lives; one that ended and was not asked for is none."""
    stat = Path(f"/proc/{process}/stat")
    if not Path("/proc").is_dir():
        pytest.skip("there is no /proc")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(sys.platform == "win32", reason="the fake browser is a script")
def test_the_browser_has_a_profile_of_its_own_and_asks_for_one_file(tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    fake_browser(
        tmp_path,
        f"open({str(seen)!r}, 'w').write(chr(10).join(sys.argv[1:]))\n"
        "open([a for a in sys.argv if 'print-to-pdf' in a][0][15:], 'wb').write(b'%PDF-1.4 made')",
        monkeypatch,
    )
    pdf.printed("<p>page</p>", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes() == b"%PDF-1.4 made"
    arguments = seen.read_text().splitlines()
    profile = next(a.partition("=")[2] for a in arguments if a.startswith("--user-data-dir="))
    assert not Path(profile).parent.exists()  # removed with all that was in it
    assert [a for a in arguments if "://" in a] == [arguments[-1]]
    assert arguments[-1].startswith("file:///")
    assert ("--no-sandbox" in arguments) == (os.geteuid() == 0)


def test_the_card_of_a_plan_is_one_page_of_a_real_browser(tmp_path, capsys):
    import shutil

    if not any(map(shutil.which, NAMES)):
        pytest.skip("no Chromium is installed: apt-get install chromium")
    out = tmp_path / "card.pdf"
    assert main(["report", str(tiny_plan()), "--kind", "card", "--language", "ja", "--pdf", "-o", str(out)]) == 0
    assert len(re.findall(rb"/Type\s*/Page[^s]", out.read_bytes())) == 1
    assert str(out) in capsys.readouterr().out
