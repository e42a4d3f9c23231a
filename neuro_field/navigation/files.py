"""Navigators' files by name and by content: read any of them, write a plan's placements for several."""

from collections.abc import Callable, Sequence
from pathlib import Path

from neuro_field.clinic.study import Study
from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.io.atomic import ExistsError, held_folder, new_file
from neuro_field.names import resolved
from neuro_field.navigation.ant import ant_text, read_ant
from neuro_field.navigation.brainsight import brainsight_text, read_brainsight, usual_system
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.invesalius import DOUBT, MAGIC, invesalius_text, own_frame, read_invesalius
from neuro_field.navigation.localite import localite_text, read_localite
from neuro_field.navigation.marks import NavigatorFile, bounded_text
from neuro_field.navigation.nibs_bids import DRAFT, nibs_bids_files, read_nibs_bids
from neuro_field.navigation.own_sessions import MAGIC as SESSION
from neuro_field.navigation.own_sessions import read_own_session
from neuro_field.navigation.softaxic import read_softaxic, softaxic_text
from neuro_field.nouns import noun
from neuro_field.search.plan import Plan


@noun
class Export:
    """What goes into the files beyond the poses.

    ``image`` the T1 that the navigator has loaded, if known; ``system`` a Brainsight coordinate system other than the
    image's own; ``coil_name`` and ``subject`` a label for BIDS names, never a patient's name; ``zone`` whether poses
    at the rim of each side's zone are written as well.
    """

    image: ImageFrames | None = None
    system: str | None = None
    coil_name: str = ""
    subject: str = "01"
    zone: bool = False

    def __post_init__(self) -> None:
        if not self.subject.isalnum() or not self.subject.isascii():
            raise InputError(f"Input subject must be letters and digits, as in sub-01; instead {self.subject!r:.40}.")


#: Files that may say which poses of a ``*_markers.tsv`` were recorded.
_PULSES = ("_events.tsv", "_nibs.tsv")


def _brainsight(version: int) -> Callable[[Sequence[Marker], Export], dict[str, str]]:
    return lambda markers, how: {
        ".txt": brainsight_text(markers, version=version, system=how.system, image=how.image)
    }  # fmt: skip


#: Files of each system by ending; the texts hold no name and no date.
WRITERS: dict[str, Callable[[Sequence[Marker], Export], dict[str, str]]] = {
    "localite": lambda markers, how: {".xml": localite_text(markers, "RAS")},
    "localite-lps": lambda markers, how: {".xml": localite_text(markers, "LPS")},
    "brainsight": _brainsight(14),
    "brainsight-12": _brainsight(12),
    "ant": lambda markers, how: {".mrk": ant_text(markers, how.image, how.coil_name)},
    "softaxic": lambda markers, how: {".stmpx": softaxic_text(markers)},
    "invesalius": lambda markers, how: {".mkss": invesalius_text(markers, how.image)},
    "nibs-bids": lambda markers, how: nibs_bids_files(markers, how.coil_name, how.subject),
}


def convention(name: str, how: Export) -> str:
    """The frame a system's files are written in, in one line."""
    if name.startswith("localite"):
        space = "LPS" if name.endswith("lps") else "RAS"
        return f"Localite axes (x into the head, z along our x), {space} mm of the T1's world"
    if name.startswith("brainsight"):
        number = 12 if name.endswith("12") else 14
        chosen = how.system or usual_system(number, how.image)
        doubt = "" if how.image else "; taken to be the head frame, name the T1 with --image to be sure"
        return f"Brainsight version {number}, coordinate system {chosen}, z out of the head{doubt}"
    if name == "ant":
        doubt = "" if how.image else "; which image is left open, name the T1 with --image to say it"
        return f"SimNIBS axes (+z into the head, +y away from the handle), world of the image's qform{doubt}"
    if name == "softaxic":
        return "SofTaxic axes (ours turned a quarter about z), RAS mm of the T1's world"
    if name == "invesalius":
        known = own_frame(how.image) is not None
        doubt = "" if known else "; its own columns are N/A, so it cannot load them: give a right-handed --image"
        return (
            f"world columns: mm and Euler angles sxyz in degrees of the T1's world, z out of the head; {DOUBT}{doubt}"
        )
    return f"{DRAFT}: SimNIBS axes (+z into the head, +y away from the handle), RAS mm of the T1's world"


def read_navigator(path: str | Path, image: ImageFrames | None = None) -> NavigatorFile:
    """The coil poses of a navigator's file, recognised by its content, in the head frame.

    Parameters
    ----------
    path : str or Path
        Localite, Brainsight, ANT visor2, SofTaxic, InVesalius .mkss, a NIBS-BIDS ``*_markers.tsv``, or a session that
        `neuro-field serve` has recorded.
    image : ImageFrames, optional
        The T1 the navigator had loaded, for systems that can use another world than the head frame.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is none of these, is damaged, or no pose in it can be used.  Where only some cannot (sheared, scaled,
        mirrored, no number), these are left out: ``left_out`` and ``notes`` of the file say which and why.
    InputError
        If the image does not define the world the file is in, or is not given where that is needed.

    Examples
    --------
    >>> import numpy as np, neuro_field as nf
    >>> planned = nf.Marker("rank1", nf.Placement(np.eye(4)))
    >>> Path("planned.xml").write_text(localite_text([planned])) > 0
    True
    >>> found = nf.read_navigator("planned.xml")
    >>> found.markers[0].name, found.markers[0].placement.axis.tolist()
    ('rank1', [0.0, 0.0, 1.0])
    """
    path = Path(path)
    text, where = bounded_text(path), path.name
    start = text.lstrip()[:2000]
    if path.name.endswith("_markers.tsv"):
        frame, pulses = _beside(path, "_coordsystem.json"), [_beside(path, name) for name in _PULSES]
        if frame is None:
            raise FileFormatError(f"{where} needs its *_coordsystem.json beside it, which says what frame it is in.")
        return read_nibs_bids(text, frame, where, [table for table in pulses if table is not None])
    if start.startswith(SESSION):
        return read_own_session(text.lstrip(), where)
    if start.startswith(MAGIC):
        return read_invesalius(text.lstrip(), where, image)
    if start.startswith("{"):
        return read_ant(text, where, image)
    if start.startswith("<"):
        return read_softaxic(text, where) if "<stmp" in start else read_localite(text, where)
    if start.startswith(("#", '"#')):
        return read_brainsight(text.lstrip(), where, image)
    raise FileFormatError(f"{path} is no file of a navigator that is read here: {', '.join(WRITERS)}.")


def _beside(path: Path, ending: str) -> str | None:
    """The text of the file that belongs to a ``*_markers.tsv``, whose name may leave out the last of its entities."""
    stem = path.name.removesuffix("_markers.tsv")
    while stem:
        found = path.with_name(f"{stem}{ending}")
        if found.is_file():
            return bounded_text(found)
        stem = stem.rpartition("_")[0]
    return None


def plan_markers(study: Study | Plan) -> dict[str, tuple[Marker, ...]]:
    """Ranked placements by role, best first, named by role and rank."""
    plans = {"plan": study} if isinstance(study, Plan) else study.plans
    return {
        role: tuple(
            Marker(f"{role}-rank{rank}", candidate.placement, aim=plan.target.center)
            for rank, candidate in enumerate(plan.ranking, start=1)
        )
        for role, plan in plans.items()
    }


def zone_markers(study: Study | Plan) -> dict[str, tuple[Marker, ...]]:
    """Poses just inside the rim of each side's zone by role, at most 20, named by role and number.

    Raises
    ------
    InputError
        If a side has no zone, or one without a rim.
    """
    plans = {"plan": study} if isinstance(study, Plan) else study.plans
    out = {}
    for role, plan in plans.items():
        inside = plan.zone.rim()[0] if plan.zone is not None else ()
        if not len(inside):
            raise InputError(f"The {role} placements have no zone with a rim to export; export them without the zone.")
        out[role] = tuple(
            Marker(f"{role}-zone-{number}", Placement(pose), aim=plan.target.center)
            for number, pose in enumerate(inside, start=1)
        )
    return out


def pose_notes(study: Study | Plan) -> list[str]:
    """What has to be said of the poses of a study before somebody navigates to them."""
    plans = {"plan": study} if isinstance(study, Plan) else study.plans
    return [
        f"{role}: the turn of these poses about the coil's axis is arbitrary; every handle direction is the same."
        for role, plan in plans.items()
        if plan.handle_free
    ]


def export_plan(study: Study | Plan, systems: Sequence[str], folder: str | Path, how: Export) -> dict[str, list[Path]]:
    """Write a plan's placements for navigators; files by system.

    One file per hemisphere and system, named by role and ranks.  Every text is made before the first is written, and
    nothing is overwritten.

    Raises
    ------
    UnknownNameError
        If a system is not known, listing those that are.
    InputError
        If a file is there already (also a FileExistsError), the folder cannot be made, or another run writes there.
    """
    folder = Path(folder)
    for name in systems or [""]:
        if name not in WRITERS:
            raise UnknownNameError("navigator", name, list(WRITERS))
    texts: dict[str, dict[Path, str]] = {name: {} for name in systems}
    rims = zone_markers(study) if how.zone else {}
    for role, markers in plan_markers(study).items():
        rim = rims.get(role, ())
        for name in texts:
            for ending, text in WRITERS[name]((*markers, *rim), how).items():
                texts[name][folder / _file_name(name, role, (len(markers), len(rim)), ending, how)] = text
    with held_folder(folder):
        for path in (path for files in texts.values() for path in files):
            if path.exists() or path.is_symlink():
                raise ExistsError(f"{path} is there already; nothing was overwritten: move it, or name another folder.")
        for files in texts.values():
            for path, text in files.items():
                with new_file(path) as beside:
                    beside.write_text(text, encoding="utf-8", newline="\n")
    return {name: list(files) for name, files in texts.items()}


def named_systems(text: str) -> list[str]:
    """The systems of `WRITERS` that a text names with commas between, or all of them."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if [word.lower() for word in words] == ["all"]:
        return list(WRITERS)
    return list(dict.fromkeys(resolved("navigator", word, WRITERS) for word in words or [""]))


def _file_name(system: str, role: str, counts: tuple[int, int], ending: str, how: Export) -> str:
    """``counts`` of ranked placements and of poses at the zone's rim."""
    ranks, rim = counts
    if system != "nibs-bids":
        return f"{role}_rank1-{ranks}{f'_zone1-{rim}' if rim else ''}_{system}{ending}"
    part = "" if ending == "_coordsystem.json" else f"_acq-rank1to{ranks}{f'zone1to{rim}' if rim else ''}"
    return f"sub-{how.subject}_task-{role}{part}{ending}"
