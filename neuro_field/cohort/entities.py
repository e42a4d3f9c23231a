"""Names of files as the Brain Imaging Data Structure makes them: ``sub-01_ses-a_space-T1w_desc-x_mask.nii.gz``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from neuro_field.errors import InputError

#: What a label may be; a longer one is none.
_LABEL = re.compile(r"[A-Za-z0-9+]{1,64}")

#: Endings of files, the longer ones first.
ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".mgz", ".mgh", ".nrrd", ".nhdr", ".voi", ".json", ".tsv")


@dataclass(frozen=True)
class BidsName:
    """The parts of a file's name.

    ``entities`` by key, in their order; ``others`` the parts between that are none, such as the T1w of
    ``sub-01_T1w_lesion.nii.gz``; ``suffix`` the last part, and ``ending`` all behind it.
    """

    entities: Mapping[str, str]
    others: tuple[str, ...]
    suffix: str
    ending: str

    @classmethod
    def of(cls, name: str) -> "BidsName | None":
        """The parts of a name; None for one with an ending that is not known here.

        Examples
        --------
        >>> parts = BidsName.of("sub-01_space-T1w_label-lesion_mask.nii.gz")
        >>> parts.entities["label"], parts.suffix, parts.ending
        ('lesion', 'mask', '.nii.gz')
        """
        ending = next((each for each in ENDINGS if name.lower().endswith(each)), None)
        if ending is None:
            return None
        entities: dict[str, str] = {}
        others = []
        *parts, suffix = name[: -len(ending)].split("_")
        for part in parts:
            key, hyphen, label = part.partition("-")
            if hyphen and key.isalpha() and label:
                entities[key] = label
            else:
                others.append(part)
        return cls(entities, tuple(others), suffix, ending)


@dataclass(frozen=True, order=True)
class Who:
    """One participant, or one session of theirs: labels, never names."""

    participant: str
    session: str | None = None

    def __post_init__(self) -> None:
        for what, label in (("participant", self.participant), ("session", self.session)):
            if label is not None:
                checked_label(what, label)

    @property
    def label(self) -> str:
        """As files are named: ``sub-01_ses-a``."""
        return "_".join(self._parts)

    @property
    def folder(self) -> str:
        """As folders are named: ``sub-01/ses-a``."""
        return "/".join(self._parts)

    @property
    def _parts(self) -> tuple[str, ...]:
        own = f"sub-{self.participant}"
        return (own,) if self.session is None else (own, f"ses-{self.session}")


def checked_label(what: str, given: str) -> str:
    """A label without the key that people may type before it; raises InputError for what is none.

    Examples
    --------
    >>> checked_label("participant", "sub-01"), checked_label("session", "a")
    ('01', 'a')
    """
    label = given.removeprefix({"participant": "sub-", "session": "ses-"}.get(what, ""))
    if not _LABEL.fullmatch(label):
        raise InputError(f"Label of a {what} must be 1 to 64 letters and digits; instead received {given!r:.80}.")
    return label


def as_label(name: str) -> str:
    """A name as the label of an entity: its letters and digits, words begun by capitals.

    Examples
    --------
    >>> as_label("contralesional-1hz-hand_figure8-70mm")
    'contralesional1hzHandFigure870mm'
    """
    first, *words = re.findall(r"[A-Za-z0-9]+", name) or ["unnamed"]
    return "".join([first, *(word[:1].upper() + word[1:] for word in words)])[:64]
