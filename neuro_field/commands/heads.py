"""Commands that build head models and keep them."""

from pathlib import Path
from typing import Annotated

import typer

from neuro_field.commands.arguments import EdgeOption, Output, head_of, images_of, label_table
from neuro_field.commands.scans import SeriesOption, given_image
from neuro_field.console import Stages, named_numbers, table
from neuro_field.errors import InputError
from neuro_field.findings import Finding


def head(
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="A T1 image, a folder of DICOM, an m2m_ folder, a .msh, or example:colin27-stroke."
        ),
    ],
    output: Output,
    series: SeriesOption = None,
    labels: Annotated[Path | None, typer.Option(help="Tissue labels on the T1's grid or another.")] = None,
    table_: Annotated[
        str | None,
        typer.Option(
            "--table",
            help="What the labels' numbers mean: simnibs, freesurfer, charm, roast, spm, fieldtrip, "
            "fieldtrip-alphabetical, outside-in, or tissues as 1=scalp,2=bone; else found by how they nest.",
        ),
    ] = None,
    lesion: Annotated[Path | None, typer.Option(help="Lesion mask, on any grid that overlaps.")] = None,
    t2: Annotated[Path | None, typer.Option(help="A T2 of the same person, for the segmenter.")] = None,
    no_fill: Annotated[
        bool,
        typer.Option("--no-fill", help="Segment the T1 as it is: do not fill the lesion with healthy tissue first."),
    ] = False,
    segmenter: Annotated[str, typer.Option(help="What makes labels where none are given.")] = "samseg",
    rim: Annotated[float, typer.Option(help="Width of a rim to draw around the lesion's cavity, mm.")] = 0.0,
    edge: EdgeOption = 1.9,
    tissue_edge: Annotated[
        list[str] | None, typer.Option(help="Longest edge in a tissue, mm, as white_matter=1.9; may be repeated.")
    ] = None,
    nonlinear: Annotated[
        bool,
        typer.Option("--nonlinear", help="Map to MNI152 non-linearly: half a minute, needs the extra [nonlinear]."),
    ] = False,
) -> None:
    """Build a head model from a T1, and write it to a folder.

    Without --labels the T1 is segmented first, in about ten minutes; what the segmenter wrote stays beside HEAD. A
    --lesion is filled with mirrored healthy tissue in the copy that is segmented, and put back into the labels. Of a
    folder of DICOM the one 3-D T1 is taken, or the series that --series names; no name, number or date is kept.

    Example: `neuro-field head T1.nii.gz --labels labels.nii.gz --lesion lesion.nii.gz -o HEAD`
    """
    from neuro_field.io.atomic import check_new_folder, claimed_folder
    from neuro_field.mri.build import checked_mapping
    from neuro_field.report.sentences import head_lines
    from neuro_field.store.building import head_from_images
    from neuro_field.store.heads import is_head, write_head

    check_new_folder(output)
    with claimed_folder(output), Stages() as stages:
        if image.startswith("example:") or is_head(image):
            if series or labels or table_ or lesion or no_fill or t2 or rim or tissue_edge or nonlinear:
                raise InputError(
                    "Options --series, --labels, --table, --lesion, --no-fill, --t2, --rim, --tissue-edge and "
                    "--nonlinear go with a T1 image, not with a mesh."
                )
            made, files = head_of(image, stages, edge), images_of(image)
        elif not Path(image).exists():
            raise InputError(f"The image {image} does not exist.")
        elif labels is not None and t2 is not None:
            raise InputError("Option --t2 is for the segmenter; with --labels nothing is segmented.")
        elif table_ is not None and labels is None:
            raise InputError("Option --table says what the numbers of --labels mean; without labels there are none.")
        else:
            checked_mapping(None, nonlinear)
            chosen = label_table(table_)
            edges = named_numbers(tissue_edge, "--tissue-edge")
            with given_image(image, series, stages) as t1:
                found, said = (
                    (labels, ())
                    if labels
                    else _segmented(Path(t1.path), t2, lesion, not no_fill, segmenter, output, stages)
                )
                made, files = head_from_images(
                    t1.path, found, lesion=lesion, rim=rim, edge=edge, tissue_edges=edges, table=chosen,
                    nonlinear=nonlinear, t2=t2, findings=said, progress=stages,
                )  # fmt: skip
            made = t1.told_to(made)
        with stages.stage("writing"):
            write_head(made, output, **files)
    for line in head_lines(made):
        typer.echo(line)
    typer.echo(f"Look at {output / 'qc.html'} before you plan on this head.")
    typer.echo(f"Head written to {output}. Next: neuro-field plan {output} --preset contralesional-1hz-hand -o PLAN")


def _segmented(
    t1: Path, t2: Path | None, lesion: Path | None, fill: bool, segmenter: str, output: Path, stages: Stages
) -> tuple[Path, tuple[Finding, ...]]:
    """Labels of a T1 from a segmenter, which works in a folder beside the head, and what was found on the way."""
    from neuro_field.segment.segmentation import segment

    if lesion is not None and not lesion.is_file():
        raise InputError(f"The lesion mask {lesion} does not exist.")
    beside = output.absolute().with_name(f"{output.name}.segmentation")
    images, filled = [t1, t2] if t2 else [t1], lesion if fill else None
    made = segment(images, beside, lesion=filled, segmenter=segmenter, progress=stages)
    typer.echo(f"Labels {'found' if made.reused else 'made'}: {made.labels}, log {made.log}.")
    return made.labels, made.findings


def cache(clear: Annotated[bool, typer.Option("--clear", help="Remove the heads that are kept.")] = False) -> None:
    """Show the built-in heads that are kept meshed, or remove them.

    Example: `neuro-field cache --clear`
    """
    from datetime import datetime

    from neuro_field.shelf.examples import MOST_KEPT, cache_folder, cached_heads, clear_cache

    if clear:
        typer.echo(f"{clear_cache()} heads removed from {cache_folder()}.")
        return
    heads = cached_heads()
    rows = [(k.path.name, f"{k.size / 1e6:.0f}", f"{datetime.fromtimestamp(k.used):%Y-%m-%d %H:%M}") for k in heads]
    table(("head", "MB", "last used"), rows)
    typer.echo(
        f"{len(heads)} of at most {MOST_KEPT} heads, {sum(k.size for k in heads) / 1e6:.0f} MB, {cache_folder()}"
    )
