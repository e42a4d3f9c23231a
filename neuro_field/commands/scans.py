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
from neuro_field.report.words import phrase

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
        typer.echo(phrase("terminal.scan-damaged", stages.language, damaged=found.damaged))
    taken = chosen_series(found.series, series)
    others = beside(found.series, taken)
    typer.echo(phrase("terminal.scan-taken", stages.language, series=taken.name, kind=taken.kind.title))
    if others:
        named = ", ".join(f"{other.kind.title} ({other.name}, {max(other.spacing):.2g} mm)" for other in others)
        typer.echo(phrase("terminal.scan-beside", stages.language, series=named))
    stages("converting", 0.0)
    with converted(taken) as scan:
        stages("converting", 1.0)
        yield GivenImage(str(scan.path), scan.facts, findings_of(taken))
