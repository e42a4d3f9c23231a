"""A BIDS data set: who is in it, and which files of theirs are the T1, the other images, the lesion and the labels.

Nothing is opened here but descriptions of data sets: what a file holds is judged by whoever reads it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuro_field.cohort.entities import BidsName, Who, checked_label
from neuro_field.errors import InputError
from neuro_field.io.json_text import record_in
from neuro_field.nouns import noun

#: What every data set has at its root; a longer one, bytes, is none.
DESCRIPTION, _LONGEST = "dataset_description.json", 1_000_000

#: Files of one person in one folder of derivatives that are looked at, at most.
MOST_FILES = 20_000

#: Whoever writes these as GeneratedBy.Name has no lesion and no labels of a whole head for us.
OURS = "neuro_field"

#: Of images of the brain alone.
BRAIN_ONLY = ("fmriprep", "smriprep", "nibabies", "aslprep", "qsiprep", "xcp_d")


@noun
class Dataset:
    """A data set and the derivatives beside it: ``root``, and ``derivatives`` by their folders."""

    root: Path
    derivatives: tuple[Path, ...]

    @classmethod
    def of(cls, root: Path, more: Sequence[Path] = (), without: Path | None = None) -> "Dataset":
        """The data set in a folder, with its ``derivatives/*`` and ``more``; ``without`` the one that is written now.

        Raises
        ------
        InputError
            If it is none, or one of ``more`` is no folder.
        """
        if not (root / DESCRIPTION).is_file():
            raise InputError(f"{root} is no BIDS data set: it has no {DESCRIPTION}. Give the folder that holds sub-*.")
        for each in more:
            if not each.is_dir():
                raise InputError(f"The folder of derivatives {each} does not exist.")
        inside = root / "derivatives"
        found = sorted(each for each in inside.iterdir() if each.is_dir()) if inside.is_dir() else []
        written = None if without is None else without.resolve()
        kept = (each for each in (*found, *more) if each.resolve() != written and not each.name.startswith("."))
        return cls(root, tuple(each for each in kept if maker_of(each) != OURS))

    def people(self, participants: Sequence[str] = (), sessions: Sequence[str] = ()) -> list[Who]:
        """Everybody, or those named, each session apart.

        A participant without sessions, or with none that has images, is one entry without a session.

        Raises
        ------
        InputError
            If there is nobody, or somebody named is not there.
        """
        wanted = [checked_label("participant", each) for each in participants]
        those = {checked_label("session", each) for each in sessions}
        there = [path.name.removeprefix("sub-") for path in sorted(self.root.glob("sub-*")) if path.is_dir()]
        missing = sorted(set(wanted) - set(there))
        if missing:
            raise InputError(f"The data set {self.root} has no folder sub-{missing[0]}; it has {_listed(there)}.")
        out = []
        for label in (wanted and dict.fromkeys(wanted)) or there:
            found = self._sessions(label)
            chosen = [each for each in found if not those or each in those]
            if chosen or not those:
                out += [Who(label, each) for each in chosen] or [Who(label)]
        if not out:
            what = f"no session {', '.join(sorted(those))}" if those and there else "no folder sub-*"
            raise InputError(f"The data set {self.root} has {what}.")
        return out

    def _sessions(self, label: str) -> list[str]:
        folders = sorted((self.root / f"sub-{label}").glob("ses-*"))
        return [each.name.removeprefix("ses-") for each in folders if (each / "anat").is_dir()]

    def within(self, relative: str) -> Path:
        """A file that a table names, which must lie in the data set or its derivatives.

        Raises
        ------
        InputError
            If it does not exist or lies elsewhere.
        """
        path = (self.root / relative).resolve()
        if not any(path.is_relative_to(each.resolve()) for each in (self.root, *self.derivatives)):
            raise InputError(f"The file {relative!r:.120} of the table lies outside the data set; give one inside.")
        if not path.exists():
            raise InputError(f"The file {relative!r:.120} of the table does not exist in the data set.")
        return path


def maker_of(folder: Path) -> str:
    """Who made a data set, by its description; nothing where that does not tell."""
    made = record_in(folder / DESCRIPTION, _LONGEST).get("GeneratedBy")
    first = made[0] if isinstance(made, list) and made else {}
    return str(first.get("Name", "")) if isinstance(first, Mapping) else ""


@dataclass(frozen=True)
class Named:
    """A file and the parts of its name."""

    path: Path
    name: BidsName

    @property
    def space(self) -> str:
        """The space its name tells, or the image it was drawn on; nothing where it lies in the T1."""
        told = self.name.entities.get("space", "")
        drawn = [each for each in self.name.others if each.upper() in ("FLAIR", "T2W")]
        return told or (drawn[0] if drawn else "")


def images_in(folder: Path, suffix: str) -> list[Named]:
    """Images of a suffix in the folder anat of one person."""
    found = _named(sorted((folder / "anat").glob(f"*_{suffix}.nii*")))
    return [each for each in found if each.name.suffix == suffix]


def files_of(derivatives: Path, who: Who) -> list[Named]:
    """All files of one person in a folder of derivatives, those of other sessions left out.

    Raises
    ------
    InputError
        If there are more than anybody can look at.
    """
    folder = derivatives / f"sub-{who.participant}"
    out: list[Path] = []
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and _of_session(path.relative_to(folder), who.session):
            out.append(path)
        if len(out) > MOST_FILES:
            raise InputError(f"The folder {folder} holds more than {MOST_FILES} files; give a smaller one.")
    return _named(sorted(out))


def _of_session(path: Path, session: str | None) -> bool:
    told = [part.removeprefix("ses-") for part in path.parts[:-1] if part.startswith("ses-")]
    return not told or told[0] == session


def _named(paths: Sequence[Path]) -> list[Named]:
    parsed = ((path, BidsName.of(path.name)) for path in paths)
    return [Named(path, name) for path, name in parsed if name is not None]


def the_one(found: Sequence[Named], what: str, column: str, root: Path) -> Named | None:
    """The plainest of several: the one with the fewest entities; None of none.

    Raises
    ------
    InputError
        If several are equally plain; the message tells how to say which.
    """
    least = min((len(each.name.entities) + len(each.name.others) for each in found), default=0)
    plain = [each for each in found if len(each.name.entities) + len(each.name.others) == least]
    if len(plain) > 1:
        names = _listed([_shown(each.path, root) for each in plain])
        raise InputError(f"There are {len(plain)} files that may be the {what}: {names}; name one in column {column}.")
    return plain[0] if plain else None


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def whole_head_makers(dataset: Dataset) -> Iterator[Path]:
    """The derivatives in which labels of a whole head may lie."""
    for folder in dataset.derivatives:
        if maker_of(folder).lower() not in BRAIN_ONLY and folder.name.lower() not in BRAIN_ONLY:
            yield folder
