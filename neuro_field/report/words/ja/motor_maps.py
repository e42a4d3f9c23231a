"""Of a motor map: one statement a line, and its page."""

PHRASES = {
    "map.pulses": "{muscle!s}: 刺激 {pulses} 回、反応 {answered} 回。",
    "map.left-out": "{count} 回の刺激を除いた: {told!s}。",
    "map.left-out-more": "{told!s}、ほか {more} 回",
    "map.no-site": "部位は示しません。反対側の大脳半球やアトラスの部位で代用することもしません。",
    "map.site": "皮質上の部位: {side!s}頭部座標系 {x:.1f}, {y:.1f}, {z:.1f} mm、R2 {r2:.2f}。",
    "map.side": "{side}大脳半球、",
    "map.sure": "再標本化した記録の 95 % で、{points} 点のうち {among} 点の中、そこから {reach:.0f} mm 以内にある。"
    "この記録では電場を区別できない点が {alike} 点ある。",
    "map.threshold": "そこでの閾値: {threshold:.0f} V/m (振幅の中央値 50 uV)。"
    "曲線の中央 {midpoint:.0f} V/m は閾値ではない。",
    "map.convergence": "使った刺激の回数ごとの、その部位からの距離: {steps!s}。",
    "map.best-pose": "記録された位置と向きのうち、マップに使ったものの {pose} 番目が最もよく届く。"
    "コイルの中心 {x:.1f}, {y:.1f}, {z:.1f} mm。",
    "mapped.title": "運動マップ: {muscle!s}",
    "mapped.first": "最初にお読みください",
    "mapped.found": "結果",
    "mapped.from": "マップのもとになったもの",
    "mapped.left-out": "マップに使わなかった刺激",
    "mapped.pulse": "刺激",
    "mapped.reason": "理由",
    "mapped.cortex": "皮質の各点の R2。左の図はコイルの平均の軸に沿って見たもの (上が頭の前方、コイルが前方または後方に"
    "ある場合は頭頂)、右の図は横から見たもの (上がコイルの側)。",
    "mapped.cortex-site": "十字: 求めた部位。黒い輪: 再標本化した記録の 95 % でその部位を含む範囲。",
    "mapped.cortex-none": "部位は示しません。最も明るい点も部位ではありません。",
    "mapped.curve": "その部位の電場と振幅。点: 刺激 (20 uV 未満の反応は 20 uV とした)。曲線: 当てはめた中央値。"
    "縦の実線: 閾値 (50 uV と交わるところ)。破線: 曲線の中央で、閾値ではない。",
    "mapped.convergence": "最初の n 回の刺激だけで求めた場合の、その部位からの距離。",
    "mapped.coil": "コイル",
    "mapped.intensities": "刺激強度",
    "mapped.regressed": "反応の説明に使った量",
    "mapped.magnitude": "電場の大きさ |E|、V/m",
    "mapped.normal": "皮質の法線方向の E の大きさ、V/m",
    "mapped.chance": "同じだけ説明できる、並べ替えた記録の割合",
    "mapped.mesh": "頭部のメッシュ (ダイジェスト)",
}
