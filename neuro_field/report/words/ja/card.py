"""The operator's card in words: labels, steps and directions, as few as will do; sides are the patient's."""

from collections.abc import Mapping
from typing import Any

from neuro_field.report.words.ja import NAMES

#: Shorter steps are none, cm.
_NONE = 0.05


def _side(values: Mapping[str, Any]) -> str:
    return "右" if values["right"] > 0 else "左"


def _forwards(front: float) -> str:
    return "前" if front > 0 else "後ろ"


def _aside(values: Mapping[str, Any]) -> str:
    if abs(values["right"]) < _NONE:
        return "頭頂 (Cz) から動かない。"
    return f"Cz から{_side(values)}耳の方へ {abs(values['right']):.1f} cm。"


def _front(values: Mapping[str, Any]) -> str:
    front = values["front"]
    if abs(front) < _NONE:
        return "そこが目的の点。"
    return f"次に直角に{_forwards(front)}へ {abs(front):.1f} cm。"


def _electrode(values: Mapping[str, Any]) -> str:
    return f"{'' if values['far'] else 'または '}{{electrode}} から{_offset(values)}。"


def _hot_spot(values: Mapping[str, Any]) -> str:
    return f"またはホットスポットから{_offset(values)}。"


def _offset(values: Mapping[str, Any]) -> str:
    right, front = values["right"], values["front"]
    parts = []
    if abs(right) >= _NONE:
        parts.append(f"{_side(values)}へ {abs(right):.1f} cm")
    if abs(front) >= _NONE:
        parts.append(f"{_forwards(front)}へ {abs(front):.1f} cm")
    return "、".join(parts) or "動かない"


def _doubt(values: Mapping[str, Any]) -> str:
    kept = "" if values["kept"] is None else "、電場 {kept:.0%} 以上"
    return f"巻尺の誤差 {{place:.1f}} cm 以内{kept}。"


def _hemisphere(values: Mapping[str, Any]) -> str:
    if values["side"] == "both":
        return "両側の大脳半球を同時に"
    return f"{NAMES[str(values['side'])]}大脳半球"


def _told(values: Mapping[str, Any]) -> str:
    """A word of a role, with the hand that is paretic."""
    return "{role}、麻痺手は{hand}" if values["hand"] else "{role}"


SENTENCES = {
    "card-head-unsigned": "この頭部はまだ誰も確認していません。使う前に qc.html を見てください。",
}

SHORT = {
    "card-head-unsigned": "頭部が未確認です。先に qc.html を見てください。",
}

PHRASES = {
    "card.title": "コイルのカード",
    "card.sides": " (健側大脳半球は{spared}、病側大脳半球は{affected}、麻痺手は{hand})",
    "card.hemisphere": _hemisphere,
    "card.role": _told,
    "card.target": "{name!s}",
    "card.person.name": "氏名",
    "card.person.id": "ID",
    "card.person.date": "日付・回",
    "card.person.operator": "実施者",
    "card.stop": "中止",
    "card.warn": "警告",
    "card.note": "注意",
    "card.more": "ほかに {count} 件。先に報告書を読んでください。",
    "card.none": "中止・警告の事項はありません。安全を保証するものではありません。",
    "card.side": "{side!s}: {text!s}",
    "card.other-side": "{side!s} (刺激しない側): {text!s}",
    "card.side.left": "左",
    "card.side.right": "右",
    "card.no-plan": "この側の計画はありません",
    "card.old-words": "旧版の文章 {count} 件。報告書を読んでください。",
    "card.where": "位置",
    "card.above": "上から",
    "card.from.left": "左から",
    "card.from.right": "右から",
    "card.left": "左",
    "card.right": "右",
    "card.nose": "鼻",
    "card.handle": "ハンドル",
    "card.legend": "左右は患者の左右。太線: ハンドル、破線: 巻尺、灰色: 電場の 95 % を保つ範囲。"
    "時計の 12 時は鼻の方向。",
    "card.alt": "{view!s}見た頭部: 10-20 法の位置、刺激部位、巻尺、ハンドル",
    "card.alt-dial": "頭皮上の時計: ハンドルは {hour!s}",
    "card.arcs": "確認: 鼻根点〜後頭結節 {nasion_inion:.1f} cm、左右の耳介前点の間 {ear_ear:.1f} cm。"
    "1 cm を超えて違えば中止。",
    "card.aside": _aside,
    "card.front": _front,
    "card.electrode": _electrode,
    "card.hot-spot": _hot_spot,
    "card.far": "Cz から遠い。電極位置から測る。",
    "card.doubt": _doubt,
    "card.no-tape": "巻尺では不明。ナビゲーターを使う。",
    "card.near": "最も近い位置: {name!s}、{distance:.1f} cm。",
    "card.way": "向き",
    "card.clock": "{hour!s} の方向",
    "card.degrees": "鼻から時計回りに {degrees:.0f}°",
    "card.points": "ハンドルは{words!s}へ",
    "card.hours": "{low!s} 〜 {high!s} で {kept:.0%}",
    "card.any": "ハンドルの向きは問わない。",
    "card.no-clock": "ここでは時計で示せない。言葉と図に従う。",
    "card.current": "電流は初め {hour!s} の方向",
    "card.strong": "強さ",
    "card.published": "発表値 ({threshold!s} の {share:.0%})",
    "card.unpublished": "発表値",
    "card.matched": "電場を合わせた値",
    "card.interval": "{low:.0f} 〜 {high:.0f}",
    "card.begin": "開始値",
    "card.unknown": "なし",
    "card.on": "出力は {stimulator} の %。",
    "card.on-read": "出力は閾値を測定した刺激装置の %。",
    "card.pulses": "{hertz!s} Hz、{pulses!s}",
    "card.typed": "______",
    "card.session": "今回の治療",
    "card.session.threshold": "運動閾値 %",
    "card.session.output": "使用出力 %",
    "card.session.pulses": "刺激回数",
    "card.session.aside": "Cz から左/右 mm",
    "card.session.front": "前/後 mm",
    "card.session.handle": "ハンドル (時)",
    "card.session.adverse": "有害事象",
    "card.checked": "頭部を確認した人",
    "card.sum": "計画 {digest!s}、{written!s}、neuro_field {version!s}",
}  # fmt: skip
