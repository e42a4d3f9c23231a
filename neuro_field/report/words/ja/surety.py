"""Of how sure a plan is: misplacement, conductivities, the lesion, the zone, and the field elsewhere."""

from collections.abc import Mapping
from typing import Any


def _zone(values: Mapping[str, Any]) -> str:
    handles = "、最良の位置では{handles!s}" if values["handles"] else ""
    return (
        f"許容範囲: 頭皮の {{area:.1f}} cm2 以内 (探索した位置の {{share:.0%}}){handles}で、最良の位置と向きに対し"
        f"{{ranked!s}}の "
        "{kept:.0%} 以上が保たれる{cut!s}。"
    )


_FILLED = (
    "病変を埋めた場合: 病変を周囲の組織に置き換えると、最良の位置と向きの電場は {field:.3f} V/m で、"
    "病変があると {change!s}。"
)

PHRASES = {
    "sure.misplaced": "ずれた場合: {by_mm:g} mm ずれても目標部位の電場の {shift:.0%} 以上、"
    "{by_degrees:g}° 回しても {turn:.0%} 以上、{by_degrees:g}° 傾けても {tilt:.0%} 以上が保たれる。"
    "三つが重なると平均 {mean:.0%}、最悪 {worst:.0%}。",
    "sure.range": "{low:.3f} 〜 {high:.3f} V/m",
    "sure.with": "{sigma:g} S/m のとき {told!s}",
    "sure.keeping": "、1位を保つと平均 {cost:.1%} を失う",
    "sure.keeping-free": "、1位を保っても失うものはない",
    "sure.keeping-free-with-any": "、どの値でも 1位を保って失うものはない",
    "sure.between": "、",
    "sure.stability": "安定性: 組織の導電率を {draws} 回抽出したときの 1 A/µs での電場 (5 〜 95 百分位) は {told!s}。",
    "sure.stability-by-cavity": "安定性: 組織の導電率を {draws} 回抽出したときの 1 A/µs での電場 (5 〜 95 百分位) は、"
    "病変の空洞の導電率が {told!s}。",
    "sure.median": "{sigma:g} S/m のとき {field:.3f} V/m",
    "sure.first-in": "、{share:.0%} で 1位",
    "sure.lesion": "病変の導電率: {told!s} (中央値。確立した値はない)。",
    "sure.filled": _FILLED + "病変がなくても 1位。",
    "sure.filled-other-first": _FILLED + "病変がなければ {first} 位の位置と向きのほうがよい。",
    "zone.line": _zone,
    "zone.handles": "ハンドルの向きは{sector!s}",
    "zone.any-handle": "ハンドルの向きによらず",
    "zone.ranked-by-strength": "目標部位の電場",
    "zone.ranked-by-ratio": "比較する領域に対する比",
    "zone.ranked-by-focality": "集中度",
    "zone.cut": "。許容範囲は探索範囲の端で切れており、その先まで続いている可能性がある",
    "elsewhere.line": "ほかの場所: {told!s} V/m (1 A/µs)。目標部位の電場の半分以上になる灰白質は {volume:.1f} cm³。",
    "elsewhere.peak": "生存している灰白質全体の 99.9 百分位 {field:.3f} V/m",
    "elsewhere.off-target": "目標部位から {away:g} mm より遠い所 {field:.3f}",
    "elsewhere.rim": "病変から {within:g} mm 以内の脳 {field:.3f}",
    "elsewhere.lesion": "病変の空洞の平均 {field:.3f}",
    "elsewhere.homologous": "反対側の大脳半球の同じ部位の平均 {field:.3f}",
    "elsewhere.avoided": "避ける領域 {name!s} の平均 {field:.3f}",
}
