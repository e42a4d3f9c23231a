"""Of images and labels: what building a head of them found."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _open_skull(values: Mapping[str, Value]) -> str:
    seen = {
        "labels": "ラベルではそこに骨がありません",
        "t1": "分割ソフトウェアはそこを骨としましたが、T1 では軟部組織と同じ明るさです",
    }[str(values["seen"])]
    done = {
        "open": "回答のとおり、開いたままにしました。",
        "closed": "回答のとおり、骨で閉じました。これは骨弁またはプレートで閉じている場合に限って正しく、"
        "金属プレートはモデルに含まれません。",
        "unanswered": "目視確認のためだけに、骨で閉じてあります。",
    }[str(values["answer"])]
    where = "{opening_side}側の" if values["opening_side"] else ""
    return (
        f"{where}頭蓋骨が {{area_cm2:.0f}} cm² にわたって開いています (頭部座標系 ({{x:.0f}}, {{y:.0f}}, {{z:.0f}}) mm "
        f"付近。{seen})。{done}"
    )


SENTENCES = {
    "build-tissue-lost-in-mesh": (
        "ラベルにある{tissue} {labels_cm3:.2f} cm³ のうち、メッシュには {mesh_cm3:.2f} cm³ しかありません。"
        "--edge をもっと短くしてください。"
    ),
    "build-skull-open": _open_skull,
    "build-no-opening": (
        "頭蓋骨を開いたままにするという回答でしたが、5 cm² 以上の開口部は見つかりませんでした。"
        "図でラベルと T1 を確認してください。"
    ),
    "build-bone-not-seen": (
        "この画像では骨が灰白質より暗くありません。頭蓋骨に欠損がないかどうかは、ラベルだけで判断しました。"
    ),
    "build-image-cuts-brain": (
        "画像の端で脳が {area_cm2:.0f} cm² にわたって切れています。その先の部分がないため、"
        "切れ目付近の電場は正しくありません。"
    ),
    "build-layers-invented": (
        "ラベルで途切れている層を閉じるため、{tissue} {cm3:.0f} cm³ を補いました。"
        "うち {above_cm3:.0f} cm³ は脳の中央より上にあり、最も多いのは ({x:.0f}, {y:.0f}, {z:.0f}) mm 付近です。"
        "そこのラベルを確認してください。"
    ),
    "build-face-removed": (
        "これらの画像は顔が削除されているようです (あるはずの場所のうち {filled:.0%} だけが組織で、"
        "{empty:.0%} は T1 が空なのにラベルがあります)。鼻根点、耳珠、10-10 法のすべての位置は信頼できず、"
        "前頭部のコイルの位置と向き、電場も信頼できません。"
    ),
    "build-brain-removed": (
        "ラベルが脳とする {cm3:.1f} cm³ は、脳から離れているか頭蓋骨の外にあるため取り除きました。"
        "最も多いのは ({x:.0f}, {y:.0f}, {z:.0f}) mm 付近です。脳ではないか確認してください。"
    ),
    "build-label-table": (
        "ラベルの番号は複数の番号表に当てはまります。{table} として読みました ({others} ではありません)。"
        "この読み方では、頭の外の空気から灰白質まで {grey:.0f} mm、白質まで {white:.0f} mm です。"
        "違う場合は --table で指定してください。"
    ),
    "build-labels-lesion": (
        "ラベルは {cm3:.1f} cm³ を病変としています (番号 {numbers})。病変マスクがないため、白質として扱います。"
        "空洞であれば、マスクを指定してください。"
    ),
    "build-volume-unusual": (
        "{tissue}が {cm3:.0f} cm³ です (通常は {least:.0f} 〜 {most:.0f} cm³)。"
        "ラベルとそのボクセルの大きさを確認してください。"
    ),
    "build-image-cuts-head": (
        "画像の端 ({end}) で頭部が {area_cm2:.1f} cm² にわたって切れています。そこを継ぎ足して閉じました。"
    ),
    "build-volume-changed": (
        "整形によって{tissue}が {before_cm3:.0f} cm³ から {after_cm3:.0f} cm³ に変わりました ({change_cm3:+.0f} cm³)。"
        "ラベルを確認してください。"
    ),
}
