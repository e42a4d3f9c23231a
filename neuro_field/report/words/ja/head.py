"""Of heads: their map to MNI space and their midline."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _no_fissure(values: Mapping[str, Value]) -> str:
    if values["mapped"]:
        return (
            "この頭部では大脳縦裂が見えません。代わりに MNI 空間の正中で左右を決めていますが、"
            "ずれている可能性があります。すべての目標部位の左右を図で確認してください。"
        )
    return "この頭部では大脳縦裂が見えず、MNI への対応もありません。左右を決められません。"


def _midline_off(values: Mapping[str, Value]) -> str:
    if values["most"] is None:
        return (
            "MNI への対応では、この頭部の正中が脳の外になります。対応が誤っています。"
            "名前のついた目標部位は使わないでください。"
        )
    return (
        "MNI への対応による正中は、患者の大脳縦裂から最大 {most:.0f} mm (中央値 {median:.0f} mm) ずれています。"
        "最大は MNI y = {y:.0f}、z = {z:.0f} mm です。正中が偏位しているか、対応がずれています。"
        "左右は大脳縦裂で決めています。目標部位の位置を確認してください。"
    )


def _map_doubtful(values: Mapping[str, Value]) -> str:
    grey = "" if values["grey"] is None else "、灰白質は {grey:.2f}"
    return (
        "MNI への対応が疑わしいです。この頭部の白質とテンプレートの重なりは {white:.2f} です (Dice 係数。通常は "
        "{least:.2f} 以上)" + grey + "。使う前に、名前のついた目標部位をすべて図で確認してください。"
    )


def _opening(values: Mapping[str, Value]) -> str:
    where = "" if values["opening_side"] is None else "{opening_side}側、"
    return where + "{area_cm2:.0f} cm²、頭部座標系 ({x:.0f}, {y:.0f}, {z:.0f}) mm 付近"


def _open_skull(values: Mapping[str, Value]) -> str:
    return (
        "頭蓋骨に開口部があります ("
        + _opening(values)
        + ")。開口部のそばでは電場が強くなり、場所も変わります。使う前に、骨弁の欠損、プレート、"
        "クリップの有無を必ず確認してください。"
    )


def _bone_lost(values: Mapping[str, Value]) -> str:
    return (
        "メッシュが骨に対して粗すぎます。ラベルに骨があるのにメッシュにない部分があり ("
        + _opening(values)
        + ")、そこの電場は正しくありません。--edge を短くして頭部モデルを作り直してください。"
    )


def _map_refused(values: Mapping[str, Value]) -> str:
    why = {
        "axes-exchanged": "画像の軸が入れ替わっており、左右が逆の可能性があります。まずこれを直してください",
        "size": "脳の大きさが人のものではありません。ボクセルの大きさが誤っています。まずこれを直してください",
        "tissues-exchanged": "白質が灰白質と、灰白質が白質とされています。まずこれを直してください",
        "overlap": "脳がテンプレートに合いません",
    }
    return (
        f"この頭部では MNI への対応が得られませんでした。{why[str(values['kind'])]}。名前のついた目標部位は使えません。"
    )


def _volume_by_name(values: Mapping[str, Value]) -> str:
    number = "番号ではどの組織でもありません" if values["number"] is None else "番号では {number} になります"
    return f"メッシュの領域 {{volume}} は、名前 {{called}} から{{tissue}}としました。{number}。"


SENTENCES = {
    "head-open-skull-unanswered": (
        "頭蓋骨が合わせて {area_cm2:.0f} cm² 開いていますが、開いたままにするかどうかの回答がありません。"
        "この頭部では患者のための計算は行いません。qc.html を見て、"
        "--open-skull yes (骨がない) または --open-skull no (骨またはプレートで閉じている) "
        "をつけて頭部モデルを作り直してください。"
    ),
    "head-volume-by-name": _volume_by_name,
    "head-mesh-curved": "メッシュの {order} 次の四面体は頂点だけを使い、辺をまっすぐにしました。",
    "head-told-before": (
        "この頭部モデルを作ったときの neuro_field は、ほかに {count} 件を文章で記録しています。"
        "その頭部の qc.html にあります。"
    ),
    "head-open-skull": _open_skull,
    "head-bone-lost-in-mesh": _bone_lost,
    "head-no-map": (
        "この頭部には MNI への対応がありません。名前のついた目標部位、MNI 座標、10-20 法の位置は使えません。"
        "目標部位は頭部の座標だけで指定できます。"
    ),
    "head-map-refused": _map_refused,
    "head-map-doubtful": _map_doubtful,
    "head-no-fissure": _no_fissure,
    "head-midline-off": _midline_off,
}
