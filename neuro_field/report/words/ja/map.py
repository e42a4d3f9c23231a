"""Of a motor map: its pulses, its curve, and why it has no site."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _outside(values: Mapping[str, Value]) -> str:
    if values.get("threshold") is None:
        return (
            "当てはめた曲線での振幅の中央値が {microvolts:g} uV になりません。閾値は示しません。"
            "もっと弱い刺激と強い刺激を記録してください。"
        )
    return (
        "その部位での閾値 {threshold:.0f} V/m は、どの刺激の電場 (最小 {lowest:.0f} V/m) よりも低く、外挿した値です。"
        "もっと弱い刺激を記録してください。"
    )


SENTENCES = {
    "map-few-pulses": "マップは {pulses} 回の刺激によるものです。安定した部位を得るには、"
    "無作為な位置と向きで {least} 回以上が必要です (Numssen 2021 [lit])。範囲として読み、さらに記録してください。",
    "map-off-head": "記録された {pulses} 個の位置と向きのうち {off} 個は頭部に当てられていないため、"
    "マップに使っていません。",
    "map-one-direction": "ハンドルの向きがすべて一つの方向から {degrees:.0f} 度以内 ({least:.0f} 度未満) にあります。"
    "脳回のどちらの壁かを区別できません。ほかの向きでも記録してください。",
    "map-no-responses": "{pulses} 回の刺激のうち、{microvolts:g} uV 以上の反応は {answered} 回で、"
    "{least} 回以上が必要です。この側のマップはありません。",
    "map-no-relation": "筋の反応と電場に関係が見られません。順序を入れ替えた記録の {chance:.1%} が同程度 ({share:.0%}) "
    "を説明し、{limit:.0%} を超えています。部位は示しません。",
    "map-saturated": "刺激の {share:.0%} が曲線の平坦部にあります ({limit:.0%} 超)。強すぎて場所を区別できません。"
    "もっと弱い刺激を記録してください。",
    "map-threshold-outside": _outside,
    "map-site-at-rim": "部位はマップした範囲 ({reach:.0f} mm まで) の中央から {distance:.0f} mm 離れています。"
    "範囲の外にあるかもしれません。その上でも刺激を記録してください。",
}
