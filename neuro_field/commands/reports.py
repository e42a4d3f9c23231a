"""The command that makes a plan's report or card, or a motor map's page, again: from its folder alone."""

from pathlib import Path
from typing import Annotated

import typer

from neuro_field.commands.arguments import FacelessOption, LanguageOption


def report(
    folder: Annotated[Path, typer.Argument(metavar="PLAN|MAP", help="A plan folder, or that of a motor map.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New file to write, such as report.html.")],
    kind: Annotated[str, typer.Option(help="page, or card: one A4 side for who holds the coil.")] = "page",
    language: LanguageOption = "",
    pdf: Annotated[
        bool, typer.Option("--pdf", help="As PDF, by a Chromium, Chrome or Edge that is installed.")
    ] = False,
    faceless: FacelessOption = False,
) -> None:
    """Make the report of a plan or a motor map, or the operator's card, from its folder: nothing is computed.

    Example: `neuro-field report PLAN --kind card --language ja --pdf -o card.pdf`
    """
    from neuro_field.io.atomic import claimed_file, new_file
    from neuro_field.report.pdf import printed
    from neuro_field.report.words import phrase
    from neuro_field.store.maps import is_map
    from neuro_field.store.plans import render, said_of_kept

    with claimed_file(output):
        page = render(folder, kind=kind, language=language, faceless=faceless)
        with new_file(output) as beside:
            if pdf:
                printed(page, beside)
            else:
                beside.write_text(page, encoding="utf-8", newline="\n")
    for line in () if is_map(folder) else said_of_kept(folder, language):
        typer.echo(line)
    typer.echo(phrase("terminal.card" if kind == "card" else "terminal.report", language, path=output))
