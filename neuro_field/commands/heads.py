"""Commands that build head models and keep them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from neuro_field.commands.arguments import (
    FacelessOption,
    LandmarksOption,
    LanguageOption,
    head_of,
    images_of,
    label_table,
    landmarks_given,
    with_landmarks,
)
from neuro_field.commands.scans import SeriesOption, given_image
from neuro_field.commands.tensors import (
    AxesOption,
    BvalOption,
    BvecOption,
    DwiOption,
    ImageOption,
    OrderOption,
    RuleOption,
    TensorsOption,
    TypedTensors,
)
from neuro_field.console import Stages, named_numbers, table
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.report.words import phrase

#: Finest edges of a mesh, mm, where none are asked for.
EDGE = 1.9

LesionImageOption = Annotated[
    Path | None,
    typer.Option(help="The image the mask was drawn on (FLAIR, T2, DWI) if not the T1; it is moved there."),
]
LargeLesionOption = Annotated[
    bool, typer.Option("--large-lesion", help="Take a lesion of more than 40 % of the brain, up to 75 %.")
]
SignOption = Annotated[
    str | None,
    typer.Option(
        "--sign", metavar="NAME", help="Sign a finished HEAD off: NAME has looked at its qc.html, head and targets."
    ),
]


def head(
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="A T1 image, a folder of DICOM, an m2m_ folder, a .msh, or example:colin27-stroke."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder to write; must not hold anything yet.")
    ] = None,
    sign: SignOption = None,
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
    lesion: Annotated[
        Path | None, typer.Option(help="Lesion mask, on any grid that overlaps; a finished head takes one as well.")
    ] = None,
    lesion_image: LesionImageOption = None,
    large_lesion: LargeLesionOption = False,
    t2: Annotated[Path | None, typer.Option(help="A T2 of the same person, for the segmenter.")] = None,
    no_fill: Annotated[
        bool,
        typer.Option("--no-fill", help="Segment the T1 as it is: do not fill the lesion with healthy tissue first."),
    ] = False,
    segmenter: Annotated[str, typer.Option(help="What makes labels where none are given.")] = "samseg",
    rim: Annotated[float, typer.Option(help="Width of a rim to draw around the lesion's cavity, mm.")] = 0.0,
    edge: Annotated[float | None, typer.Option(help="Finest cell edge of the mesh, mm; 1.9 if not given.")] = None,
    tissue_edge: Annotated[
        list[str] | None, typer.Option(help="Longest edge in a tissue, mm, as white_matter=1.9; may be repeated.")
    ] = None,
    nonlinear: Annotated[
        bool,
        typer.Option("--nonlinear", help="Map to MNI152 non-linearly: half a minute, needs the extra [nonlinear]."),
    ] = False,
    open_skull: Annotated[
        str | None,
        typer.Option(help="Where the skull is found open: yes keeps the opening, no closes it with bone."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="Affine map between the T1's world and MNI152, either way: 4x4 text, ITK, ANTs or .json."),
    ] = None,
    no_mapping: Annotated[
        bool, typer.Option("--no-mapping", help="A head without a map to MNI: no named targets, only coordinates.")
    ] = False,
    tensors: TensorsOption = None,
    dwi: DwiOption = None,
    bval: BvalOption = None,
    bvec: BvecOption = None,
    tensor_rule: RuleOption = None,
    tensor_order: OrderOption = None,
    tensor_axes: AxesOption = None,
    tensor_image: ImageOption = None,
    landmarks: LandmarksOption = None,
    faceless: FacelessOption = False,
    language: LanguageOption = "",
) -> None:
    """Build a head model from a T1, and write it to a folder.

    Without --labels the T1 is segmented first, in about ten minutes; what the segmenter wrote stays beside HEAD. A
    --lesion is filled with mirrored healthy tissue in the copy that is segmented, and put back into the labels. Of a
    folder of DICOM the one 3-D T1 is taken, or the series that --series names; no name, number or date is kept.

    With --tensors or --dwi white and grey matter conduct along and across fibres as water diffuses there.

    A finished HEAD takes a lesion with `neuro-field head HEAD --lesion lesion.nii.gz -o HEAD2`, and tensors likewise.

    Who has looked at HEAD/qc.html signs with `neuro-field head HEAD --sign "Your name"`: plans and cards made from then
    on say who and when, until the head is changed.

    Example: `neuro-field head T1.nii.gz --labels labels.nii.gz --lesion lesion.nii.gz -o HEAD`
    """
    from neuro_field.aim.tape import HeadTape
    from neuro_field.io.affine_files import read_affine
    from neuro_field.io.atomic import check_new_folder, claimed_folder
    from neuro_field.io.images import read_image
    from neuro_field.mri.build import checked_mapping
    from neuro_field.report.sentences import head_lines
    from neuro_field.store.building import head_from_images
    from neuro_field.store.heads import is_head, write_head

    if sign is not None:
        given = (series, labels, table_, lesion, lesion_image, t2, tissue_edge, open_skull, mapping, tensors, dwi, edge)
        if output is not None or faceless or landmarks is not None or any(each is not None for each in given):
            raise InputError(
                "Option --sign goes with a finished HEAD alone, whose qc.html was looked at: without -o and other "
                'options, as in neuro-field head HEAD --sign "Your name".'
            )
        _sign(image, sign, language)
        return
    if output is None:
        raise InputError("Give the new folder for the head: -o HEAD.")
    check_new_folder(output)
    if lesion is None and (lesion_image is not None or large_lesion or rim):
        raise InputError("Options --lesion-image, --large-lesion and --rim go with --lesion.")
    if no_fill and (lesion is None or labels is not None):
        raise InputError(
            "Option --no-fill leaves the T1 as it is for the segmenter: it goes with --lesion, and not with --labels."
        )
    if mapping is not None and no_mapping:
        raise InputError("Options --mapping and --no-mapping exclude each other; give one.")
    if faceless and no_mapping:
        raise InputError("Option --faceless finds the face by the map to MNI, and --no-mapping makes none; give one.")
    stays_open, finest = _answer(open_skull), EDGE if edge is None else edge
    typed = TypedTensors(tensors, dwi, bval, bvec, tensor_rule, tensor_order, tensor_axes, tensor_image).checked()
    marked = landmarks_given(landmarks)
    with claimed_folder(output), Stages(language) as stages:
        if image.startswith("example:") or is_head(image):
            if series or labels or table_ or no_fill or t2 or tissue_edge or nonlinear or open_skull or mapping:
                raise InputError(
                    "Options --series, --labels, --table, --no-fill, --t2, --tissue-edge, --nonlinear, --open-skull "
                    "and --mapping go with a T1 image, not with a head that is finished."
                )
            if edge is not None and not image.startswith("example:"):
                raise InputError(
                    f"Option --edge is for a mesh that is to be made, and {image} has its own: leave it out, or build "
                    "the head again from its T1 and labels."
                )
            files = images_of(image)
            diffusion = typed.at_t1(typed.read(stages), files.get("t1"), stages)
            made = head_of(image, stages, finest, mapping=False if no_mapping else None)
            if lesion is not None:
                made, files = _given_lesion(made, files, lesion, lesion_image, rim, large_lesion, stages)
        elif not Path(image).exists():
            raise InputError(f"The image {image} does not exist.")
        elif labels is not None and t2 is not None:
            raise InputError("Option --t2 is for the segmenter; with --labels nothing is segmented.")
        elif table_ is not None and labels is None:
            raise InputError("Option --table says what the numbers of --labels mean; without labels there are none.")
        else:
            checked_mapping(False if no_mapping else None, nonlinear)
            if mapping is not None:
                read_affine(mapping)  # refused before anything is segmented
            chosen = label_table(table_)
            edges = named_numbers(tissue_edge, "--tissue-edge")
            diffusion = typed.read(stages)
            with given_image(image, series, stages) as t1:
                if diffusion is not None:
                    diffusion = typed.at_t1(diffusion, read_image(t1.path), stages)
                found: Path | None = labels
                said: tuple[Finding, ...] = ()
                if found is None:
                    drawn = _to_fill(lesion, lesion_image, Path(t1.path), stages)
                    found, said = _segmented(Path(t1.path), t2, None if no_fill else drawn, segmenter, output, stages)
                made, files = head_from_images(
                    t1.path, found, lesion=lesion, lesion_image=lesion_image, rim=rim,
                    largest_lesion=_largest(large_lesion), edge=finest, tissue_edges=edges, table=chosen,
                    nonlinear=nonlinear, mapping=False if no_mapping else mapping, open_skull=stays_open, t2=t2,
                    findings=said, progress=stages,
                )  # fmt: skip
            made = t1.told_to(made)
        made = with_landmarks(typed.given_to(made, diffusion, stages), marked)
        if marked is not None:
            HeadTape.of(made)  # refuses landmarks that are not this head's
        with stages.stage("writing"):
            write_head(made, output, faceless=faceless, language=language, **files)
    for line in head_lines(made, language):
        typer.echo(line)
    if "t1" in files:
        typer.echo(phrase("terminal.face", language, path=output / "T1.nii.gz"))
    typer.echo(phrase("terminal.look", language, path=output / "qc.html"))
    if any(found.level == "stop" for found in made.findings):
        typer.echo(phrase("terminal.unanswered", language, path=output))
        return
    typer.echo(phrase("terminal.sign", language, path=output))
    aim = "--preset contralesional-1hz-hand"
    if made.mapping is None:  # no site has a place in it
        aim = "--target head:x,y,z --coil figure8-70mm"
    typer.echo(phrase("terminal.next", language, path=output, aim=aim))


def _sign(folder: str, name: str, language: str) -> None:
    """Keep in a head's folder who has looked at it."""
    from neuro_field.store.heads import sign_head

    made = sign_head(folder, name)
    typer.echo(phrase("terminal.signed", language, path=folder, signed=made.told))


def _largest(large: bool) -> float:
    """Share of the brain that a lesion may take."""
    from neuro_field.mri.lesion import LARGEST_ASKED, LARGEST_SHARE

    return LARGEST_ASKED if large else LARGEST_SHARE


def _given_lesion(
    head: Any, files: dict[str, Any], lesion: Path, lesion_image: Path | None, rim: float, large: bool, stages: Stages
) -> tuple[Any, dict[str, Any]]:
    """A finished head with another lesion, and the images that go with it."""
    from neuro_field.store.building import head_given_lesion

    return head_given_lesion(
        head, files, lesion, lesion_image=lesion_image, rim=rim, largest_lesion=_largest(large), progress=stages
    )


def _answer(typed: str | None) -> bool | None:
    """yes, no, or nothing, of an option."""
    if typed is not None and typed.lower() not in ("yes", "no"):
        raise InputError(f"Option --open-skull must be yes or no; instead received {typed!r:.40}.")
    return None if typed is None else typed.lower() == "yes"


def _segmented(
    t1: Path, t2: Path | None, lesion: DrawnLesion | None, segmenter: str, output: Path, stages: Stages
) -> tuple[Path, tuple[Finding, ...]]:
    """Labels of a T1 from a segmenter, which works in a folder beside the head, and what was found on the way."""
    from neuro_field.segment.segmentation import segment

    beside = output.absolute().with_name(f"{output.name}.segmentation")
    made = segment([t1, t2] if t2 else [t1], beside, lesion=lesion, segmenter=segmenter, progress=stages)
    key = "terminal.labels-found" if made.reused else "terminal.labels-made"
    typer.echo(phrase(key, stages.language, path=made.labels, log=made.log))
    return made.labels, made.findings


def _to_fill(lesion: Path | None, lesion_image: Path | None, t1: Path, stages: Stages) -> DrawnLesion | None:
    """The lesion as it lies in the T1; refuses what is no mask before ten minutes of work."""
    from neuro_field.io.images import read_image
    from neuro_field.store.building import drawn_for

    return None if lesion is None else drawn_for(lesion, lesion_image, read_image(t1), stages)


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
