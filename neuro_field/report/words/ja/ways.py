"""Of directions, offsets and angles on the patient's head."""

from collections.abc import Mapping
from typing import Any

_WORDS = {"left": "左", "right": "右", "front": "前", "back": "後ろ", "up": "上", "down": "下"}

_STRAIGHT = {"back": "真後ろ", "up": "真上"}
_ASIDE = {"left": "患者の左へ", "right": "患者の右へ", "up": "上へ", "down": "下へ"}


def _direction(values: Mapping[str, Any]) -> str:
    words, side = [], values["side"]
    for part in values["parts"]:
        aside = part in ("left", "right") and side is not None
        words.append(_WORDS[part] + (f" ({'外側' if part == side else '内側'})" if aside else ""))
    return "・".join(words)


def _offset(values: Mapping[str, Any]) -> str:
    blank = " " if str(values["of"])[-1:].isascii() else ""
    return f"{{of!s}}{blank}から{'・'.join(_WORDS[part] for part in values['parts'])}へ {{mm:.0f}} mm"


PHRASES = {
    "way.direction": _direction,
    "way.offset": _offset,
    "way.at": "{of!s} の位置",
    "way.straight-to-back": "真後ろ",
    "way.straight-from-back": "真正面",
    "way.straight-to-up": "真上",
    "way.straight-from-up": "真下",
    "way.two": "{low!s}から、{high!s}まで",
    **{f"way.turn-{s}-{a}": f"{_STRAIGHT[s]}から{_ASIDE[a]} {{angle:g}}°" for s in _STRAIGHT for a in _ASIDE},
    **{f"way.sector-{s}-{a}": f"{_STRAIGHT[s]}から{_ASIDE[a]} {{low:g}}° 〜 {{high:g}}°"
       for s in _STRAIGHT for a in _ASIDE},
}  # fmt: skip
