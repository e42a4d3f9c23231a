"""Of a plan's best placement and its target, one statement a line; what stands before ": " is the line's label."""

from collections.abc import Mapping
from typing import Any

from neuro_field.report.words.ja.hemispheres import site


def _target(values: Mapping[str, Any]) -> str:
    return site({"side": values["side"], "site": values["name"]}).replace("{site}", "{name}")


PHRASES = {
    "target.title": _target,
    "target.statistic": "望ましい電流の軸に沿う E の平均、{where!s}",
    "target.statistic-either-way": "望ましい電流の軸に沿う E の平均の大きさ、{where!s}",
    "target.magnitude": "|E| の平均、{where!s}",
    "target.where": "目標部位の中心から半径 {radius:g} mm 以内の灰白質",
    "target.where-parts": "各領域 ({first}と{second}) の中心から半径 {radius:g} mm 以内の灰白質、弱いほうの領域",
    "target.line": "目標部位: {target!s}、中心は頭部座標系 {centre!s} mm",
    "target.line-parts": "目標部位: 両側の{name}を同時に、中心は頭部座標系で{first} {first_centre!s}、"
    "{second} {second_centre!s} mm",
    "target.searched": "。MNI152 {seed!s} ({source!s}) の周りを探索し、"
    "最も近い生存している灰白質へ {moved:.1f} mm 移動。そこの灰白質の {viable:.0%} が生存",
    "target.axis": "望ましい電流の軸: {axis!s}。",
    "axis.either-way": "{way!s}、またはその逆",
    "axis.sulcus": "{way!s}、患者自身の脳溝を横切る向き、慣用の軸から {degrees:.0f} 度 ({custom!s})",
    "axis.sulcus-alone": "{way!s}、患者自身の脳溝を横切る向き、慣用の軸から {degrees:.0f} 度",
    "axis.custom": "{way!s}、{custom!s}",
    "axis.not-followed": "{way!s}、{custom!s}。そこに見つかった脳溝は慣用の軸から {degrees:.0f} 度ずれており、"
    "採用しなかった",
    "position.line": "位置: コイルの外装面の中心が頭部座標系 {centre!s} mm",
    "position.mni": "、MNI152 {mni!s} mm",
    "landmark.line": "中心の下の頭皮: 10-10 法で {places!s}。",
    "landmark.between": "、",
    "landmark.unknown": "最も近い 10-10 法の位置: わかりません ({why!s})。",
    "handle.line": "ハンドル: {way!s}を向く ({turn!s})",
    "handle.plain": "ハンドル: {way!s}を向く。",
    "handle.two-fold": "。このコイルは 180° 回しても |E| は同じで、電流は逆になる",
    "handle.free": "ハンドル: どの向きでも同じ。このコイルは軸の周りに回しても変わらない。",
    "current.line": "誘導電流: コイル電流が増えるとき (dI/dt が正)、コイルの下の誘導電流は最初は{rising!s}へ流れる。"
    "コイル電流を逆にすると{reversed!s}へ流れる。",
    "current.plain": "誘導電流: dI/dt が {slope:g} A/µs のとき、コイルの下の誘導電流は最初は{way!s}へ流れる。",
    "current.ring": "誘導電流: このコイルの下では、増えていくコイル電流と逆向きに、巻線の下を輪のように流れる。"
    "一つの向きはない。",
    "current.unknown": "誘導電流: コイルが登録されていないため、最初に流れる向きはわかりません。",
    "field.line": "目標部位の電場: 1 A/µs で {field:.3f} V/m",
    "field.full": "、出力 100 % ({slope:.2f} A/µs) で {full:.0f} V/m",
    "field.full-unknown": "、出力 100 % での値は、コイルの最大 dI/dt がわからないため不明",
    "field.statistic": " ({statistic!s})",
    "field.along": "。望ましい電流の軸に沿う成分は 1 A/µs で {along:.3f} V/m で、順位はこの値でつける",
    "distance.line": "コイルと皮質の距離: 外装面の中心から最も近い灰白質まで {distance:.1f} mm",
    "distance.lift": "。外装が頭皮に当たらないように、指定より {lift:.1f} mm 離れている",
    "strongest.line": "最も強い電場: 灰白質のうち 1 A/µs で {threshold:.2f} V/m を超える 0.1 % の中心は、{where!s}。",
    "strongest.of-target": "目標部位の中心",
    "strongest.of-part": "近いほうの{part}の領域の中心",
    "strongest.plain": "最も強い電場: 灰白質の 0.1 % が {slope:g} A/µs で {threshold:.2f} V/m を超え、"
    "その中心は頭部座標系 {centre!s} mm。",
    "error.middle": "灰白質の中央",
    "error.all": "灰白質",
    "error.line": "この症例の数値誤差: {how!s}。",
    "error.halved": "目標部位から半径 {radius:g} mm 以内の要素を半分の長さにした場合 ({unknowns} 未知数) "
    "からさらに短い要素へ外挿すると、{where!s}で E の誤差は約 {near:.1%} (相対 L2、前後にその半分の幅)。"
    "平均の大きさの誤差は {mean:+.1%}",
    "error.second-order": "同じメッシュの 2 次要素 ({unknowns} 未知数) と比べ、"
    "{where!s}で E は {all:.1%} 異なり (相対 L2)、99.9 百分位は {p999:+.1%}。"
    "目標部位から半径 {radius:g} mm 以内では E は {near:.1%}、平均の大きさは {mean:+.1%} 異なる",
    "error.target": "。目標部位について示した |E| の平均は {target:+.1%}",
    "head.size": "{name!s}: 節点 {nodes:,}、要素 {elements:,}。",
    "head.volumes": "体積: {volumes!s}。",
    "head.volume": "{tissue!s} {cm3:.0f} cm3",
    "head.lesion": "病変: {cm3:.1f} cm3、{side}。",
    "head.lesion-side-unknown": "病変: {cm3:.1f} cm3、側は不明。",
    "head.overlap": "MNI152 テンプレートとの重なり ({kind}の対応): {fit!s}。",
    "study.title": "{preset!s}: {title!s}",
    "full-stop": "。",
}
