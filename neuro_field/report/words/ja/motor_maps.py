"""Of a motor map, one statement a line."""

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
}
