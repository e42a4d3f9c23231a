"""Of directions, offsets and angles on the patient's head."""

from collections.abc import Mapping
from typing import Any

_TOWARDS = {"left": "to the left", "right": "to the right", "front": "forwards", "back": "back", "up": "up",
            "down": "down"}  # fmt: skip
_LIES = _TOWARDS | {"front": "in front", "back": "behind", "up": "above", "down": "below"}

_STRAIGHT = {"back": "straight back", "up": "straight up"}
_ASIDE = {
    "left": "towards the patient's left", "right": "towards the patient's right", "up": "upwards", "down": "downwards",
}  # fmt: skip


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _direction(values: Mapping[str, Any]) -> str:
    words, side = [], values["side"]
    for part in values["parts"]:
        aside = part in ("left", "right") and side is not None
        words.append(_TOWARDS[part] + (f" ({'lateral' if part == side else 'medial'})" if aside else ""))
    return _joined(words)


def _offset(values: Mapping[str, Any]) -> str:
    return f"{{mm:.0f}} mm from {{of!s}} ({_joined([_LIES[part] for part in values['parts']])})"


PHRASES = {
    "way.direction": _direction,
    "way.offset": _offset,
    "way.at": "at {of!s}",
    "way.straight-to-back": "straight back",
    "way.straight-from-back": "straight forwards",
    "way.straight-to-up": "straight up",
    "way.straight-from-up": "straight down",
    "way.two": "{low!s}, to {high!s}",
    **{f"way.turn-{s}-{a}": f"{{angle:g}}° from {_STRAIGHT[s]}, {_ASIDE[a]}" for s in _STRAIGHT for a in _ASIDE},
    **{f"way.sector-{s}-{a}": f"{{low:g}}° to {{high:g}}° from {_STRAIGHT[s]}, {_ASIDE[a]}"
       for s in _STRAIGHT for a in _ASIDE},
}  # fmt: skip
