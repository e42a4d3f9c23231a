"""Of placements searched and ranked, of the zone around the best, and of what conductivities do to them."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _best(values: Mapping[str, Value]) -> str:
    """The placement that is spoken of, with the side it belongs to where that is told."""
    return "the best {role} placement" if values.get("role") else "the best placement"


def _lifted(values: Mapping[str, Value]) -> str:
    return (
        f"{_best(values)} lifts the coil {{lift:.0f}} mm off the scalp to clear it; elsewhere in the searched patch "
        "{least:.0f} mm is enough. A lifted coil is hard to hold and slips: look at it, and compare a flatter hold."
    )


def _stronger_elsewhere(values: Mapping[str, Value]) -> str:
    where = "" if values.get("away") is None else ", {away:.0f} mm from the target's centre,"
    return (
        f"under {_best(values)} the field is stronger elsewhere than in the target: {{elsewhere:.3f}} V/m (99.9th "
        f"percentile of the grey matter beyond {{beyond:.0f}} mm){where} against {{target:.3f}} V/m (mean in the "
        "target), at 1 A/µs."
    )


def _stopped(values: Mapping[str, Value]) -> str:
    if values.get("radius") is None:
        return f"{_best(values)} lies at the end of the scalp that a coil can reach, and more lies beyond it."
    return (
        f"{_best(values)} lies at the rim of the search ({{radius:.0f}} mm around the point over the target), and a "
        "better one lies beyond; search again with a larger radius."
    )


def _open(values: Mapping[str, Value]) -> str:
    return (
        f"the zone in which {_best(values)} keeps {{kept:.0%}} reaches the rim of the search and may go on beyond it."
    )


def _aside(values: Mapping[str, Value]) -> str:
    return (
        f"at {_best(values)} only {{along:.0%}} of the field in the target runs along the wanted axis: folds or the "
        "lesion turn it. Compare it with a placement chosen by field strength alone."
    )


def _differs(values: Mapping[str, Value]) -> str:
    whose = " on the {role} side" if values.get("role") else ""
    return f"ranked and fully solved fields{whose} differ by up to {{difference:.1%}}; trust the solved values."


def _one(values: Mapping[str, Value]) -> str:
    whose = "on the {role} side " if values.get("role") else ""
    return (
        f"{whose}the field in the target has one maximum over all {{positions}} positions and handles: there is one "
        "placement to aim at, and around it a zone that is nearly as good."
    )


def _free(values: Mapping[str, Value]) -> str:
    return (
        "this coil is round: turning its handle changes nothing, so no handle direction is recommended; the current "
        "under its rim runs along the winding."
    )


#: A loss that matters, as a share of the field: less is left unsaid.
_MATTERS = 0.005


def _each(name: str, spec: str, values: Mapping[str, Value], *, least: float | None = None, of: str = "") -> str:
    """Values by the conductivity of the cavity, as in "5.0 % of the field with 0.8 S/m, 6.0 % with 1.654 S/m".

    Those below ``least`` are left out; ``of`` stands behind the first.
    """
    told, cavity = values[name], values.get("lesion_values")
    assert isinstance(told, tuple)
    if not cavity:
        return f"{{{name}[0]:{spec}}}{of}"
    kept = [i for i, each in enumerate(told) if least is None or (isinstance(each, float) and each >= least)]
    return ", ".join(
        f"{{{name}[{i}]:{spec}}}{of if i == kept[0] else ''} with {{lesion_values[{i}]:g}} S/m" for i in kept
    )


def _in_cavity(values: Mapping[str, Value]) -> str:
    return " in the lesion's cavity" if values.get("lesion_values") else ""


def _cavity(values: Mapping[str, Value]) -> str:
    decided = "which placement is best" if values.get("moved") else "how strong the field in the target is"
    costs = _each("lost", ".1%", values, least=_MATTERS, of=" of the field")
    cost = f"; keeping it costs up to {costs} (95th percentile)" if costs else ""
    return (
        f"the unknown conductivity of the lesion's cavity decides {decided}: {_best(values)} has, in V/m at 1 A/µs, "
        f"{_each('medians', '.3f', values)} in it (medians){cost}. No value is established."
    )


def _costly(values: Mapping[str, Value]) -> str:
    costs = _each("lost", ".1%", values, least=_MATTERS, of=" of the field")
    return (
        f"other conductivities of the tissues move the maximum: keeping {_best(values)} costs up to {costs}"
        f"{_in_cavity(values)} (95th percentile)."
    )


def _first(values: Mapping[str, Value]) -> str:
    shares = _each("first", ".0%", values, of=" of the draws of conductivities")
    return (
        f"{_best(values)} stays first of those listed in only {shares}{_in_cavity(values)}. Treat the first placements "
        "as equals."
    )


def _reduced(values: Mapping[str, Value]) -> str:
    whose = " on the {role} side" if values.get("role") else ""
    return (
        f"fields under varied conductivities{whose} differ from full solves by up to {{error:.1%}}; read the stability "
        "with that in mind."
    )


SENTENCES = {
    "search-lifted": _lifted,
    "search-stronger-elsewhere": _stronger_elsewhere,
    "search-stopped-at-rim": _stopped,
    "search-aside-of-axis": _aside,
    "search-solved-differs": _differs,
    "search-one-maximum": _one,
    "search-handle-free": _free,
    "zone-open": _open,
    "stability-cavity-decides": _cavity,
    "stability-costly": _costly,
    "stability-first-open": _first,
    "stability-reduced": _reduced,
}
