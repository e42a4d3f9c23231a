"""The command that compares plans, from their folders alone."""

from pathlib import Path
from typing import Annotated

import typer

from neuro_field.commands.arguments import LanguageOption
from neuro_field.errors import InputError
from neuro_field.names import one_line


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="PLAN PLAN ...", help="Plan folders, two or more.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="New page to write, such as compare.html; a .tsv goes beside it.")
    ],
    language: LanguageOption = "",
) -> None:
    """Compare plans (coils, days, presets) on one page and in a table; those of different heads are told apart.

    Example: `neuro-field compare MONDAY FRIDAY -o compare.html`
    """
    from neuro_field.io.atomic import claimed_file, new_file
    from neuro_field.report.comparison import compared, comparison_findings, comparison_page, comparison_table
    from neuro_field.report.sentences import leveled
    from neuro_field.report.words import phrase
    from neuro_field.store.ledgers import name_cell
    from neuro_field.store.plan_tables import table_of
    from neuro_field.store.plans import read_kept

    table = output.with_suffix(".tsv")
    if table == output:
        raise InputError(f"Option --output names the page, such as compare.html; instead {str(output)!r:.80}.")
    with claimed_file(output), claimed_file(table):
        heads = compared([(name_cell(_name(folder, folders)), read_kept(folder)) for folder in folders])
        page, rows = (
            comparison_page(heads, language),
            table_of(comparison_table(heads)),
        )
        with new_file(output) as beside:
            beside.write_text(page, encoding="utf-8", newline="\n")
        with new_file(table) as beside:
            beside.write_text(rows, encoding="utf-8", newline="\n")
    for finding in comparison_findings(heads):
        typer.echo(leveled(finding, language))
    typer.echo(phrase("terminal.page", language, path=output))
    typer.echo(phrase("terminal.table", language, path=table))


def _name(folder: Path, others: list[Path]) -> str:
    """A folder's own name; with its parent's where another has the same."""
    own = folder.resolve()
    alike = sum(other.resolve().name == own.name for other in others) > 1
    return one_line(f"{own.parent.name}/{own.name}" if alike else own.name)
