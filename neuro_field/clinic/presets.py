"""Treatment protocols as data: target, side, coil, pulses and their sources.  Named after what they do.

The programmes behind them are others' work and names; each number keeps its trust mark: [src] read in the cited
source, [lit] known from the literature and not re-read, so overridable and never called verified.
"""

from dataclasses import dataclass

from neuro_field.names import resolved

#: What the sites of `neuro_field.aim.atlas` are stimulated for.
PURPOSES = {
    "m1-hand": "hand",
    "pmd": "hand",
    "m1-leg": "leg",
    "m1-pharynx": "swallowing",
    "ifg-triangularis": "language",
    "ifg-opercularis": "language",
    "stg-posterior": "language",
    "stg-lateral": "language",
    "dlpfc": "executive",
}

#: Regular trains to this frequency inhibit, and from the other on they excite, Hz [lit]; between them nothing is said.
INHIBITS_TO, EXCITES_FROM = 1.0, 3.0


@dataclass(frozen=True)
class Preset:
    """One protocol.

    Parameters
    ----------
    name, title : str
    sites : tuple of str
        Names of `neuro_field.aim.atlas`; two where a clinical answer (fluency) decides between them.
    side : {"contralesional", "ipsilesional", "both", "not dominant", "asked", "given"}
        Which side is stimulated: by the lesion, both in turn, opposite the language-dominant side on fMRI, or the
        user's choice; "given" for a target made by hand.
    coil : str
        Name on the shelf ``coils``.
    frequency, pulses, course : str
        As published, with marks; "user must type it" where nothing is.
    intensity : float, optional
        Share of the motor threshold.
    threshold : {"rMT", "aMT"}
    source : str
    note : str
    trains : tuple of (Hz, seconds)
        Uninterrupted trains, for comparison with what was tested; seconds are None where they are not published.
    at_once : bool
        Both sides by one coil at the same time.
    pattern : {"regular", "intermittent-theta-burst", "continuous-theta-burst"}
        How the pulses of a train follow one another.
    """

    name: str
    title: str
    sites: tuple[str, ...]
    side: str
    coil: str
    frequency: str
    intensity: float | None
    pulses: str
    course: str
    source: str
    threshold: str = "rMT"
    note: str = ""
    trains: tuple[tuple[float, float | None], ...] = ()
    at_once: bool = False
    pattern: str = "regular"

    @property
    def purpose(self) -> str:
        """What the site serves: "hand", "leg", "swallowing", "language", "executive", or "other"."""
        return PURPOSES.get(self.sites[0], "other")

    def hertz(self, role: str) -> float | None:
        """Frequency on the side of a role; of a preset for both sides in turn each has its own.  None if unknown."""
        if not self.trains:
            return None
        both = self.side == "both" and not self.at_once and len(self.trains) == 2
        return self.trains[1 if both and role == "ipsilesional" else 0][0]

    def effect(self, role: str) -> str | None:
        """What the pulses do to the side of a role, by pattern and frequency [lit]: "inhibits", "excites" or None."""
        if self.pattern != "regular":
            return "excites" if self.pattern.startswith("intermittent") else "inhibits"
        hertz = self.hertz(role)
        if hertz is None or INHIBITS_TO < hertz < EXCITES_FROM:
            return None
        return "inhibits" if hertz <= INHIBITS_TO else "excites"


_TYPED = "not published: the user must type it"

PRESETS = (
    Preset(
        "contralesional-1hz-hand", "1 Hz over the hand area of the contralesional hemisphere", ("m1-hand",),
        "contralesional", "figure8-70mm", "1 Hz [src]", 0.9, "1200 in 20 min [src]",
        "22 sessions in 15 days, 2 a day [src]; 6-day variant: 10 sessions [src]",
        "Kakuda 2012 JNER 9:4; Kakuda 2010 Disabil Rehabil 32:801",
        note="90 % rMT of the unaffected first dorsal interosseous [lit]; figure-8 70 mm [lit]",
        trains=((1.0, 1200.0),),
    ),
    Preset(
        "bihemispheric-hand", "1 Hz contralesional and 10 Hz ipsilesional over the hand areas", ("m1-hand",), "both",
        "figure8-70mm", "1 Hz contralesional, 10 Hz ipsilesional", 0.9, "2000 per side in 40 min [src]",
        "10 sessions in 15 days [src]", "Yamada 2013 IJRR 36:323", note="90 % rMT [lit]",
        trains=((1.0, 2000.0), (10.0, None)),
    ),
    Preset(
        "ipsilesional-10hz-hand", "10 Hz over the hand area of the ipsilesional hemisphere", ("m1-hand",),
        "ipsilesional", "figure8-70mm", "10 Hz [src], trains of 10 s with 50 s pauses [lit]", 0.9, "1000 [lit]",
        "5 days [src]", "Sasaki, KAKEN 23700630", note="90 % rMT", trains=((10.0, 10.0),),
    ),
    Preset(
        "ipsilesional-itbs-hand", "intermittent theta burst over the hand area of the ipsilesional hemisphere",
        ("m1-hand",), "ipsilesional", "figure8-70mm", "50 Hz triplets every 200 ms, 2 s on, 8 s off", 0.8, "600", "-",
        "generic iTBS, Huang 2005 [lit]", threshold="aMT", pattern="intermittent-theta-burst",
    ),
    Preset(
        "aphasia-1hz", "1 Hz over the language area opposite the fMRI-dominant hemisphere",
        ("ifg-triangularis", "stg-posterior"), "not dominant", "figure8-70mm", "1 Hz [src]", 0.9,
        "2400 in 40 min [src]", "10 sessions in 11 days [src]", "Abo 2012 Eur Neurol 68:199",
        note="IFG if non-fluent, STG if fluent; on the side opposite the fMRI-dominant hemisphere, not always right "
        "[src]; 90 % rMT [lit]", trains=((1.0, 2400.0),),
    ),
    Preset(
        "lower-limb-10hz", "10 Hz over both leg areas at once", ("m1-leg",), "both", "double-cone", "10 Hz [src], "
        "trains of 10 s [lit]", 0.9, "2000 [src]", "20 sessions in 13 days [src]", "Kakuda 2013 Brain Inj 27:1080",
        note="leg M1, both sides at once [src]; double cone [src]; 90 % rMT [lit]",
        trains=((10.0, 10.0),), at_once=True,
    ),
    Preset(
        "dysphagia-3hz", "3 Hz over both pharyngeal areas", ("m1-pharynx",), "both", "figure8-70mm", "3 Hz [src]",
        1.3, _TYPED, "10 sessions in 6 days [src]", "Momosaki 2014 Case Rep Neurol 6:60 (n=4)",
        note="130 % rMT [lit, uncertain]", trains=((3.0, None),),
    ),
    Preset(
        "executive-dlpfc", "dorsolateral prefrontal cortex", ("dlpfc",), "asked", "figure8-70mm", _TYPED, None, _TYPED,
        _TYPED, "no published protocol of such a programme was found",
    ),
)  # fmt: skip

_BY_NAME = {entry.name: entry for entry in PRESETS}


def by_hand(site: str, coil: str) -> Preset:
    """A preset made on the spot, for a target that a person chose: all of its protocol is left to be typed."""
    return Preset(
        "own-target", "a target chosen by hand", (site,), "given", coil, _TYPED, None, _TYPED, _TYPED,
        "chosen by the user",
    )  # fmt: skip


def preset(name: str) -> Preset:
    """The preset of a name, capitals and hyphens forgiven; UnknownNameError lists those that are known."""
    return _BY_NAME[resolved("preset", name, _BY_NAME)]
