"""Arguments and options that several commands share, and what they name."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from neuro_field.console import Stages, language_of
from neuro_field.errors import InputError

Output = Annotated[Path, typer.Option("--output", "-o", help="New folder to write; must not hold anything yet.")]
HeadArgument = Annotated[
    str, typer.Argument(metavar="HEAD", help="A head folder, a .msh file, an m2m_ folder, or example:colin27-stroke.")
]
CoilOption = Annotated[str, typer.Option("--coil", help="A name from `neuro-field coils`, or a .ccd, .tcd or .nii.gz.")]
ImageOption = Annotated[Path | None, typer.Option("--image", help="The T1; else the one that came with the head.")]
SubjectOption = Annotated[str, typer.Option("--subject", help="Label in the names of files; no patient's name.")]
LandmarksOption = Annotated[
    Path | None,
    typer.Option(
        "--landmarks", help="The patient's own nasion, inion and points before the ears: .tsv, .csv, .json or .fcsv."
    ),
]
FacelessOption = Annotated[
    bool, typer.Option("--faceless", help="Leave the face out of the page: in front of the ears, below the brows.")
]
LanguageOption = Annotated[
    str,
    typer.Option(
        "--language", help="en or ja; else as the locale has it, else en.", show_default=False, callback=language_of
    ),
]
EdgeOption = Annotated[float, typer.Option("--edge", help="Finest cell edge of the mesh, mm.")]


def head_of(source: str, stages: Stages, edge: float = 1.9, mapping: Literal[False] | None = None) -> Any:
    """The head that a command's HEAD argument names; with ``mapping`` False without its map to MNI."""
    from neuro_field.store.heads import read_head, unmapped

    name = source.removeprefix("example:")
    if name != source:
        from neuro_field.shelf.examples import example_head

        head = example_head(name, edge=edge, progress=stages)
        return head if mapping is None else unmapped(head)

    with stages.stage("reading the head"):
        return read_head(source, mapping=mapping)


def with_landmarks(head: Any, given: Any) -> Any:
    """The head with landmarks of the patient's own, or with measured arcs beside those it has; given None, as it is."""
    from dataclasses import replace

    if given is None:
        return head
    if head.fiducials is not None and not given.points:
        given = replace(given, points=head.fiducials.points)
    return replace(head, fiducials=given)


def landmarks_given(path: Path | None, nasion_inion: float | None = None, ear_ear: float | None = None) -> Any:
    """What a person says of a head's landmarks; None where nothing is said."""
    from dataclasses import replace

    from neuro_field.head.fiducials import Fiducials
    from neuro_field.navigation.fiducials import read_fiducials

    if path is None and nasion_inion is None and ear_ear is None:
        return None
    own = Fiducials() if path is None else read_fiducials(path)
    return replace(own, nasion_inion=nasion_inion, ear_ear=ear_ear)


def images_of(source: str) -> dict[str, Any]:
    """The images behind a built-in head, or beside one on the disk; none for one that comes as a mesh alone."""
    from neuro_field.shelf.examples import example_images
    from neuro_field.store.heads import head_images

    name = source.removeprefix("example:")
    return example_images(name) if name != source else head_images(source)


def coil_of(source: str) -> Any:
    from neuro_field.shelf.coils import is_coil_file, load_coil, read_coil

    return read_coil(source) if is_coil_file(source) else load_coil(source)


def grid_of(source: str, image: Path | None) -> Any:
    """The T1 whose grid a field is written on: as named, or the one that came with the head; None without one."""
    from neuro_field.io.images import read_image

    return images_of(source).get("t1") if image is None else read_image(image)


def label_table(text: str | None) -> Any:
    """What --table says: the name of a table, or the tissue of every number, as in 1=scalp,2=bone,3=air."""
    from neuro_field.head.tissues import BY_TAG
    from neuro_field.io.tissue_names import tissue_called
    from neuro_field.mri.labels import as_table

    if text is None or "=" not in text:
        return None if text is None else as_table(text).name
    out = {}
    for entry in text.split(","):
        number, _, called = (part.strip() for part in entry.partition("="))
        tag = tissue_called(called)
        if not number.isdecimal() or (tag is None and called != "air"):
            raise InputError(
                f"Option --table must give every number its tissue, as in 1=scalp,2=bone,3=csf,4=grey,5=white,6=air; "
                f"instead {entry!r:.60}."
            )
        out[int(number)] = "air" if tag is None else BY_TAG[tag].name
    return out
