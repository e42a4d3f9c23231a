"""A study or plan as a folder: plan.json, view.json.gz, plan.tsv, report.html and pictures."""

import gzip
import io
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from neuro_field.clinic.study import Study
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.head.face import Face
from neuro_field.head.model import HeadModel
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.io.atomic import new_folder
from neuro_field.io.digest import digest
from neuro_field.io.images import Image
from neuro_field.io.scratch import scratch_folder
from neuro_field.mri.volume import Volume
from neuro_field.names import file_name, one_line
from neuro_field.report.facts import Facts, head_of, plans_of
from neuro_field.report.interactive import view_of
from neuro_field.report.interactive import without_face as shown_without_face
from neuro_field.report.kept import Kept
from neuro_field.report.map_page import map_page
from neuro_field.report.opengl import PictureError
from neuro_field.report.page import DRAWN, FACELESS, card_page, study_page, without_face
from neuro_field.report.pictures import study_pictures
from neuro_field.report.sentences import leveled
from neuro_field.report.words import check_language, phrase
from neuro_field.search.plan import Plan
from neuro_field.store.field_images import write_field_images
from neuro_field.store.maps import is_map, read_map
from neuro_field.store.plan_coils import coil_from, keep_coil
from neuro_field.store.plan_records import facts_from, file_of, head_digest, study_from
from neuro_field.store.plan_structs import SCHEMA, VERSION, HeadRecord, PlanFile, StudyFile
from neuro_field.store.plan_tables import INDEX_COLUMNS, index_rows, plan_table, table_of, zone_table
from neuro_field.store.plan_version2 import from_version2
from neuro_field.store.view_structs import View

#: In the folder.
CARD, VIEW, TABLE, ZONE = "plan.json", "view.json.gz", "plan.tsv", "zone.tsv"
PAGE, PICTURES = "report.html", "pictures"

#: In a folder of several.
INDEX = "index.tsv"

#: Larger ones are not read, bytes: plan.json, the view packed and unpacked, and a picture.
LARGEST, LARGEST_VIEW, LARGEST_UNPACKED, LARGEST_PICTURE = 64_000_000, 200_000_000, 400_000_000, 20_000_000

#: What can be made from a plan's folder.
KINDS = ("page", "card")


def write_study(
    study: Study | Plan, folder: str | Path, *, t1: Image | None = None, grid: Image | None = None, subject: str = "01",
    faceless: bool = False, language: str = "en",
) -> None:  # fmt: skip
    """Write a study or plan to a new folder.

    plan.json (schema "neuro_field/plan"), view.json.gz (surfaces, image and fields that the report shows), plan.tsv
    (one row per ranked placement), zone.tsv (one per pose that keeps 95 % of a side's best), pictures/*.png, coil.tcd
    where the coil is not on the shelf, and report.html, which is made from these alone (`render`).  Where pictures
    cannot be drawn the report is written without them and says why.  Given a grid, also fields/*.nii.gz: the field of
    each side's best placement at 1 A/us.

    Parameters
    ----------
    study : Study or Plan
    folder : str or Path
        Must not exist, or be empty; it appears whole or not at all.
    t1 : Image, optional
        Of the head: what the report's slices cut through; without one, the tissues of the mesh.
    grid : Image, optional
        The T1 again, when its grid is to carry the fields.
    subject : str
        Label in the tables and in the names of the fields, never a patient's name.
    faceless : bool
        Leave the face out of pictures, view and report.
    language : {"en", "ja"}
        Of report.html; all else holds no words.

    Raises
    ------
    InputError
        If there is no such language, the folder holds something, fields are asked of a plan read from files, which has
        none, or the face is to be left out of a head that does not tell where it is (`Face.of`).
    """
    if not isinstance(study, Study | Plan):
        raise InputError(f"Input study of write_study must be a Study or Plan; instead received {study!r:.80}.")
    check_language(language)
    with new_folder(folder) as beside:
        _keep(study, beside, t1, subject, faceless)
        (beside / TABLE).write_text(plan_table(study, subject), encoding="utf-8", newline="\n")
        zones = zone_table(study, subject)
        if zones:
            (beside / ZONE).write_text(zones, encoding="utf-8", newline="\n")
        (beside / PAGE).write_text(study_page(read_kept(beside), language), encoding="utf-8", newline="\n")
        if grid is not None:
            _write_fields(study, beside / "fields", grid, subject)


def write_studies(
    studies: Mapping[str, Study | Plan] | Iterable[tuple[str, Study | Plan]],
    folder: str | Path, *, t1: Image | None = None, grid: Image | None = None, subject: str = "01",
    faceless: bool = False, language: str = "en",
) -> None:  # fmt: skip
    """Write several studies or plans of one head to a new folder: one of `write_study` each, by name, and index.tsv.

    Parameters
    ----------
    studies : mapping of str to Study or Plan, or pairs of them
        By the name of the folder in the folder, such as "contralesional-1hz-hand_figure8-70mm" (`folder_name`); pairs
        are written as they come.
    folder : str or Path
        Must not exist, or be empty; it appears whole or not at all.
    t1, grid, subject, faceless, language
        As of `write_study`.

    Raises
    ------
    InputError
        If there is none, a name is no folder's name or comes twice, or as of `write_study`.
    """
    rows: dict[str, list[tuple[str, ...]]] = {}
    check_language(language)
    with new_folder(folder) as beside:
        for name, study in studies.items() if isinstance(studies, Mapping) else studies:
            if file_name(name, [INDEX, *rows]) != name:
                raise InputError(f"Each study needs the name of a folder of its own; instead received {name!r:.80}.")
            write_study(study, beside / name, t1=t1, grid=grid, subject=subject, faceless=faceless, language=language)
            rows[name] = index_rows(name, study, subject)
        if not rows:
            raise InputError("Input studies of write_studies must hold at least one; instead it is empty.")
        text = table_of([INDEX_COLUMNS, *(row for each in rows.values() for row in each)])
        (beside / INDEX).write_text(text, encoding="utf-8", newline="\n")


def folder_name(study: Study) -> str:
    """How a study's folder is named among others: by preset and coil."""
    coil = study.coil.name if study.coil is not None else "unknown-coil"
    return file_name(f"{file_name(study.preset.name)}_{file_name(coil)}")


def _keep(study: Study | Plan, folder: Path, t1: Image | None, subject: str, faceless: bool) -> None:
    """Write what a page is made from."""
    shown = {role: plan for role, plan in plans_of(study).items() if plan.field is not None}
    head = head_of(study)
    face = Face.of(head) if faceless and head is not None else None
    if head is not None and shown:
        view = view_of(head, shown, Volume(t1.values, t1.affine) if t1 is not None else None)
        view = view if face is None else shown_without_face(view, face)
        data = msgspec.json.encode(msgspec.convert(view, View))
        (folder / VIEW).write_bytes(gzip.compress(data, 6, mtime=0))
    pictures, remarks = _pictures(study, face)
    if face is not None:
        remarks = (*remarks, Finding(FACELESS, "note"))
    if pictures:
        (folder / PICTURES).mkdir()
    for name, data in pictures.items():
        (folder / PICTURES / f"{name}.png").write_bytes(data)
    coil = keep_coil(study.coil, folder)
    record = file_of(study, Facts.of(study), coil, subject=subject, remarks=remarks)
    (folder / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def _pictures(study: Study | Plan, face: Face | None) -> tuple[dict[str, bytes], tuple[Finding, ...]]:
    """The pictures, and what has to be said where there are none."""
    if all(plan.field is None for plan in plans_of(study).values()):
        return {}, (Finding("plan-no-field", "note"),)
    try:
        return study_pictures(study, face), ()
    except PictureError:
        return {}, (Finding("plan-no-pictures", "note"),)


def _write_fields(study: Study | Plan, folder: Path, grid: Image, subject: str) -> None:
    folder.mkdir()
    for role, plan in ({"": study} if isinstance(study, Plan) else study.plans).items():
        if plan.field is None:
            raise InputError("A plan that was read from files holds no field; plan again to write its fields.")
        write_field_images(plan.field, folder, grid, role=role, subject=subject)


def read_plan(folder: str | Path) -> Study | Plan:
    """The study or plan that `write_study` wrote, of this version or of version 2.

    It has neither head nor field, and its coil only if that is on the shelf and unchanged or was kept beside it.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileFormatError
        If it holds no plan, or a damaged one; names the entry.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> target = nf.Target.ball(head, center=(40, 0, 50), radius=8.0)
    >>> coarse = Grid(radius=20, spacing=10, angle_step=30)
    >>> made = nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target, grid=coarse)
    >>> nf.write(made, "PLAN")
    >>> nf.read_plan("PLAN").best.strength == made.best.strength
    True
    """
    return _read(folder, whole=False).study


def read_kept(folder: str | Path) -> Kept:
    """All that a plan's folder holds and a page is made from; raises as `read_plan`."""
    return _read(folder, whole=True)


def render(
    thing: Study | Plan | MotorMap | str | Path, kind: str = "page", language: str = "en", *, faceless: bool = False
) -> str:
    """A report as HTML: of a plan's or a motor map's folder from that alone, with neither head nor solve.

    Parameters
    ----------
    thing : Study, Plan, MotorMap, str or Path
        A plan's or a map's folder; or what would be written there.
    kind : {"page", "card"}
        The report, or the operator's card alone: one A4 side for who holds the coil; a map has only a page.
    language : {"en", "ja"}
    faceless : bool
        Leave the face out of the page; pictures of a folder that were drawn with it are left out whole.  A card shows
        none.

    Returns
    -------
    str
        Self-contained.  The page of a folder is the one that was written there.

    Raises
    ------
    InputError
        If the kind or the language is not known; if the face is to be left out and nothing says where it is.
    FileFormatError
        As `read_plan`.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> target = nf.Target.ball(head, center=(40, 0, 50), radius=8.0)
    >>> coarse = Grid(radius=10, spacing=10, angle_step=90)
    >>> made = nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target, grid=coarse)
    >>> nf.write(made, "SHOWN")
    >>> nf.render("SHOWN") == Path("SHOWN/report.html").read_text(encoding="utf-8")
    True
    """
    if kind not in KINDS:
        raise UnknownNameError("kind", kind, list(KINDS))
    check_language(language)
    if isinstance(thing, str | Path) and is_map(thing):
        thing = read_map(thing)
    if isinstance(thing, MotorMap):
        if kind != "page":
            raise InputError(f"A motor map has a page and no {kind}: plan for its site first, --target map:MAP.")
        return map_page(thing, language)  # shows no face
    if isinstance(thing, str | Path):
        return _rendered(read_kept(thing), kind, language, faceless)
    if not isinstance(thing, Study | Plan):
        raise InputError(
            f"Input thing of render must be a Study, a Plan, a MotorMap or a folder; instead received {thing!r:.80}."
        )
    with scratch_folder() as folder:
        _keep(thing, folder, None, "01", faceless)
        return _rendered(read_kept(folder), kind, language, faceless=False)


def _rendered(kept: Kept, kind: str, language: str, faceless: bool) -> str:
    if kind == "card":
        return card_page(kept, language)  # shows no face
    return study_page(without_face(kept) if faceless else kept, language)


def said_of_kept(folder: str | Path, language: str = "en") -> list[str]:
    """What a terminal says of a plan's folder itself: its remarks, and what a plan of version 2 said in English."""
    record, old_words, _ = _record(Path(folder))
    remarks = [leveled(Finding(found.code, found.level, found.values), language) for found in record.remarks]
    return remarks + [phrase("level.old", language, text=words) for words in old_words]


def planned_head(folder: str | Path, head: HeadModel) -> HeadModel:
    """The head that a plan's folder was made for, from the one it was planned on: refined alike, and found the same.

    A plan that keeps no digest (of version 2, or written without its head) is not judged here: its targets are, by
    `clinic.ledger.check_same_mesh`.

    Raises
    ------
    InputError
        Naming what differs: mesh, tags, conductivity or mapping.
    FileFormatError
        As `read_plan`.
    """
    meant = _record(Path(folder))[0].head
    if meant is None:
        return head
    recipe = meant.refinement
    if recipe is not None and head.refinement is None and recipe.mesh == head.mesh.digest:
        head = head.refined(near=recipe.near, radius=recipe.radius, levels=recipe.levels)
    found = head_digest(head)
    differ = [name for name in found if getattr(meant.digest, name) != found[name]]
    if differ:
        raise InputError(
            f"The head {head.name!r} is not the one that {folder} was made for: {' and '.join(differ)} "
            f"{'differs' if len(differ) == 1 else 'differ'}. Give that head ({meant.name}, {meant.nodes} nodes), or "
            "plan again."
        )
    return head


class _Mark(msgspec.Struct):
    """Whose a file is, and of which version."""

    schema: str = ""
    version: int = 0


def _record(folder: Path) -> tuple[PlanFile | StudyFile, tuple[str, ...], Path]:
    """What plan.json says, the sentences of an old one, and its path."""
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}; give one that neuro-field plan wrote.")
    path = folder / CARD if folder.is_dir() else folder
    data = _bytes(path, LARGEST, f"{folder} holds no plan: its {CARD} is missing.")
    try:
        mark = msgspec.json.decode(data, type=_Mark)
        if mark.schema != SCHEMA:
            raise FileFormatError(f"{path} is no plan of neuro_field: its schema is {mark.schema!r:.60}.")
        if mark.version not in (2, VERSION):
            raise FileFormatError(
                f"{path} has version {mark.version!r:.20} of the plan's schema; this neuro_field reads versions 2 and "
                f"{VERSION}. Read it with the neuro_field that wrote it, or plan again."
            )
        if mark.version == 2:
            return *from_version2(data, str(path)), path
        return msgspec.json.decode(data, type=PlanFile | StudyFile), (), path
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FileFormatError(f"{path} is damaged: {one_line(error)}.") from None


def _read(folder: str | Path, whole: bool) -> Kept:
    record, old_words, path = _record(Path(folder))
    try:
        study = study_from(record, coil_from(record.coil, path.parent))
    except FileFormatError:
        raise
    except InputError as error:  # a value of the right kind that its noun refuses
        raise FileFormatError(f"{path}: {error}") from None
    view = _view(path.parent / VIEW) if whole else None
    return Kept(
        study, facts_from(record, view), view, _kept_pictures(path.parent / PICTURES) if whole else {},
        tuple(Finding(found.code, found.level, found.values) for found in record.remarks), old_words,
        f"{record.written[:10]} {record.written[11:16]} UTC", digest(path), record.subject,
        record.computed_by.get("neuro_field", ""), _unrefined(record.head),
    )  # fmt: skip


def _unrefined(head: HeadRecord | None) -> dict[str, str | None]:
    """The digests of a head, its mesh as it was before elements were halved around targets."""
    if head is None:
        return {}
    found: dict[str, str | None] = msgspec.to_builtins(head.digest)
    return found if head.refinement is None else {"mesh": head.refinement.mesh, "mapping": found["mapping"]}


def _bytes(path: Path, largest: int, missing: str) -> bytes:
    if not path.is_file():
        raise FileFormatError(missing)
    size = path.stat().st_size
    if size > largest:
        raise FileFormatError(f"{path} is {size / 1e6:.0f} MB; it has at most {largest / 1e6:.0f} MB.")
    return path.read_bytes()


def _view(path: Path) -> Mapping[str, Any] | None:
    """What the page lets people turn; None where nothing was kept."""
    if not path.is_file():
        return None
    packed = _bytes(path, LARGEST_VIEW, "")
    try:
        data = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(LARGEST_UNPACKED + 1)
        if len(data) > LARGEST_UNPACKED:
            raise FileFormatError(f"{path} unpacks to more than {LARGEST_UNPACKED / 1e6:.0f} MB.")
        found: Mapping[str, Any] = msgspec.to_builtins(msgspec.json.decode(data, type=View))
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FileFormatError(f"{path} is damaged: {one_line(error)}.") from None
    return found


def _kept_pictures(folder: Path) -> dict[str, bytes]:
    """The pictures that the page knows, by name."""
    roles = ("", "contralesional_", "ipsilesional_", "bilateral_", "target_")
    names = [role + name for role in roles for name in DRAWN]
    paths = {name: folder / f"{name}.png" for name in names}
    return {name: _bytes(path, LARGEST_PICTURE, "") for name, path in paths.items() if path.is_file()}
