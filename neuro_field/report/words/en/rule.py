"""Of rules of thumb: where a coil is held without a computation, and what the target measures there."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _told(place: str, values: Mapping[str, Value]) -> str:
    handle = ", handle back and {handle:g} degrees outwards" if values["handle"] else ", handle straight back"
    if values.get("handle_free"):  # of a coil that is the same all round
        handle = ""
    return f"Rule of thumb: over {place}{handle}: {{strength:.3f}} V/m, {{share:.0%}} of the plan's best."


SENTENCES = {
    "rule-nearest": lambda values: _told("the scalp point nearest to the target", values),
    "rule-electrode": lambda values: _told("{electrode}", values),
}
