"""Of rules of thumb: where a coil is held without a computation, and what the target measures there."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _told(place: str, values: Mapping[str, Value]) -> str:
    handle = "、ハンドルは後ろから外側へ {handle:g} 度" if values["handle"] else "、ハンドルは真後ろ"
    if values.get("handle_free"):
        handle = ""
    return f"経験則: {place}に置く{handle}: {{strength:.3f}} V/m、この計画の最良の {{share:.0%}}。"


SENTENCES = {
    "rule-nearest": lambda values: _told("目標部位に最も近い頭皮", values),
    "rule-electrode": lambda values: _told("{electrode} ", values),
}
