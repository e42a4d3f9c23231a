"""Of a live field: what it was made of, and how well it follows full solves."""

PHRASES = {
    "live.made": "完全な解 {snapshots} 個から、皮質の {points} 点での電場の {modes} 個のモードを作った。"
    "1 回の表示で読む量は {megabytes:.0f} MB。",
    "live.errors": "作成に使わなかった {held_out} 個の位置と向きでは、完全な解との差は平均 {mean:.2%}、"
    "最悪 {most:.2%} (皮質全体の相対 L2)、最も強い点から 20 mm 以内では最悪 {near:.2%}。",
    "live.trust": "脳の周りのコイルの磁場のうち、作成に使ったどれにも似ていない部分が {unspanned:.1%} 以下である間、"
    "その位置と向きを信頼する。頭皮全体で、すき間 2 〜 15 mm、傾き 15 度までがこれに当たる。",
}
