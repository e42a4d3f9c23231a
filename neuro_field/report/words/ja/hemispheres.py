"""Of the hemispheres and what is said of one of them.

健側 alone also means the healthy limb: it always stands with left or right and with the side of the paretic hand.
"""

from collections.abc import Mapping
from typing import Any

from neuro_field.report.words.ja import NAMES

_OTHER = {"left": "right", "right": "left"}


def hemisphere(values: Mapping[str, Any]) -> str:
    """As in 健側大脳半球 (右、麻痺手は右); without a side the hemisphere alone, without a role nothing."""
    role, side = values.get("role"), values.get("side")
    if role not in ("contralesional", "ipsilesional"):
        return ""
    if side not in _OTHER:
        return NAMES[role]
    hand = side if role == "contralesional" else _OTHER[side]  # on the side of the spared one
    return f"{NAMES[role]} ({NAMES[side]}、麻痺手は{NAMES[hand]})"


def site(values: Mapping[str, Any]) -> str:
    """As in 右大脳半球の手の運動野: 右の手の運動野 could be the right hand's."""
    if not values.get("side"):
        return "{site}"
    return "{side}の{site}" if values["site"] == "cerebellum-lateral" else "{side}大脳半球の{site}"


def hemisphere_with(particle: str, values: Mapping[str, Any], without: str = "") -> str:
    """A hemisphere and its particle, as in 健側大脳半球 (右、麻痺手は右) の; what is given without a hemisphere."""
    told = hemisphere(values) or without
    return told + (" " if told.endswith(")") else "") + particle if told else ""


def names_side(text: str, role: str, side: str) -> bool:
    """Whether a text names the hemisphere in full, or the side, that it is said of."""
    if hemisphere({"role": role, "side": side}) in text:
        return True
    return side in _OTHER and f"{NAMES[side]}大脳半球" in text


def _sided(values: Mapping[str, Any]) -> str:
    return f"{hemisphere(values)}: {{text!s}}"


PHRASES = {
    "role.hemisphere": hemisphere,
    "role.bilateral": "両側の大脳半球を同時に",
    "role.target": "目標部位",
    "role.target-named": "目標部位: {target!s}",
    "role.own": "{title!s} - このプリセットで刺激する側",
    "role.sided": _sided,
    "role.both": "両側とも: {text!s}",
    "role.no-plan": "計画なし: {why!s}",
}
