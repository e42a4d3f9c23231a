"""What a series of DICOM images shows, by how it was made first and by its words second.

Scanners number no contrasts: a T1 is known by its times and angles, and a word that says otherwise makes it unclear.
"""

import re
from dataclasses import dataclass, field

from neuro_field.io.dicom_headers import Header

#: Kinds and how they are called; MP2RAGE is made of four images, of which ``mp2rage-uni`` is the one like a T1.
TITLES = {
    "t1": "T1", "t2": "T2", "flair": "FLAIR", "ct": "CT", "localizer": "localizer", "diffusion": "diffusion",
    "functional": "time series (function, perfusion)", "angiography": "angiography",
    "susceptibility": "T2* or susceptibility", "phase": "phase image", "picture": "picture of a screen",
    "proton-density": "proton density", "mp2rage-uni": "MP2RAGE UNI, a T1 in a background of noise",
    "mp2rage-denoised": "MP2RAGE UNI, background denoised", "mp2rage-inv1": "MP2RAGE INV1, a part",
    "mp2rage-inv2": "MP2RAGE INV2, a part", "t1-map": "T1 map, times not contrast", "unclear": "not clear",
    "other": "no image of MRI or CT",
}  # fmt: skip

#: Kinds that a head can be made of.
LIKE_T1 = ("t1", "mp2rage-uni", "mp2rage-denoised")

#: Families of makers; a maker's own spelling is free text, and is not kept.
_MAKERS = {
    "siemens": "Siemens", "ge ": "GE", "philips": "Philips", "canon": "Canon", "toshiba": "Canon",
    "hitachi": "Fujifilm", "fuji": "Fujifilm", "uih": "United Imaging",
    "united imaging": "United Imaging", "bruker": "Bruker",
}  # fmt: skip

#: Words of descriptions, protocols and sequences: the first that is found decides.
_WORDS = (
    ("localizer", r"localis|localiz|scout|survey|\bloc\b|3[- ]?plane|plan[_ ]scan|topogram"),
    ("mp2rage-inv1", r"mp2rage.*inv[-_ ]?1\b"),
    ("mp2rage-inv2", r"mp2rage.*inv[-_ ]?2\b"),
    ("t1-map", r"mp2rage.*(t1[-_ ]?images?|t1[-_ ]?map)|t1[-_ ]?map|\bt1map|r1[-_ ]?map|molli"),
    ("mp2rage-denoised", r"mp2rage.*uni.*(den\b|denoise)|mp2rage.*(robust|den\b|denoise)"),
    ("mp2rage-uni", r"mp2rage.*uni"),
    ("diffusion", r"dwi|\bdti|diff|\badc\b|trace ?w|\bnoddi|\bhardi"),
    ("susceptibility", r"\bswi|swan|qsm|venbold|t2[-_ ]?\*|t2[-_ ]?star|\bhemo|field[-_ ]?map|\bmedic\b|\bgre_field"),
    ("functional", r"bold|fmri|rest(ing)?[-_ ]?state|\bperf|\basl\b|pcasl|\bdsc\b|\bdce\b|\bcbf\b|\bcbv\b|\bmtt\b"),
    ("angiography", r"\btof|angio|\bmra\b|\bmrv\b|venc|\bpca\b"),
)

#: Words that say what weighting a sequence has; ``\b`` counts an underscore as a letter, so it is spaced before.
_WEIGHTS = {
    "t1": r"\bt1|mp ?rage|bravo|\bfspgr|\bspgr|\btfl3d|\b3d ?tfe|\bvibe\b",
    "t2": r"\bt2",
    "flair": r"flair|dark[- ]?fluid",
}

#: Words of a contrast agent, without those that say there was none.
_AGENT = (
    r"\+ ?c\b|(?<!no )(?<!non )(?<!pre )(?<!pre-)(?<!vor )(?<!ohne )(\bgd\b|\bgad|\bkm\b|\bce\b)"
    r"|post ?(contrast|km|gd|gad)|with ?contrast|\bcontrast[- ]?enhanced|(?<!非)造影(?!なし|無|前)"
)

#: Enhanced files say the contrast in a word.
_CONTRASTS = {
    "T1": "t1", "T2": "t2", "FLUID_ATTENUATED": "flair", "PROTON_DENSITY": "proton-density", "DIFFUSION": "diffusion",
    "PERFUSION": "functional", "TOF": "angiography", "FLOW_ENCODED": "angiography", "T2_STAR": "susceptibility",
}  # fmt: skip

#: Words in the type of an image that was computed of others: cuts through a volume, projections, differences.
_COMPUTED = (
    "SECONDARY",
    "MPR",
    "REFORMAT",
    "PROJECTION",
    "MIP",
    "MNIP",
    "MIN_IP",
    "RESAMPLED",
    "SUBTRACTION",
    "CURVED",
)


@dataclass(frozen=True)
class Kind:
    """What a series shows, and the facts that a head may keep of it: none that tells whose it is, when or where made.

    ``code`` is a key of `TITLES`; ``acquisition`` "3D", "2D" or nothing; times in ms, angle in degrees, field in T.
    """

    code: str
    modality: str = "MR"
    acquisition: str = ""
    agent: bool = False
    derived: bool = False
    lossy: bool = False
    maker: str = ""
    field_strength: float | None = None
    echo_time: float | None = None
    repetition_time: float | None = None
    inversion_time: float | None = None
    flip_angle: float | None = None
    syntax: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """In words, for a table."""
        dimensions = {"3D": "3-D", "2D": "2-D"}.get(self.acquisition, "")
        said = f"{dimensions} {TITLES[self.code]}".strip() if self.modality == "MR" else TITLES[self.code]
        return said + ", contrast agent" * self.agent + ", computed of others" * self.derived


def kind_of(header: Header, *, stacks: int = 1, volumes: int = 1) -> Kind:
    """What a series shows, by the header of one of its files and how its slices lie."""
    types, words = header.image_type, _words(header)
    code = _code(header, words, stacks, volumes)
    uni = code.startswith("mp2rage")
    derived = "DERIVED" in types[:1] and any(word in entry for entry in types for word in _COMPUTED)
    derived = derived or (header.modality == "MR" and any("MPR" in entry or "MIP" in entry for entry in types))
    return Kind(
        code,
        header.modality,
        header.acquisition if header.modality == "MR" else "",
        header.agent or (header.modality == "MR" and bool(re.search(_AGENT, words))),
        derived and not uni,
        header.lossy,
        next((maker for word, maker in _MAKERS.items() if word in f"{header.manufacturer.lower()} "), "other"),
        header.field_strength,
        header.echo_time,
        header.repetition_time,
        header.inversion_time,
        header.flip_angle,
        header.syntax,
    )


def _words(header: Header) -> str:
    """All that a header says in words, underscores as blanks."""
    return f"{header.description} | {header.protocol} | {header.sequence}".replace("_", " ").lower()


def _code(header: Header, words: str, stacks: int, volumes: int) -> str:
    types = header.image_type
    if header.picture:
        return "picture"
    if "LOCALIZER" in types or stacks > 1:
        return "localizer"
    if header.modality == "CT":
        return "ct"
    if header.modality != "MR" or not len(header.positions):
        return "other"
    if "MOSAIC" in types or ("EP" in header.scanning and volumes > 4):
        return "diffusion" if header.diffusion or "DIFFUSION" in types else "functional"
    if types[2:3] == ("P",) or any("PHASE" in entry for entry in types):
        return "phase"
    by_words = next((code for code, pattern in _WORDS if re.search(pattern, words)), None)
    if by_words is not None:
        return by_words
    if header.diffusion or "DIFFUSION" in types or "ADC" in types:
        return "diffusion"
    return "angiography" if header.angiography else _weighted(header, words)


def _weighted(header: Header, words: str) -> str:
    """T1, T2 or the like; "unclear" where times and words disagree or say nothing."""
    told = {code for code, pattern in _WEIGHTS.items() if re.search(pattern, words)}
    made = _CONTRASTS.get(header.contrast) or _by_times(header)
    if {"t1", "flair"} <= told and (header.echo_time or 0) < 50:
        told -= {"flair"}  # GE's T1 FLAIR is a T1
    if "flair" in told:
        return "flair"
    if made is None:
        return told.pop() if len(told) == 1 else "unclear"
    return made if not told or made in told else "unclear"


def _by_times(header: Header) -> str | None:
    """The weighting that times and angle give: ms and degrees."""
    echo, repetition = header.echo_time, header.repetition_time
    inversion, flip = header.inversion_time or 0.0, header.flip_angle
    if echo is None or repetition is None:
        return None
    if "GR" in header.scanning and "SE" not in header.scanning:
        if echo >= 12:
            return "susceptibility"
        spoiled = repetition < 60 and flip is not None and flip >= 7
        return "t1" if spoiled or 400 <= inversion <= 1500 else None
    if echo >= 60:
        return "flair" if inversion >= 1500 else "t2"
    if echo <= 30 and (repetition <= 1200 or 400 <= inversion <= 1300):
        return "t1"
    return "proton-density" if repetition > 1500 and not inversion else None
