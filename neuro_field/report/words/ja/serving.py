"""Of the page on which the coil is led over the scalp."""

PHRASES = {
    "serve.title": "コイルを動かす",
    "serve.heading": "目標部位の電場: {target!s}",
    "serve.statistic": "{statistic!s}、1 A/µs での値",
    "serve.resting": "推定値。コイルが止まると計算します",
    "serve.solving": "推定値。計算中",
    "serve.solved": "{seconds:.1f} 秒で計算しました",
    "serve.ranked": "計画した最良の位置と向きの {share:.0%}。試した {tried:,} 個の中では {rank:,} 位に当たります。",
    "serve.scale": "≥ {field:.2f} V/m (脳表面)",
    "serve.keys": "頭部をクリックするか、矢印キー (Shift を押しながらで 5 倍) でコイルを頭皮の上で動かします。, と . "
    "で回します。ドラッグで見る向きを変えます。頭の周りの文字 R、L、A、P は患者の右、左、前、後ろです。",
    "serve.place": "中心の下の頭皮",
    "serve.no-landmarks": "この頭部には 10-10 法の位置がありません",
    "serve.handle": "ハンドル",
    "serve.centre": "中心",
    "serve.lift": "すき間を超えて頭皮から離れた距離",
    "serve.pose": "head_from_coil、mm、頭部座標系:",
    "serve.estimate": "推定値: 目標部位は相反性により、色は頭蓋骨に合わせた球により求めたもの。平均の大きさは "
    "{size!s}。",
    "serve.front": "前へ",
    "serve.back": "後ろへ",
    "serve.left": "左へ",
    "serve.right": "右へ",
    "serve.turn-left": "回す ↺",
    "serve.turn-right": "回す ↻",
    "serve.planned": "計画: ",
}
