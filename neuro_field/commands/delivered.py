"""The command that compares what was delivered with the plan: navigators' files and filled-in cards."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuro_field.commands.arguments import EdgeOption, HeadArgument, LanguageOption, coil_of, head_of
from neuro_field.console import Stages
from neuro_field.errors import InputError

if TYPE_CHECKING:
    from neuro_field.clinic.filled_card import FilledCard
    from neuro_field.coil.coil import Coil
    from neuro_field.coil.marker import Marker
    from neuro_field.head.model import HeadModel
    from neuro_field.report.kept import Kept
    from neuro_field.search.plan import Plan


def delivered(
    head: HeadArgument,
    plan: Annotated[Path, typer.Option(help="The plan's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New .tsv or .csv file, one row per pulse.")],
    poses: Annotated[
        list[Path] | None, typer.Option(help="Recorded poses, a navigator's file; may be given several times.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="A filled-in card, as 'Cz 61 right 3 front, handle 4:00': mm from a 10-10 position, then the handle "
            "by the clock; a session's name and a colon may stand before. May be repeated."
        ),
    ] = None,
    mso: Annotated[list[float] | None, typer.Option(help="Output used, %, of each --at.")] = None,
    page: Annotated[
        Path | None, typer.Option(help="New .html file: planned against delivered as pictures, and the ledger.")
    ] = None,
    role: Annotated[
        str | None, typer.Option(help="contralesional or ipsilesional; else the preset's own side.")
    ] = None,
    coil: Annotated[str | None, typer.Option(help="A name or file; else the plan's coil.")] = None,
    image: Annotated[Path | None, typer.Option(help="The T1 (NIfTI) that the navigator had loaded.")] = None,
    language: LanguageOption = "",
    edge: EdgeOption = 1.9,
) -> None:
    """Compute the field that recorded pulses delivered to the target, against the plan.

    Example: `neuro-field delivered HEAD --plan PLAN --poses session1.xml --poses session2.xml -o ledger.tsv`

    Without a navigator: `neuro-field delivered HEAD --plan PLAN --at "Cz 61 right 3 front, handle 4:00" --mso 52 -o
    ledger.tsv`
    """
    from contextlib import ExitStack

    from neuro_field.aim.target import check_same_mesh
    from neuro_field.clinic.ledger import delivered as ledger_of
    from neuro_field.clinic.ledger import other_side_findings
    from neuro_field.clinic.study import plan_of
    from neuro_field.commands.cards import filled_cards
    from neuro_field.field.solver import Solver
    from neuro_field.io.atomic import claimed_file, new_file
    from neuro_field.navigation.frames import ImageFrames
    from neuro_field.navigation.sessions import recorded_poses
    from neuro_field.report.ledger import ledger_lines
    from neuro_field.report.ledger_page import ledger_page
    from neuro_field.report.words import phrase
    from neuro_field.store.ledgers import check_new_table, write_ledger
    from neuro_field.store.plans import planned_head, read_kept

    check_new_table(output)
    if not poses and not at:
        raise InputError("Give recorded poses (--poses FILE), a filled-in card (--at), or both.")
    kept = read_kept(plan)
    chosen, dose = plan_of(kept.study, role)
    cards = filled_cards(at or (), mso or (), handle_free=chosen.handle_free)
    recorded, notes = recorded_poses(poses, ImageFrames.read(image) if image else None) if poses else ([], [])
    induced = coil_of(coil) if coil else chosen.coil
    if induced is None:
        raise InputError(f"The coil of {plan} is not on the shelf, or has changed; give --coil.")
    didt = dose.matched / 100 * induced.didt_max if dose and dose.matched and induced.didt_max else None
    with ExitStack() as claims, Stages(language) as stages:
        for path in (output, *([page] if page else [])):
            claims.enter_context(claimed_file(path))
        model = planned_head(plan, head_of(head, stages, edge))
        check_same_mesh(model, chosen.target)
        markers = [*recorded, *_typed(cards, model, kept, chosen, induced)]
        with stages.stage("solver set-up"):
            solver = Solver(model)
        ledger = ledger_of(
            solver, induced, chosen.target, chosen.best.placement, markers, planned_didt=didt, progress=stages
        )
        write_ledger(ledger, output)
        findings = other_side_findings(ledger, kept.study, role)
        lines = [
            *(phrase("level.note", language, text=note) for note in (*notes, *_doubts(cards, chosen, language))),
            *ledger_lines(ledger, chosen, findings, language),
        ]
        if page:
            with new_file(page) as beside:
                text = ledger_page(ledger, chosen, kept.facts.head, lines, subject=kept.subject, language=language)
                beside.write_text(text, encoding="utf-8", newline="\n")
    for line in lines:
        typer.echo(line)
    typer.echo(stages.summary())
    typer.echo(phrase("terminal.ledger", language, path=output))
    if page:
        typer.echo(phrase("terminal.page", language, path=page))


def _typed(cards: "list[FilledCard]", head: "HeadModel", kept: "Kept", plan: "Plan", coil: "Coil") -> "list[Marker]":
    """The poses of filled-in cards, by the tape that their plan was printed with."""
    from neuro_field.clinic.tape_spot import tape_as_told, tape_of

    if not cards:
        return []
    tape = tape_as_told(plan, head.scalp, kept.facts.head.landmarks) or tape_of(head)
    return [card.marker(head, tape, plan, coil) for card in cards]


def _doubts(cards: "list[FilledCard]", plan: "Plan", language: str) -> list[str]:
    """How well places are known that come from cards."""
    from neuro_field.clinic.filled_card import by_tape_finding
    from neuro_field.report.words import said

    return [said(by_tape_finding(plan, len(cards)), language)] if cards else []
