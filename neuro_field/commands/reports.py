"""The command that makes a plan's report again, from its folder alone."""

from pathlib import Path
from typing import Annotated

import typer

from neuro_field.commands.arguments import FacelessOption, LanguageOption


def report(
    folder: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New file to write, such as report.html.")],
    kind: Annotated[str, typer.Option(help="page.")] = "page",
    language: LanguageOption = "",
    faceless: FacelessOption = False,
) -> None:
    """Make the report of a plan from its folder: no head is read, nothing is computed.

    Example: `neuro-field report PLAN --kind page --language ja -o page.html`
    """
    from neuro_field.io.atomic import claimed_file, new_file
    from neuro_field.report.words import phrase
    from neuro_field.store.plans import render, said_of_kept

    with claimed_file(output):
        page = render(folder, kind=kind, language=language, faceless=faceless)
        with new_file(output) as beside:
            beside.write_text(page, encoding="utf-8", newline="\n")
    for line in said_of_kept(folder, language):
        typer.echo(line)
    typer.echo(phrase("terminal.report", language, path=output))
