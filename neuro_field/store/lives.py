"""A live field as a folder: live.json for what it is of and how well it does, modes.npz for its numbers."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.io.array_files import array_of, read_arrays, write_arrays
from neuro_field.io.atomic import new_folder
from neuro_field.io.digest import digest, fingerprint
from neuro_field.live.live_field import LiveField, LiveReport
from neuro_field.live.packed import Packed
from neuro_field.live.reader import Reader
from neuro_field.live.sheet import Sheet
from neuro_field.store.plan_coils import coil_from, keep_coil
from neuro_field.store.plan_structs import CoilRecord
from neuro_field.store.record_words import Digest, Name, Record

SCHEMA, VERSION = "neuro_field/live", 1

#: The names of the card and of the numbers in the folder; larger ones are not read, bytes.
CARD, MODES, LARGEST_CARD, LARGEST = "live.json", "modes.npz", 1_000_000, 2_000_000_000


class LiveFile(Record):
    """live.json."""

    schema: str
    version: int
    neuro_field: str
    head_name: Name
    head: Digest
    modes: Digest
    coil: CoilRecord
    components: int
    most_unspanned: float
    report: LiveReport


def write_live(live: LiveField, folder: str | Path) -> None:
    """Write a live field to a new folder, which appears whole or not at all.

    live.json holds digests of the head (mesh and conductivities), the coil, the version, and the report with the
    errors of the placements held out; modes.npz the numbers.

    Raises
    ------
    InputError
        If the folder holds something.
    """
    with new_folder(folder) as beside:
        coil = keep_coil(live.coil, beside)
        assert coil is not None
        write_arrays(beside / MODES, _arrays(live))
        card = LiveFile(
            schema=SCHEMA, version=VERSION, neuro_field=version("neuro_field"), head_name=live.head.name,
            head=_of_head(live.head), modes=digest(beside / MODES), coil=coil, components=live.packed.components,
            most_unspanned=live.most_unspanned, report=live.report,
        )  # fmt: skip
        (beside / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")


def read_live(folder: str | Path, head: HeadModel) -> LiveField:
    """The live field that was written to a folder, for the head it was made of.

    Parameters
    ----------
    folder : str or Path
    head : HeadModel
        The same mesh and conductivities.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileFormatError
        If it holds no live field, or a damaged one.
    InputError
        If it is of another head or version, or its coil is not on the shelf as it was.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> nf.write(nf.live_field(nf.Solver(head), coil, snapshots=20), "LIVE")
    >>> nf.read_live("LIVE", head).coil.name == coil.name
    True
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}; give one that neuro-field live wrote.")
    card = _card(folder / CARD)
    if card.neuro_field != version("neuro_field"):
        raise InputError(
            f"{folder} was made by neuro_field {card.neuro_field}, and this is {version('neuro_field')}; make it again "
            "with neuro-field live."
        )
    if card.head != _of_head(head):
        raise InputError(
            f"{folder} is of another head ({card.head_name!r}), or its mesh or conductivities have changed since; make "
            "it again with neuro-field live."
        )
    coil = coil_from(card.coil, folder)
    if coil is None:
        raise InputError(f"{folder}: the coil {card.coil.name!r} is not on the shelf as it was; make it again.")
    path = folder / MODES
    try:
        arrays = read_arrays(path, LARGEST)
        if digest(path) != card.modes:
            raise FileFormatError(f"{path} is not the file that was written with {CARD}")
        sheet, packed, reader = _nouns(arrays, str(path), card.components)
        return LiveField(head, coil, sheet, packed, reader, card.most_unspanned, card.report)
    except FileFormatError as error:
        raise FileFormatError(f"{str(error).rstrip('.')}; make it again with neuro-field live.") from None


def _card(path: Path) -> LiveFile:
    if not path.is_file():
        raise FileFormatError(f"{path.parent} holds no live field: its {CARD} is missing.")
    if path.stat().st_size > LARGEST_CARD:
        raise FileFormatError(f"{path} is {path.stat().st_size} bytes; a card has at most {LARGEST_CARD}.")
    try:
        about = msgspec.json.decode(path.read_bytes())
        named: Any = (about.get("schema"), about.get("version")) if isinstance(about, dict) else None
        if named != (SCHEMA, VERSION):
            raise FileFormatError(f"{path} is no live field of this neuro_field: it says {named!r:.80}.")
        return msgspec.convert(about, LiveFile)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FileFormatError(f"{path} is damaged: {str(error)[:120]}") from None


def _of_head(head: HeadModel) -> str:
    return fingerprint(head.mesh, head.conductivity)


def _arrays(live: LiveField) -> dict[str, AnyArray]:
    sheet, packed, reader = live.sheet, live.packed, live.reader
    return {
        "vertices": sheet.surface.points, "triangles": sheet.surface.triangles, "points": sheet.points,
        "normals": sheet.normals, "volumes": sheet.volumes, "values": packed.values,
        "patch_points": packed.points, "patch_ranks": packed.ranks, "mixing": packed.mixing,
        "probes": reader.probes, "span": reader.span, "coefficients": reader.coefficients,
    }  # fmt: skip


def _nouns(arrays: dict[str, AnyArray], where: str, components: int) -> tuple[Sheet, Packed, Reader]:
    """The parts of a live field, their sizes held against one another."""

    def array(name: str, *shape: int | None, dtype: type = np.float64) -> AnyArray:
        return array_of(arrays, name, where, dtype, *shape)

    points = array("points", None, 3)
    n = len(points)
    surface = Surface(array("vertices", n, 3), array("triangles", None, 3, dtype=np.int32))
    sheet = Sheet(surface, points, array("normals", n, 3), array("volumes", n))
    reader = Reader(array("probes", None, 3), array("span", None, None), array("coefficients", None, None))
    packed = Packed(
        components, array("values", None, dtype=np.int16), array("patch_points", None, dtype=np.int64),
        array("patch_ranks", None, dtype=np.int64), array("mixing", None, None, dtype=np.float32),
    )  # fmt: skip
    rows, modes = reader.coefficients.shape
    fits = (
        components == 3
        and reader.span.shape == (3 * len(reader.probes), rows)
        and packed.mixing.shape[1] == modes
        and packed.fits(n)
    )
    if not fits:
        raise FileFormatError(f"{where}: its arrays do not belong together")
    return sheet, packed, reader
