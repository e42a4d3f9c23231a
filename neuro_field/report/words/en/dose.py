"""Of outputs of the stimulator: the doses themselves, where they come from, and why there is none."""

from collections.abc import Mapping

from neuro_field.findings import Value

Values = Mapping[str, Value]


def _told(values: Values) -> str:
    """The three outputs of a dose, apart."""
    parts = []
    if values["published"] is not None:
        parts.append("as published {published:.0f} % of maximum output")
    interval = "{low:.0f} to {high:.0f} %"
    spent = values["needed_more"] and (values["low"] is None or float(str(values["low"])) >= 100)
    if values["matched"] is not None and values["other_hemisphere"] and not spent:
        what = interval if values["low"] is not None else "about {matched:.0f} %, its interval not known"
        parts.append(f"field-matched {what} (no single number: the threshold is of the other hemisphere)")
    elif values["matched"] is not None:
        words = "field-matched {matched:.0f} %"
        if values["needed_more"]:
            words += " (all that the stimulator has)"
        elif values["at_target"]:
            words += ", whatever the conductivities: anchor and target are one placement"
        elif values["low"] is not None:
            words += f" ({interval} over uncertain conductivities)"
        parts.append(words)
    if values["of_threshold"] is not None:
        parts[-1] += ", {of_threshold:.0%} of this coil's motor threshold"
    if values["target_field"] is not None:
        what = "mean |E|" if values["statistic"] == "magnitude" else "mean of E along the wanted axis"
        parts[-1] += f", {{target_field:.0f}} V/m in the target ({what}, elements within {{radius:g}} mm)"
    if values["begin"] is not None:
        parts.append("begin at {begin:.0f} %")
    else:
        parts.append("no output to begin at is given")
    if values["stokes_low"] is not None and not values["at_target"]:
        parts.append("by depth under the scalp alone (Stokes) {stokes_low:.0f} to {stokes_high:.0f} %")
    return "dose: " + "; ".join(parts) + "."


def _anchored(values: Values) -> str:
    muscle = "{muscle} of the {body} {limb}" if values["muscle"] else "the {body} {limb}, muscle not told"
    return (
        f"The dose is anchored to {{percent:g}} % ({{kind}} of {muscle}, {{method}}, with {{coil}}), so to the "
        "{hemisphere} hemisphere: its field {anchor}."
    )


def _lost(values: Values) -> str:
    left = " ({cm3:.2f} cm3 of viable grey matter in it)" if values["cm3"] is not None else ""
    return f"No dose is matched: only {{viable:.0%}} of the target is viable{left}; {{least:.0%}} are asked for."


def _unknown_slopes(values: Values) -> str:
    read = "{read_coil}" + (" on {read_stimulator}" if values["read_stimulator"] else "")
    treats = "{coil}" + (" on {stimulator}" if values["stimulator"] else "")
    return (
        f"No output is told: how {read}, with which the threshold was read, compares with {treats} is not known. Name "
        "the stimulators, or read the threshold with the coil that treats."
    )


def _other_muscle(values: Values) -> str:
    wanted = "{wanted_muscle}" if values["wanted_muscle"] else "a muscle of the {wanted_limb}"
    given = "{given_muscle}" if values["given_muscle"] else "a muscle of the {given_limb}"
    return (
        f"The published percentage is of the threshold of {wanted}; this one is of {given}: only the field-matched "
        "output is told."
    )


def _twitch(values: Values) -> str:
    allows = ": the output to begin at is lowered by as much" if values["begin"] is not None else ""
    return f"The threshold was read by visible twitch, {{excess:.1%}} above that by EMG{allows}."


SENTENCES = {
    "dose-told": _told,
    "dose-anchored": _anchored,
    "dose-anchor-stands-in": "The pose where the threshold was read is not known: the model's best placement over the "
    "{hemisphere}-hemisphere {site} stands in for it.",
    "dose-pose-lifted": "The casing cut the scalp at the pose of the threshold; it was moved back by {lift:.1f} mm.",
    "dose-pose-far": "The pose of the threshold lies {distance:.0f} mm from the scalp over the {hemisphere}-hemisphere"
    " {site}, "
    "more than {limit:g} mm: check its frame and its side before using the dose.",
    "dose-no-anchor": "No dose: the {hemisphere}-hemisphere {site}, to which the threshold belongs, was not found in "
    "this head.",
    "dose-no-threshold": "No dose: no motor threshold ({kind}) was given.",
    "dose-no-intensity": "No dose: no intensity is published for this protocol; type one, as a share of the motor "
    "threshold.",
    "dose-other-kind": "No dose: the protocol asks for a share of the {wanted}, and only the {given} was given.",
    "dose-target-lost": _lost,
    "dose-other-muscle": _other_muscle,
    "dose-not-of-protocol": "The protocol does not stimulate this side: it is planned for comparison, and no published "
    "output is told.",
    "dose-other-side": "The published percentage is of the threshold of the {wanted} hemisphere; this one is of the "
    "{given}: only the field-matched output is told.",
    "dose-other-coil": "The threshold of {threshold_percent:g} % was read with another coil: only the field-matched "
    "output is told.",
    "dose-muscle-not-told": "The published percentage is of the threshold of {wanted_muscle}; whose this one is was "
    "not told.",
    "dose-percentage-unread": "Whether the published {share:.0%} are of a leg muscle's threshold is still to be "
    "re-read in the source.",
    "dose-stimulator-assumed": "No stimulator was named: {stimulator} is assumed for {coil}, for V/m and across coils.",
    "dose-stimulator-unknown": _unknown_slopes,
    "dose-other-stimulator": "The threshold was read on {read_stimulator}; for {stimulator} it is multiplied by "
    "{ratio:.2f}, by slopes of the current alone: pulse widths differ, so read it again where you can.",
    "dose-ratios-differ": "Matched along the wanted axis the output is {along:.0f} %, by mean |E| {magnitude:.0f} %: "
    "more than 10 % apart.",
    "dose-capped": "{needed:.0f} % of maximum output would be needed: capped at 100 %, which gives {share:.0%} of the "
    "wanted field.",
    "dose-stokes-contradicts": "By depth under the scalp alone (Stokes) the output would be {low:.0f} to {high:.0f} %, "
    "field-matched it is {needed:.0f} %: they contradict one another; begin low.",
    "dose-stokes-absent": "No cross-check by depth (Stokes): {why}.",
    "dose-no-draws": "No interval over uncertain conductivities was computed: the output to begin at is the lower of "
    "those told.",
    "dose-other-hemisphere": "No threshold of the {side} hemisphere was given: that of the {hemisphere} one anchors "
    "the dose, so read it as an interval.",
    "dose-share-unknown": "No output to begin at: what share of this coil's own threshold the output is was not "
    "computed.",
    "dose-high": "The field-matched output is {share:.0%} of the {kind}, above {limit:.0%}.",
    "dose-above-table": "The field-matched output is {share:.0%} of the {kind}; the table of tested trains ends at "
    "{limit:.0%} of rMT (Rossi 2009 [lit]): no output to begin at is given. Say how long the pauses between trains "
    "are, and decide under an approved protocol.",
    "dose-twitch": _twitch,
}
