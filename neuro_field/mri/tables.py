"""Which number of which software means which tissue: facts alone; which table an image speaks is for labels.py.

Where the numbers come from: FreeSurfer's ``FreeSurferColorLUT.txt`` and the tissue types its color-table code gives
them; for the numbers 501 to 530 of charm's ``labeling.nii.gz``, the list in FreeSurfer's ``mkwholeheadseg.m``, which
merges them; ROAST's, SPM12's and FieldTrip's manuals.  What is in doubt is marked so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

AIR, WHITE, GREY, CSF, BONE, SCALP, EYES, COMPACT, SPONGY, BLOOD, MUSCLE = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

#: The table of our own tags, among them lesions, which are SimNIBS's.
OWN = "simnibs"
_TAGS = (*range(1, 13), 21, 22, 23)


@dataclass(frozen=True)
class LabelTable:
    """The numbers of one family of label images.

    ``tags`` maps each number to a tissue tag of `neuro_field.head.tissues`, 0 being air; ``software`` names
    the programs that write them; ``left`` and ``right`` are the numbers of brain tissue of either side, where it has
    them; ``lesions`` those that the program calls a lesion without saying of what kind.
    """

    name: str
    software: str
    tags: Mapping[int, int]
    left: tuple[int, ...] = ()
    right: tuple[int, ...] = ()
    lesions: tuple[int, ...] = ()


def _numbered(by_tissue: Mapping[int, list[int]]) -> dict[int, int]:
    return {AIR: AIR} | {number: tag for tag, numbers in by_tissue.items() for number in numbers}


#: Parcels of the cortex: Desikan (1000), a2005s (1100), a2009s (11100), high myelin (11300); right ones 1000 higher.
_PARCELS = (*range(1000, 1036), *range(1100, 1182), *range(11100, 11176), 11300)

#: White matter under the parcels, of wmparc: 2000 beyond them; lobes 3201 to 3207; what is far from any of them, 5001.
_WHITE_PARCELS = (*range(3000, 3036), *range(3100, 3182), *range(3201, 3208), *range(13100, 13176))

#: Grey and white matter of either side; those of the right side follow their own order.
_LEFT_GREY = (3, 8, *range(10, 14), 17, 18, 19, 20, 26, 27, 28, 29, 81, 183, *_PARCELS)
_RIGHT_GREY = (42, 47, *range(49, 57), 58, 59, 60, 61, 82, 184, *(number + 1000 for number in _PARCELS))
_LEFT_WHITE = (2, 7, 34, 78, 690, 5001, *_WHITE_PARCELS)
_RIGHT_WHITE = (41, 46, 66, 79, 691, 5002, *(number + 1000 for number in _WHITE_PARCELS))

#: What FreeSurfer and SAMSEG call a lesion: of the left, of the right, of either side.
_LESIONS = (25, 57, 99)

#: FreeSurfer's aseg, aparc+aseg, aparc.a2009s+aseg and wmparc; brain-stem parts (173-175, 178); SAMSEG's whole head,
#: old (165, 258, 259) and new (902-930); FreeSurfer's heads (118-135, 143-145, 167).  Vessels (30, 62) and the choroid
#: plexus (31, 63) lie in fluid and count as CSF; brain stem and spinal cord (16, 126) as white matter, ours.
_FREESURFER = _numbered(
    {
        WHITE: [
            *_LEFT_WHITE, *_RIGHT_WHITE, *_LESIONS, 16, 77, 85, 126, *range(173, 176), 178, 192, *range(250, 256), 267,
        ],
        GREY: [*_LEFT_GREY, *_RIGHT_GREY, 80, 172, 179],
        CSF: [4, 43, 5, 44, 14, 15, 72, 24, 31, 63, 30, 62, 75, 76, 122, 257],
        BONE: [121, 129, 135, 165],
        COMPACT: [915],
        SPONGY: [916],
        SCALP: [118, 119, 120, 124, 127, 131, 132, 133, 167, 258, 907, 909, 911, 930],
        EYES: [134, 143, 144, 145, 259, 265, 266],
        BLOOD: [902, 914],
        MUSCLE: [123, 908],
        AIR: [130, 262, 263, 264],
    }
)  # fmt: skip

#: Of charm's ``labeling.nii.gz`` beyond FreeSurfer's brain: internal air 501, artery 502, eyeballs 506, other tissues
#: 507, eye muscles 508, mucosa 509, skin 511, spinal cord 512, vein 514, bone 515 and 516, background 517, CSF around
#: the brain 520, optic nerve 530.  In doubt: cord as white matter and optic nerve as soft tissue are ours.
_CHARM = {
    501: AIR, 502: BLOOD, 506: EYES, 507: SCALP, 508: MUSCLE, 509: SCALP, 511: SCALP, 512: WHITE, 514: BLOOD,
    515: COMPACT, 516: SPONGY, 517: AIR, 520: CSF, 530: SCALP,
}  # fmt: skip

_SIDES = {"left": (*_LEFT_GREY, *_LEFT_WHITE), "right": (*_RIGHT_GREY, *_RIGHT_WHITE)}


def _in_order(*tissues: int) -> dict[int, int]:
    """Tissues counted from one on."""
    return {AIR: AIR} | dict(enumerate(tissues, start=1))


#: Of tables that read the numbers of an image alike, the first is named.
TABLES = {
    table.name: table
    for table in (
        LabelTable(OWN, "SimNIBS (tissues of charm and headreco) and neuro_field", {0: 0} | {t: t for t in _TAGS}),
        LabelTable(
            "freesurfer", "SAMSEG; FreeSurfer and SynthSeg (the brain alone)", _FREESURFER, **_SIDES,
            lesions=_LESIONS,
        ),
        LabelTable("charm", "SimNIBS charm's labeling.nii.gz", _FREESURFER | _CHARM, **_SIDES, lesions=_LESIONS),
        LabelTable("roast", "ROAST", _in_order(WHITE, GREY, CSF, BONE, SCALP, AIR)),
        LabelTable("spm", "SPM12 (c1 to c6 in order)", _in_order(GREY, WHITE, CSF, BONE, SCALP, AIR)),
        LabelTable("fieldtrip", "FieldTrip (gray, white, csf, skull, scalp)", _in_order(GREY, WHITE, CSF, BONE, SCALP)),
        LabelTable(
            "fieldtrip-alphabetical", "FieldTrip (csf, gray, scalp, skull, white)",
            _in_order(CSF, GREY, SCALP, BONE, WHITE),
        ),
        LabelTable(
            "outside-in", "FieldTrip and others (skin, skull, csf, gray, white)",
            _in_order(SCALP, BONE, CSF, GREY, WHITE),
        ),
    )
}  # fmt: skip
