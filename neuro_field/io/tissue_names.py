"""What other programs call the tissues of a head: the names of volumes in a mesh, before their numbers.

Numbers are private: FieldTrip counts grey, white, CSF, skull and scalp from one on, SimNIBS white, grey, CSF, bone and
scalp.  Where a file names its volumes, the names say what they are.
"""

import re
from collections.abc import Mapping

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import FileFormatError
from neuro_field.findings import Finding, as_name
from neuro_field.head.tissues import BY_NAME, BY_TAG

#: Other names, in small letters with one blank between words, of the tissues that we name.
_CALLED = {
    "white_matter": ("white", "white matter", "wm", "whitematter"),
    "grey_matter": ("grey", "gray", "grey matter", "gray matter", "gm", "cortex", "greymatter", "graymatter"),
    "csf": ("csf", "cerebrospinal fluid", "liquor"),
    "bone": ("bone", "skull"),
    "scalp": ("scalp", "skin"),
    "eyes": ("eyes", "eye", "eyeballs", "eye balls"),
    "compact_bone": ("compact bone", "cortical bone", "compacta", "skull compacta"),
    "spongy_bone": ("spongy bone", "cancellous bone", "trabecular bone", "spongiosa", "skull spongiosa", "diploe"),
    "blood": ("blood", "vessels"),
    "muscle": ("muscle",),
    "cartilage": ("cartilage",),
    "fat": ("fat",),
    "lesion_cavity": ("lesion cavity",),
    "lesion_rim": ("lesion rim",),
    "lesion_acute": ("lesion acute",),
}
_TAG = {name: BY_NAME[tissue].tag for tissue, names in _CALLED.items() for name in names}

#: Words that with a number, or alone, name a volume and no tissue.
_NEUTRAL = re.compile(r"(?:(?:volume|vol|region|domain|tissue|tag|label|physical|group|part|compartment)s? ?)*[0-9]*")


def tissue_called(name: str) -> int | None:
    """The tag of the tissue that a name means; None where it means none that is known."""
    return _TAG.get(_plain(name))


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[\s_\-.]+", " ", name).lower().split())


def by_names(tags: AnyArray, names: Mapping[int, str], where: str) -> tuple[AnyArray, tuple[Finding, ...]]:
    """Tags (t,) of tissues by the names of volumes where these say it, and findings of numbers that said otherwise.

    A volume without a name, or called by a number alone, keeps its number.

    Raises
    ------
    FileFormatError
        If a volume has a name that is no tissue's, or has none beside others whose numbers are not ours: what it is
        cannot be told by its number either.
    """
    out = tags.copy()
    renamed: list[Finding] = []
    unnamed = []
    for tag in np.unique(tags).tolist():
        name = names.get(tag, "")
        found = tissue_called(name)
        if found is None and not _NEUTRAL.fullmatch(_plain(name)):
            known = ", ".join(sorted(names[0] for names in _CALLED.values()))
            raise FileFormatError(
                f"The mesh {where}: its volume {tag} is called {name!r:.40}, which is no tissue that is known; name it "
                f"as one of {known}."
            )
        if found is None:
            unnamed.append(tag)
            continue
        out[tags == tag] = found
        if found != tag:
            number = BY_TAG[tag].name if tag in BY_TAG else None
            values = {"volume": tag, "tissue": BY_TAG[found].name, "called": as_name(name), "number": number}
            renamed.append(Finding("head-volume-by-name", "note", values))
    if renamed and unnamed:
        first = renamed[0].values
        raise FileFormatError(
            f"The mesh {where} counts its tissues in its own way (its volume {first['volume']} is called "
            f"{first['called']}), so its volumes {unnamed} without a name "
            "cannot be told by their numbers; name them too."
        )
    return out, tuple(renamed)
