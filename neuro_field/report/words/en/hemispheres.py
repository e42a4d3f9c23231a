"""Of the hemispheres and what is said of one of them."""

from collections.abc import Mapping
from typing import Any


def names_side(text: str, role: str, side: str) -> bool:
    """Whether a text names the role, or the side, that it is said of."""
    return role in text.lower() or bool(side and f"{side} " in text)


def _hemisphere(values: Mapping[str, Any]) -> str:
    return f"{str(values['role']).capitalize()} ({{side}}) hemisphere"


def _sided(values: Mapping[str, Any]) -> str:
    return f"{str(values['role']).capitalize()}" + (" ({side})" if values["side"] else "") + ": {text!s}"


PHRASES = {
    "role.hemisphere": _hemisphere,
    "role.bilateral": "Both hemispheres at once",
    "role.target": "Target",
    "role.target-named": "Target: {target!s}",
    "role.own": "{title!s} - the preset's own side",
    "role.sided": _sided,
    "role.both": "Both sides: {text!s}",
    "role.no-plan": "no plan: {why!s}",
}
