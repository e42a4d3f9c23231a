"""The one way to make HTML here: every page is a template of this room on one layout, with one style sheet."""

import base64
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2

from neuro_field.errors import visible
from neuro_field.report.words import phrase


def rendered(template: str, *, language: str = "en", made: str | None = None, **values: Any) -> str:
    """A page from a template of this room, with the words, style, version and date that all pages have."""
    room = Path(__file__).parent
    pages = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(room), finalize=_plain_text,
    )  # fmt: skip
    pages.globals |= {"say": partial(phrase, language=language)}  # the macros use it as well
    return pages.get_template(template).render(
        style=(room / "style.css").read_text(encoding="utf-8"),
        language=language,
        version=version("neuro_field"),
        made=made or datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **values,
    )


def png_source(picture: bytes) -> str:
    """A PNG as the source of an image."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"


def _plain_text(value: Any) -> Any:
    """A text that a page shows, such as a name from a file, without control characters; markup of ours as it is."""
    return visible(value) if type(value) is str else value
