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


def of_hemisphere(values: Mapping[str, Any]) -> str:
    """The same with の, or nothing."""
    told = hemisphere(values)
    return f"{told} の" if told.endswith(")") else told and f"{told}の"


def names_side(text: str, role: str, side: str) -> bool:
    """Whether a text names the hemisphere in full, or the side, that it is said of."""
    if hemisphere({"role": role, "side": side}) in text:
        return True
    return side in _OTHER and any(f"{NAMES[side]}{after}" in text for after in ("大脳半球", "の", "側の"))


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
