"""Of the way to a placement with a tape: "What: how" each, for a line or a row of a table."""

from collections.abc import Mapping

from neuro_field.findings import Value

#: Shorter steps are none, mm.
_NONE = 0.5


def _number(values: Mapping[str, Value], name: str) -> float:
    return float(str(values[name]))


def _side(values: Mapping[str, Value]) -> str:
    return "右" if _number(values, "right") > 0 else "左"


def _forwards(front: float) -> str:
    return "前" if front > 0 else "後ろ"


def _arcs(values: Mapping[str, Value]) -> str:
    scaled = " (この患者での実測値)" if values["scaled"] else ""
    return (
        f"頭部の確認: 頭頂を通って、鼻根点から後頭結節まで {{nasion_inion:.0f}} mm、左右の耳介前点の間 {{ear_ear:.0f}}"
        f" mm{scaled}。"
        "巻尺を張って測ります。両方を測り直し、どちらかが 10 mm を超えて異なる場合は続けないでください。"
        "頭頂は両方の中点です。"
    )


def _aside(values: Mapping[str, Value]) -> str:
    if abs(_number(values, "right")) < _NONE:
        return "まず: 頭頂から動かない。"
    return (
        f"まず: 頭頂から、左右の耳を結ぶ線に沿って、患者の{_side(values)}耳の方へ {abs(_number(values, 'right')):.0f} "
        "mm。"
    )


def _front(values: Mapping[str, Value]) -> str:
    front = _number(values, "front")
    if abs(front) < _NONE:
        return "次に: その線から動かない。そこが目的の点。"
    return f"次に: その線と直角に、{_forwards(front)}へ {abs(front):.0f} mm。"


def _offset(values: Mapping[str, Value]) -> str:
    """As in 患者の左へ 1.2 cm、次に前へ 0.4 cm."""
    right, front = _number(values, "right"), _number(values, "front")
    parts = []
    if abs(right) >= _NONE:
        parts.append(f"患者の{_side(values)}へ {abs(right) / 10:.1f} cm")
    if abs(front) >= _NONE:
        parts.append(f"{_forwards(front)}へ {abs(front) / 10:.1f} cm")
    return "、次に".join(parts) or "そこが目的の点"


def _electrode(values: Mapping[str, Value]) -> str:
    return f"最も近い電極位置: {{electrode}}。そこから{_offset(values)}。"


def _hot_spot(values: Mapping[str, Value]) -> str:
    return f"測定されたホットスポット: そこから{_offset(values)}。"


def _rule(values: Mapping[str, Value]) -> str:
    front = _number(values, "front")
    return (
        "慣用の規則: 頭頂から患者の{side}耳の方へ {aside:.0f} mm、"
        f"{_forwards(front)}へ {abs(front):.0f} mm [src]。この点から {{distance:.0f}} mm 離れている。"
    )


def _doubt(values: Mapping[str, Value]) -> str:
    kept = (
        "その縁でも、目標部位の電場は {kept:.0%} 以上保たれる。"
        if values["kept"] is not None
        else "そこで目標部位の電場がどれだけ保たれるかはわからない。"
    )
    return (
        "確かさ: 巻尺の読みが各段階で ±{tape_error:.0f} mm、目印の位置がそれぞれ ±{landmark_error:.0f} mm なら、"
        "100 回のうち 99 回は "
        "{place:.0f} mm 以内に収まる (巻尺だけで {tape:.0f} mm、目印だけで {landmarks:.0f} mm)。" + kept
    )


def _refused(values: Mapping[str, Value]) -> str:
    name = {"nasion_inion": "nasion-inion", "ear_ear": "ear-ear"}[str(values["field"])]
    return (
        f"この頭部の目印は使えません。--{name} はモデルの {{modelled:.0f}} mm との差が {{limit:.0f}} mm 以内でなければ"
        "なりませんが、測定値は {measured:.0f} mm でした。頭頂を通して測り直すか、--landmarks FILE を指定してください。"
    )


def _off_scalp(values: Mapping[str, Value]) -> str:
    right, front = _number(values, "right"), _number(values, "front")
    return (
        f"巻尺による{{field}}が頭皮の外にあります: {{origin}} から{_side(values)} {abs(right):g} mm、"
        f"{_forwards(front)} {abs(front):g} mm。mm の値を確認してください (例 'Cz 58 right, 4 front')。"
    )


SENTENCES = {
    "tape-arcs": _arcs,
    "tape-aside": _aside,
    "tape-front": _front,
    "tape-far": "頭頂から: 目的の点は左右の耳を結ぶ線から {limit:.0f} mm を超えて前または後ろにあり、"
    "頭頂からの手順は確かでない。電極位置から測ること。",
    "tape-electrode": _electrode,
    "tape-hot-spot": _hot_spot,
    "tape-rule": _rule,
    "tape-rule-electrode": "慣用の規則: {electrode} [lit]。この点から {distance:.0f} mm 離れている。",
    "tape-doubt": _doubt,
    "tape-doubt-unknown": "確かさ: わからない。目印が ±{landmark_error:.0f} mm、"
    "または巻尺が ±{tape_error:.0f} mm ずれると、頭皮の外に出てしまう。",
    "tape-none": "巻尺では: わからない。この頭部には目印がないか、頭皮がそこまで届いていない。"
    "--landmarks FILE を指定すること。",
    "tape-arc-off": _refused,
    "tape-no-landmarks": "巻尺による{field}には、目印のある頭部が必要です。MNI152 への対応をつけるか、"
    "--landmarks FILE を指定してください。",
    "tape-off-scalp": _off_scalp,
}
