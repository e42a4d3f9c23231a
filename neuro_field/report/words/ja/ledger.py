"""Of what was delivered, beside what was planned."""

PHRASES = {
    "ledger.planned": "計画: {where!s}で 1 A/µs のとき {planned:.3f} V/m ({counted!s}){dose!s}。",
    "ledger.dose": "、計画した出力で {field:.1f} V/m",
    "ledger.along": "望ましい電流の軸に沿う平均。順位はこの値でつける",
    "ledger.magnitude": "|E| の平均",
    "ledger.of-target": "{target!s}",
    "ledger.target": "目標部位",
    "ledger.second": "各刺激は、このうち二番目の値で示す。",
    "ledger.first": "各刺激は、このうち一番目の値で示す。",
    "ledger.apart": "警告: 計画した位置と向きの電場は、ここでは {planned:.3f} V/m、計画では {solved:.3f} V/m で、"
    "{apart:.1%} 異なります。コイルまたは頭部が計画のものではありません。",
    "ledger.lifted": "注意: {poses} 個の位置と向きではコイルが頭皮に食い込みます (最大 {most:.1f} mm)。"
    "当たらなくなるまでコイルの軸に沿って引き離しました。",
    "ledger.reciprocity": "{modes} 回の随伴解から相反性で計算しました。完全に解いた {checked} 個の位置と向きとの差は、"
    "計画した値の最大 {difference:.2%} です。",
    "ledger.difference-large": "警告: その差は大きすぎます。これらの位置と向きは、"
    "随伴解が表せる範囲より大きく変化しています。",
    "ledger.full": "異なる位置と向き ({checked} 個) をすべて完全に解きました。",
    "ledger.session": "{name!s}: 刺激 {pulses} 回{field!s}。計画した強さに対する割合は平均 {mean:.1%}、"
    "最悪 {worst:.1%} ({at!s}: 計画から {distance:.1f} mm、{turn:.0f} 度){off!s}。",
    "ledger.session-field": "、平均 {field:.1f} V/m",
    "ledger.session-off": "。うち {off} 回はコイルが頭から離れていた",
    "ledger.session-all-off": "{name!s}: 刺激 {pulses} 回、すべてコイルが頭から離れていた。",
    "ledger.unnamed": "名前のない治療回",
    "ledger.pulse": "{pulse} 回目の刺激",
}
