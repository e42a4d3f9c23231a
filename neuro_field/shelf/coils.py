"""Coils by name from the shelf ``coils/``, and coil files by their ending."""

import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib

from neuro_field.coil.coil import Coil
from neuro_field.coil.stimulator import Stimulator
from neuro_field.coil.symmetry import SYMMETRIES
from neuro_field.coil.winding import Winding
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.atomic import ExistsError, new_file
from neuro_field.io.ccd import ccd_text, read_ccd, waveform_text
from neuro_field.io.coil_limits import checked_coil
from neuro_field.io.nifti_coil import nifti_of_coil, read_nifti_coil
from neuro_field.io.stl import stl_bytes
from neuro_field.io.tcd import read_tcd, tcd_text
from neuro_field.names import resolved
from neuro_field.shelf.library import shelf

#: Distance between the dipoles of a coil of the shelf, mm.  From 10 mm below its face on, a flat coil has the
#: potential of its wires to 1e-4 and the flux density to 1e-3 (from 15 mm on 1e-5 and 1e-4), a bent one to 0.5 %.
FLAT_SPACING = 8.0
BENT_SPACING = 6.0

#: How far behind the winding dipoles stand in the middle of a wing into whose opening a head reaches, mm: a sphere of
#: 75 mm reaches 14 mm into one of 44 mm radius.
HOLLOW = 25.0

_ENDINGS = ".ccd, .tcd, .nii or .nii.gz"


def coil_names() -> list[str]:
    """Names of the coils on the shelf, sorted."""
    return sorted(path.stem for path in shelf("coils").glob("*.toml"))


def coil_card(name: str) -> dict[str, Any]:
    """The card of a coil on the shelf as plain values; capitals, hyphens and makers' names are forgiven.

    Raises
    ------
    UnknownNameError
        Listing the names there are.
    FileFormatError
        If the card is damaged.
    """
    return _card(resolved("coil", name, coil_names(), _others_names()))


def _card(name: str) -> dict[str, Any]:
    path = shelf("coils") / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path.name} is no card of a coil: {error}") from None


@cache
def _others_names() -> dict[str, str]:
    """The makers' names on the cards, alone and behind the maker, and the coils of the shelf that are of their kind."""
    found: dict[str, str] = {}
    for name in coil_names():
        card = _card(name)
        for other in (name, *card.get("also", [])):
            found |= {other: name, f"{card.get('maker', '')} {other}": name}
    return found


def load_coil(name: str) -> Coil:
    """A coil from the shelf: dipoles made from the winding on its card.

    Parameters
    ----------
    name : str
        As in `coil_names`, for example ``"figure8-70mm"``, or a maker's name on its card, as "D70".

    Returns
    -------
    Coil
        ``didt_max`` is that of the first stimulator on the card, None when no source gives one.

    Raises
    ------
    UnknownNameError
        Listing the names there are.

    Examples
    --------
    >>> load_coil("figure8-70mm").initial_e_direction.round().astype(int).tolist()
    [0, 1, 0]
    """
    card = coil_card(name)
    return coil_of_card(card, f"{card.get('name', name)}.toml")


def coil_of_card(card: dict[str, Any], where: str = "the card") -> Coil:
    """A coil from the plain values of a card; raises FileFormatError naming the key that is wrong."""
    winding = winding_of_card(card, where)
    try:
        stimulators = tuple(_stimulator(keys) for keys in card.get("stimulator", []))
        expected = {"+y": 1, "-y": -1, "none": 0}[card["polarity"]]
        casing = winding.casing(**{key: float(value) for key, value in card["casing"].items()})
        facts = {key: str(card[key]) for key in ("title", "maker", "citation", "licence", "notes")}
        name, symmetry = str(card["name"]), {each: each for each in SYMMETRIES}[card["symmetry"]]
    except KeyError as error:
        raise FileFormatError(f"{where}: the key or choice {error} is missing or not known.") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(f"{where}: {error}") from None
    if winding.initial_y != expected:
        raise FileFormatError(f"{where}: polarity {card['polarity']!r} contradicts the senses of its wings.")
    didt_max = stimulators[0].didt_max if stimulators else None
    hollow = HOLLOW if card["casing"].get("hole") else 0.0
    dipoles = winding.dipoles(BENT_SPACING if winding.bend_angle else FLAT_SPACING, hollow)
    return Coil(name, (dipoles,), didt_max, casing, stimulators, {**facts, "source": where}, symmetry)


def winding_of_card(card: dict[str, Any], where: str = "the card") -> Winding:
    """The winding on a card; raises FileFormatError naming the key that is wrong."""
    try:
        keys = card["winding"]
        bend = keys.get("bend", {})
        return Winding(
            tuple(float(radius) for radius in keys["radii"]),
            tuple(float(depth) for depth in keys["depths"]),
            tuple((float(u), int(sense)) for u, sense in zip(keys["wings"], keys["senses"], strict=True)),
            layers_in_series={"series": True, "shared": False}[keys["layers"]],
            bend_angle=float(bend.get("angle", 0.0)),
            bend_start=float(bend.get("start", 0.0)),
            bend_radius=float(bend.get("radius", 0.0)),
            offset_y=float(keys.get("offset_y", 0.0)),
        )
    except KeyError as error:
        raise FileFormatError(f"{where}: the key or choice {error} is missing or not known.") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(f"{where}: {error}") from None


def _stimulator(keys: dict[str, Any]) -> Stimulator:
    value = keys.get("didt_max")
    return Stimulator(
        str(keys["name"]),
        str(keys.get("brand", "")),
        None if value is None else float(value),
        source=str(keys["source"]),
    )


def is_coil_file(source: str) -> bool:
    """Whether a person means a file by this and not a name of the shelf."""
    return Path(source).suffix.lower() in (".ccd", ".tcd", ".nii", ".gz") or Path(source).is_file()


def read_coil(path: str | Path, *, motions: Sequence[float] | None = None) -> Coil:
    """A coil from a file.

    Parameters
    ----------
    path : str or Path
        .ccd (dipoles in text; .stl housing and .tsv waveform beside it are read too), .tcd (JSON), or .nii /
        .nii.gz (sampled potential).
    motions : sequence of float, optional
        For a .tcd file of a coil with moving parts: the value of each motion, mm or degrees, in the file's order;
        its initial values when omitted.  ``provenance["motions"]`` says values and ranges.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If its ending or its content is not that of a coil, naming the line or key.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.write(nf.load_coil("figure8-70mm"), "mine.ccd")
    >>> nf.read_coil("mine.ccd").didt_max  # A/s
    114730000.0
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no coil file {str(path)!r}; coils of the shelf are read by load_coil.")
    readers: dict[str, Callable[[Path], Coil]] = {
        ".ccd": read_ccd,
        ".tcd": read_tcd,
        ".nii": read_nifti_coil,
        ".nii.gz": read_nifti_coil,
    }
    reader = readers.get(_ending(path))
    if reader is None:
        raise FileFormatError(f"Input path of read_coil must end in {_ENDINGS}; instead received {path.name!r}.")
    if motions is not None:
        if reader is not read_tcd:
            raise InputError(f"Input motions of read_coil goes with a .tcd file; instead received {path.name!r}.")
        return read_tcd(path, motions)
    return reader(path)


def write_coil(coil: Coil, path: str | Path) -> None:
    """Write a coil: .ccd (its dipoles; casing as .stl and first waveform as .tsv beside), .tcd (all), .nii or .nii.gz.

    The file appears whole or not at all; one that is there is replaced, but never a file beside it: a .ccd brings its
    own .stl and .tsv, and takes those that are there for its own when it is read.

    Raises
    ------
    InputError
        If the ending is none of these; the coil cannot be said in that format (.ccd needs dipoles, .nii a sampled
        potential) or holds what no reader takes; or a .ccd would get a .stl or .tsv of another coil (also a
        FileExistsError).
    """
    path = Path(path)
    ending = _ending(path)
    checked_coil(coil)
    if ending == ".ccd":
        _write_ccd(coil, path)
    elif ending == ".tcd":
        _write(path, tcd_text(coil).encode())
    elif ending in (".nii", ".nii.gz"):
        image = nifti_of_coil(coil)
        with new_file(path) as beside:
            nib.save(image, beside)
    else:
        raise InputError(f"Input path of write_coil must end in {_ENDINGS}; instead received {path.name!r}.")


def _write_ccd(coil: Coil, path: Path) -> None:
    """A .ccd file and what belongs beside it; nothing is written where another thing lies there."""
    text = ccd_text(coil, path.name).encode()
    waveforms = [wave for stimulator in coil.stimulators for wave in stimulator.waveforms]
    beside = {
        path.with_suffix(".stl"): None if coil.casing is None else stl_bytes(coil.casing),
        path.with_suffix(".tsv"): waveform_text(waveforms[0]).encode() if waveforms else None,
    }
    for neighbour, content in beside.items():
        if neighbour.exists() and (content is None or neighbour.read_bytes() != content):
            raise ExistsError(
                f"{neighbour} is there already and is not this coil's, yet {path.name} would be read with it; nothing "
                "was written: move it, or give another name."
            )
    _write(path, text)
    for neighbour, content in beside.items():
        if content is not None:
            _write(neighbour, content)


def _write(path: Path, content: bytes) -> None:
    with new_file(path) as beside:
        beside.write_bytes(content)


def _ending(path: Path) -> str:
    return "".join(path.suffixes[-2:]).lower() if path.name.lower().endswith(".nii.gz") else path.suffix.lower()
