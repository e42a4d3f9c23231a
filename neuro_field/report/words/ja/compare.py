"""The page that compares plans, and what is said of comparing them."""

SENTENCES = {
    "compare-other-heads": "{heads} 個の異なる頭部の計画なので、分けて示します。"
    "異なる頭部の電場や位置は比較できません。別の患者のものかもしれません。",
    "compare-other-tissues": "頭部 {head} の計画は、病変の有無など、異なる組織で作られています。"
    "電場はその分も異なります。",
    "compare-other-conductivities": "頭部 {head} の計画は異なる導電率で作られています。電場はその分も異なります。",
    "compare-other-statistics": "頭部 {head} の計画は電場の集計方法が異なります。"
    "比較する前に古い計画を作り直してください。",
}

SHORT = {
    "compare-other-heads": "{heads} 個の頭部の計画です。電場・位置は比較不可。",
    "compare-other-tissues": "頭部 {head} の計画は組織が異なります。",
    "compare-other-conductivities": "頭部 {head} の計画は導電率が異なります。",
    "compare-other-statistics": "頭部 {head} の計画は電場の集計方法が異なります。",
}

PHRASES = {
    "compare.title": "計画の比較",
    "compare.head": "頭部 {letter!s}: {name!s}",
    "compare.one-head": "頭部: {name!s}",
    "compare.number": "番号",
    "compare.plan": "計画",
    "compare.written": "作成日",
    "compare.preset": "プリセット",
    "compare.coil": "コイル",
    "compare.side": "側",
    "compare.site": "目標部位",
    "compare.field_mean": "平均 |E|、1 A/µs での V/m",
    "compare.from_cz": "Cz から右・前 mm",
    "compare.clock": "ハンドル (時)",
    "compare.zone_cm2": "許容範囲 cm²",
    "compare.coil_cortex_mm": "コイルから皮質 mm",
    "compare.matched": "電場を合わせた値",
    "compare.begin": "開始値",
    "compare.warnings": "中止 + 警告",
    "compare.from_first_mm": "最初の計画から mm",
    "compare.handle_from_first_deg": "最初の計画からのハンドルの差 °",
    "compare.say": "* の行はプロトコルで刺激する側、ほかは比較のために計画した側。負の値は左・後ろ。最初の計画とは、"
    "同じ頭部・側・目標部位の最初のもの。平均 |E| は、同じ目標部位と同じ電流の傾きでの比較。"
    "異なる刺激装置の出力は比較できない。",
}
