"""The page of a ledger: planned against delivered over a course."""

PHRASES = {
    "ledger-page.title": "計画と実際の刺激の比較",
    "ledger-page.places": "コイルを当てた位置",
    "ledger-page.places-say": "頭の外から見た図で、上が鼻の方向。輪は計画した位置 (十字) を中心に {step:.0f} mm おき。"
    "灰色は計画の {kept:.0%} を保つ範囲。点は刺激 1 回の位置、線はハンドルの向き。番号は各回の治療の中央を示す。",
    "ledger-page.places-plain": "頭の外から見た図で、上が鼻の方向。輪は計画した位置 (十字) を中心に {step:.0f} mm "
    "おき。点は刺激 1 回の位置、線はハンドルの向き。番号は各回の治療の中央を示す。",
    "ledger-page.some": "{all} 回の刺激のうち {shown} 回を描いた。",
    "ledger-page.course": "目標部位の電場",
    "ledger-page.course-say": "同じ出力での、計画した電場に対する割合。丸は各回の治療の平均、棒は最小から最大まで。",
    "ledger-page.planned": "計画",
    "ledger-page.nose": "鼻",
    "ledger-page.sessions": "各回の治療",
    "ledger-page.number": "番号",
    "ledger-page.session": "治療",
    "ledger-page.pulses": "刺激回数",
    "ledger-page.off": "頭から離れた回数",
    "ledger-page.distance": "計画からの距離 mm",
    "ledger-page.turn": "ハンドルのずれ °",
    "ledger-page.share": "割合の平均",
    "ledger-page.worst": "最小の割合",
    "ledger-page.field": "平均 V/m",
    "ledger-page.unnamed": "名前なし",
    "ledger-page.said": "文章で",
}
