"""Of a plan's folder, and of what is compared with it."""

from collections.abc import Mapping

from neuro_field.findings import Value
from neuro_field.report.words.ja.hemispheres import hemisphere_with


def _old_reason(values: Mapping[str, Value]) -> str:
    return f"{hemisphere_with('の', values, '{role}')}計画はありません。理由は版 2 の文章の中にあります。"


def _old_dose(values: Mapping[str, Value]) -> str:
    return (
        f"{hemisphere_with('の', values, '{role}')}用量は、版 2 の電場を合わせた出力です。開始値はありません。算出の経"
        "緯は版 2 の文章の中にあります。"
    )


SENTENCES = {
    "plan-delivered-by-tape": "カードから入力した {poses} 個の位置と向き: 位置は {place:.0f} mm、"
    "ハンドルの向きは半時間 (15 度) の精度でしかわかりません。"
    "コイルは頭皮から {gap:g} mm 離れて平らに当てたものとしました。",
    "plan-no-pictures": "図はありません。計画を作成したコンピューターで OpenGL が使えませんでした。",
    "plan-no-field": "図も、回転できる表示もありません。頭部と電場なしで計画が書き出されています。",
    "plan-old-version": "この計画は版 2 の形式です。文章は書かれたときの英語のままで、許容範囲 (zone)、探索の設定、"
    "もとの頭部の記録がありません。安定性は、確立した値のない病変の導電率について平均したものなので表示しません。",
    "plan-old-reason": _old_reason,
    "plan-old-dose": _old_dose,
    "plan-other-side": "頭部上に記録された {poses} 個の位置と向きのうち {there} 個が患者の{recorded}側にありますが、"
    "この計画は{planned}側のものです。もう一方の側は --role {role!s} で指定してください。",
    "plan-other-side-only": "頭部上に記録された {poses} 個の位置と向きのうち {there} "
    "個が患者の{recorded}側にありますが、この計画は{planned}側のものです。その側の計画と比較してください。",
}
