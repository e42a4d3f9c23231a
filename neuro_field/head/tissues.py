"""The tissues of a head: tag in mesh files, name, standard conductivity and its source."""

from dataclasses import dataclass

from neuro_field.errors import UnknownNameError


@dataclass(frozen=True)
class Tissue:
    """One tissue.

    ``tag`` numbers it in label images and .msh files (SimNIBS numbering; lesions have no number by convention,
    ours are 21-23), ``conductivity`` is in S/m, ``source`` says where that number comes from.
    """

    tag: int
    name: str
    conductivity: float
    source: str


_STANDARD = "SimNIBS standard (Wagner 2004; Opitz 2015)"
_LESION = "no established value; [lit] range 0.275-1.654"

TISSUES = (
    Tissue(1, "white_matter", 0.126, _STANDARD),
    Tissue(2, "grey_matter", 0.275, _STANDARD),
    Tissue(3, "csf", 1.654, _STANDARD),
    Tissue(4, "bone", 0.010, _STANDARD),
    Tissue(5, "scalp", 0.465, _STANDARD),
    Tissue(6, "eyes", 0.5, _STANDARD),
    Tissue(7, "compact_bone", 0.008, _STANDARD),
    Tissue(8, "spongy_bone", 0.025, _STANDARD),
    Tissue(9, "blood", 0.6, _STANDARD),
    Tissue(10, "muscle", 0.16, _STANDARD),
    Tissue(11, "cartilage", 0.88, "IT'IS database [lit]"),
    Tissue(12, "fat", 0.078, "IT'IS database [lit]"),
    Tissue(21, "lesion_cavity", 1.654, f"chronic cavity as CSF; {_LESION}"),
    Tissue(22, "lesion_rim", 0.275, f"gliotic rim as grey matter, [lit] 0.275-1.0; {_LESION}"),
    Tissue(23, "lesion_acute", 0.22, f"acute ischaemia as 0.8 x grey matter, [lit] 0.7-0.9; {_LESION}"),
)

BY_TAG = {tissue.tag: tissue for tissue in TISSUES}
BY_NAME = {tissue.name: tissue for tissue in TISSUES}

#: Regions that are several tissues.
GROUPS = {
    "brain": ("white_matter", "grey_matter"),
    "lesion": ("lesion_cavity", "lesion_rim", "lesion_acute"),
    "intracranial": ("white_matter", "grey_matter", "csf", "blood", "lesion_cavity", "lesion_rim", "lesion_acute"),
    "skull": ("bone", "compact_bone", "spongy_bone"),
}


def tags_of(name: str) -> tuple[int, ...]:
    """Tags of a tissue or of a group of tissues by name."""
    if name in GROUPS:
        return tuple(BY_NAME[member].tag for member in GROUPS[name])
    if name in BY_NAME:
        return (BY_NAME[name].tag,)
    raise UnknownNameError("tissue", name, [*BY_NAME, *GROUPS])
