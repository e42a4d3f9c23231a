"""What the command line says while it works, and how it fails: stages with bars, tables, one-line errors."""

import os
import re
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from neuro_field.errors import ConvergenceError, InputError, printable
from neuro_field.findings import Refusal
from neuro_field.report.opengl import PictureError
from neuro_field.report.words import LANGUAGES, check_language, listed, named, phrase, said, worded

#: Cells of a table up to this length are not broken over lines: names in its first column, numbers in the others.
_NAME, _NUMBER = 26, 9

#: No column is squeezed to fewer characters.
_LEAST = 5


#: Options whose value may be a point, one or two numbers of it, and a number.
_POINTS = ("--at", "--handle-towards", "--target", "--hot-spot", "--direction", "--avoid")
_NUMBER_TEXT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+),?")
_BEGUN = re.compile(rf"((head|mni):)?{_NUMBER_TEXT.pattern}({_NUMBER_TEXT.pattern})?")

#: The status of an interrupted command, and what is said of one that had nothing to say itself.
_INTERRUPTED, _NOTHING_WRITTEN = 130, "Interrupted; nothing was written."


#: Where a machine says its language, the first that says anything.
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def language_of(given: str | None) -> str:
    """The language to speak: as given, else as the machine's locale has it, else English.

    Examples
    --------
    >>> language_of("ja")
    'ja'
    """
    if given:
        check_language(given)
        return given
    locale = next(filter(None, map(os.environ.get, _LOCALES)), "")
    return next((language for language in LANGUAGES if re.match(rf"{language}([_.@-]|$)", locale)), LANGUAGES[0])


def _language_typed(arguments: Sequence[str]) -> str:
    """The language that a command line asks for, before anything has checked it."""
    typed = [after for option, after in pairwise(arguments) if option == "--language"]
    typed += [each.partition("=")[2] for each in arguments if each.startswith("--language=")]
    return language_of(typed[-1] if typed and typed[-1] in LANGUAGES else None)


class Interrupted(Exception):
    """The user interrupted, and something was kept: the message says what and where."""


class _Bars:
    """Bars on stderr, seen for as long as the context lasts."""

    _progress: Progress

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class Stages(_Bars):
    """A bar per stage on stderr; call it with a stage's name and the share of it that is done.

    Parameters
    ----------
    language : str, optional
        That names of stages are shown in; the machine's when omitted.
    """

    def __init__(self, language: str | None = None) -> None:
        self.language = language_of(language)
        self.seconds: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn(),
            console=Console(stderr=True),
        )  # fmt: skip

    def __call__(self, stage: str, share: float) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage_words(stage, self.language), total=1.0)
            self._started[stage] = time.perf_counter()
        self._progress.update(self._tasks[stage], completed=share)
        self.seconds[stage] = time.perf_counter() - self._started[stage]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage that tells nothing on its way."""
        self(name, 0.0)
        yield
        self(name, 1.0)

    def summary(self) -> str:
        """Every stage and its seconds, in a line."""
        told = (f"{stage_words(name, self.language)} {seconds:.1f} s" for name, seconds in self.seconds.items())
        return phrase("terminal.stages", self.language, stages=listed(told, self.language))


def stage_words(stage: str, language: str) -> str:
    """A stage's name, and before it whose stage it is, in a language.

    Examples
    --------
    >>> stage_words("right-m1-hand: ranking", "en"), stage_words("right-m1-hand: ranking", "ja")
    ('right-m1-hand: ranking', '右 手の運動野: 順位づけ')
    """
    whose, colon, what = stage.rpartition(": ")
    side, _, site = whose.partition("-")
    if language != LANGUAGES[0] and side in ("left", "right") and site:
        whose = f"{named(side, language)} {named(site, language)}"
    return f"{whose}{colon}{worded(what, language)}"


class Counted(_Bars):
    """A bar on stderr over many people, with how many failed; lines are said above it."""

    def __init__(self, count: int) -> None:
        self._failed = 0
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), BarColumn(bar_width=24),
            TimeElapsedColumn(), console=self._console,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=count)

    def one_more(self, label: str, failed: bool) -> None:
        """One participant has ended."""
        self._failed += failed
        self._progress.update(
            self._task, advance=1, description=f"{label} ({self._failed} ×)" if self._failed else label
        )

    def say(self, line: str) -> None:
        """A line above the bar."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under headings, wrapped to the terminal; names and numbers are kept whole."""
    texts = [[str(value) for value in row] for row in rows]
    made = Table(show_lines=False)
    for index, heading in enumerate(headings):
        cells = [row[index] for row in texts]
        longest, words = max(map(len, cells), default=0), [word for cell in cells for word in cell.split()]
        whole = max(longest, len(heading)) <= (_NAME if index == 0 else _NUMBER)
        least = min(_LEAST, max(map(len, words), default=1))
        made.add_column(heading, overflow="fold", no_wrap=whole, min_width=None if whole else least)
    for row in texts:
        made.add_row(*(value.replace("[", r"\[") for value in row))
    Console().print(made)


def paragraph(text: str) -> None:
    """Print text broken to the terminal's width and set in."""
    width = max(Console().width, 40)
    print(textwrap.fill(text, width - 1, initial_indent="  ", subsequent_indent="    "))


def numbers(text: str, count: int, option: str, example: str = "40,-20,65") -> np.ndarray:
    """Numbers of an option, with commas or blanks between."""
    try:
        values = np.array([float(part) for part in text.replace(",", " ").split()])
    except ValueError:
        values = np.empty(0)
    if len(values) != count or not np.isfinite(values).all():
        raise InputError(f"Option {option} must be {count} numbers such as {example}; instead received {text!r}.")
    return values


def named_numbers(texts: Sequence[str] | None, option: str) -> dict[str, float]:
    """Repeated name=number values of an option."""
    out = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"Option {option} must be a name and a number, such as scalp=4.0; instead {text!r}.")
        out[name.strip()] = float(numbers(value, 1, option, "scalp=4.0")[0])
    return out


def joined_points(arguments: Sequence[str]) -> list[str]:
    """Arguments with the blanks within a point made commas: ``--at -20 40 65`` is ``--at -20,40,65``.

    The command line's own parser would take the -20 of ``--at 40 -20 65`` for an option.
    """
    out: list[str] = []
    for argument in arguments:
        option = out[-2] if len(out) > 1 else ""
        if option in _POINTS and _BEGUN.fullmatch(out[-1]) and _NUMBER_TEXT.fullmatch(argument):
            out[-1] = f"{out[-1].rstrip(',')},{argument.rstrip(',')}"
        else:
            out.append(argument)
    return out


#: Options whose values may follow one another, as BIDS Apps take them.
_LABELS = ("--participant-label", "--participant_label", "--session-label", "--session_label")

#: The last argument of a BIDS App that is no option.
_APP_LEVELS = ("participant", "group")


def joined_labels(arguments: Sequence[str]) -> list[str]:
    """Arguments with every label behind an option of its own: ``--participant-label 01 02`` as BIDS Apps are called.

    Examples
    --------
    >>> joined_labels(["cohort", "IN", "OUT", "participant", "--participant-label", "01", "02", "--edge", "4"])[4:]
    ['--participant-label', '01', '--participant-label', '02', '--edge', '4']
    """
    out: list[str] = []
    option = ""
    for argument in arguments:
        if argument.startswith("-"):
            option = argument if argument in _LABELS and any(level in out for level in _APP_LEVELS) else ""
        elif option and out[-1] != option:
            out.append(option)
        out.append(argument)
    return out


def fail_plainly(app: typer.Typer, arguments: list[str]) -> int:
    """Run a typer app; mistakes and missing parts end in a line each and status 2, a failed solve in status 1."""
    try:
        status = int(app(args=arguments, standalone_mode=False) or 0)
        if status != _INTERRUPTED:
            return status
        messages = [_NOTHING_WRITTEN]  # the library answers an interruption by this status alone
    except Refusal as error:
        language = _language_typed(arguments)
        messages, status = [said(finding, language) for finding in error.findings], 2
    except (InputError, PictureError, NotImplementedError, OSError) as error:
        messages, status = [_in_english(str(error), arguments)], 2
    except ConvergenceError as error:
        messages, status = [_in_english(str(error), arguments)], 1
    except Interrupted as error:
        messages, status = [str(error)], _INTERRUPTED
    except (typer.Abort, KeyboardInterrupt):
        messages, status = [_NOTHING_WRITTEN], _INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):  # the command-line library's own usage errors have it
            raise
        messages, status = [_in_english(error.format_message(), arguments)], 2
    for message in messages:
        print(f"neuro-field: {printable(message)}", file=sys.stderr)
    return status


def _in_english(message: str, arguments: Sequence[str]) -> str:
    """A line that there is in English only, announced in the language that was asked for."""
    return phrase("terminal.refused", _language_typed(arguments), message=message)
