"""The command that serves a page to lead the coil on."""

from pathlib import Path
from typing import Annotated

import typer

from neuro_field.commands.arguments import CoilOption, EdgeOption, LanguageOption, coil_of, head_of
from neuro_field.console import Stages
from neuro_field.errors import InputError


def serve(
    thing: Annotated[str, typer.Argument(metavar="PLAN|HEAD", help="A plan's folder, or anything that names a head.")],
    head: Annotated[str | None, typer.Option("--head", help="Of a plan: the head it was made from.")] = None,
    role: Annotated[str | None, typer.Option(help="Of a plan: contralesional or ipsilesional.")] = None,
    coil: CoilOption = "figure8-70mm",
    target: Annotated[str, typer.Option(help="On a head: a name from `neuro-field targets`.")] = "m1-hand",
    side: Annotated[str | None, typer.Option(help="On a head: left or right.")] = None,
    host: Annotated[str, typer.Option(help="localhost, or this machine's name for others to reach it.")] = "localhost",
    port: Annotated[int, typer.Option(help="Of the page.")] = 8080,
    language: LanguageOption = "",
    edge: EdgeOption = 1.9,
) -> None:
    """Lead the coil over the patient's scalp in a browser and see the field, the target's value and the rank.

    Example: `neuro-field serve PLAN --head HEAD`
    """
    from neuro_field.aim.axis import directed
    from neuro_field.aim.target import Target, check_same_mesh
    from neuro_field.clinic.study import plan_of
    from neuro_field.desk.serving import check_trame
    from neuro_field.desk.serving import serve as run
    from neuro_field.field.solver import Solver
    from neuro_field.report.words import phrase
    from neuro_field.search.candidates import Grid
    from neuro_field.search.search import plan as make_plan
    from neuro_field.search.steering import Steering
    from neuro_field.store.plans import planned_head, read_plan

    check_trame()
    planned = (Path(thing) / "plan.json").is_file()
    if planned and head is None:
        raise InputError("A plan does not hold the head; name it: neuro-field serve PLAN --head HEAD.")
    if not planned and side is None:
        raise InputError("On a head the target needs a side: give --side left or right.")
    with Stages() as stages:
        model = head_of(head if planned and head else thing, stages, edge)
        if planned:
            model = planned_head(thing, model)
        with stages.stage("solver set-up"):
            solver = Solver(model)
        if planned:
            made, _ = plan_of(read_plan(thing), role)
            check_same_mesh(model, made.target)
            if made.coil is None:
                raise InputError(f"The coil of {thing} is not on the shelf, or has changed; plan again.")
        else:
            aimed = directed(model, Target.named(model, target, str(side)))
            made = make_plan(solver, coil_of(coil), aimed, progress=stages)
        assert made.coil is not None
        with stages.stage("response of the target"):
            gap = made.search.grid.gap if made.search is not None else Grid().gap
            steering = Steering.of(solver, made.coil, made, gap)
    run(
        solver, steering, made, host=host, port=port, language=language,
        ready=lambda address: typer.echo(phrase("terminal.open", language, address=address)),
    )  # fmt: skip
