"""An image as it is given to a command: a file as it is, or the one series of a folder of DICOM."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import typer

from neuro_field.console import Stages, table
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.model import HeadModel

SeriesOption = Annotated[
    str | None, typer.Option("--series", help="Of DICOM: the series by number, UID, or (part of) its description.")
]


@dataclass(frozen=True)
class GivenImage:
    """A T1: the file to read, and what a head keeps of the scan it came from (nothing of an image file)."""

    path: str
    facts: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def told_to(self, head: HeadModel) -> HeadModel:
        """The head with what is known of its scan, and what has to be said of it."""
        if not self.facts:
            return head
        said = [*head.provenance.get("findings", ()), *(finding.plain() for finding in self.findings)]
        return replace(head, provenance={**head.provenance, "scan": self.facts, "findings": said})


@contextmanager
def given_image(image: str, series: str | None, stages: Stages) -> Iterator[GivenImage]:
    """The T1 that was given; one made of DICOM lives as long as the context.

    Series are listed, the one that is taken and those worth knowing of beside it are named.
    """
    from neuro_field.segment.dicom import converted, find_series, holds_dicom

    if not holds_dicom(image):
        if series is not None:
            raise InputError(f"Option --series is for DICOM; {image} is none.")
        yield GivenImage(image)
        return
    from neuro_field.segment.series_choice import beside, chosen_series, findings_of, rows_of

    found = find_series(image, stages)
    table(*rows_of(found.series))
    if found.damaged:
        typer.echo(f"Left out: {found.damaged} DICOM files whose headers are damaged; copy them again if they matter.")
    taken = chosen_series(found.series, series)
    others = beside(found.series, taken)
    typer.echo(f"Taken: {taken.name}, {taken.kind.title}. No name, date or number of the patient is kept.")
    if others:
        named = ", ".join(f"{other.kind.title} ({other.name}, {max(other.spacing):.2g} mm)" for other in others)
        typer.echo(f"Beside it: {named}.")
    stages("converting", 0.0)
    with converted(taken) as scan:
        stages("converting", 1.0)
        yield GivenImage(str(scan.path), scan.facts, findings_of(taken))
