"""Find the cards of the two shelves, ``coils`` and ``meshes``."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from neuro_field.errors import FileFormatError, InputError, UnknownNameError


def shelf(name: str) -> Path:
    """Folder of the shelf ``name``: inside the wheel, or beside the package in a checkout."""
    packed = Path(str(files("neuro_field"))) / "library" / name
    found = packed if packed.is_dir() else Path(__file__).parents[2] / name
    if not found.is_dir():
        raise InputError(f"The shelf {name!r} is missing from this installation of neuro_field; install it again.")
    return found


def names_on(name: str) -> list[str]:
    """Names of the folders with a card on a shelf, sorted."""
    return sorted(card.parent.name for card in shelf(name).glob("*/card.toml"))


def folder_on(name: str, item: str) -> Path:
    """Folder of one thing on a shelf; raises UnknownNameError naming those there are."""
    known = names_on(name)
    if item not in known:
        raise UnknownNameError(name.rstrip("s").removesuffix("e"), item, known)
    return shelf(name) / item


def card(folder: Path) -> dict[str, Any]:
    """The card of a folder of a shelf."""
    path = folder / "card.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as trouble:
        raise FileFormatError(f"The card {path} cannot be read: {trouble}.") from None
