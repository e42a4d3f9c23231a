"""Of lesions: how their masks were read, where they are, and what of them is in the mesh."""

from collections.abc import Mapping

from neuro_field.findings import Value
from neuro_field.report.words.ja import NAMES


def _listed(values: Mapping[str, Value], first: str) -> str:
    """Each number or name of a mask with its volume, as 2 (5.1 cm³、1 個)."""
    pieces = values.get("pieces") or (None,) * len(values[first])  # type: ignore[arg-type]
    shown = [
        f"{each} ({cm3:.2f} cm³" + ("" if n is None else f"、{n} 個") + ")"
        for each, cm3, n in zip(values[first], values["cm3"], pieces, strict=True)  # type: ignore[arg-type]
    ]
    return "、".join(shown) + (f"、ほか {values['more']} 件" if values["more"] else "")


def _numbers(values: Mapping[str, Value]) -> str:
    if len(values["numbers"]) == 1 and not values["more"]:  # type: ignore[arg-type]
        return f"病変マスクの番号は {_listed(values, 'numbers')} です。空洞として扱いました。"
    return (
        f"病変マスクの番号は {_listed(values, 'numbers')} です。病変の部分の番号とみなし、すべて空洞として扱いました。"
        "空洞、病変周囲、急性期の病変を意味する場合は、21、22、23 と書くか、"
        "マスクと同じ場所のファイルで名前をつけてください。"
    )


def _named(values: Mapping[str, Value]) -> str:
    pairs = zip(values["names"], values["kinds"], strict=True)  # type: ignore[arg-type]
    rows = {**values, "told": tuple(f"{n} → {NAMES.get(str(k), k)}" for n, k in pairs)}
    return f"病変マスクの各部分は名前で読みました: {_listed(rows, 'told')}。"


def _threshold(values: Mapping[str, Value]) -> str:
    return (
        "病変マスクには {highest:.3g} までの割合が入っています。{threshold:g} 以上を空洞とし、"
        "{cm3:.1f} cm³ になりました ({lower:g} 以上では {lower_cm3:.1f} cm³、"
        "{higher:g} 以上では {higher_cm3:.1f} cm³)。"
    )


_TISSUES = {"brain": "脳", "csf": "脳脊髄液", "bone": "骨", "scalp": "頭皮", "other": "眼球または空気"}

_WHY = {
    "lesion-opposite": "反対側にも病変がある",
    "skull-open-opposite": "反対側に頭蓋骨が見えない",
    "midline-shifted": "正中が偏位している",
    "no-symmetry": "頭部が左右対称でない",
}


def _filled(values: Mapping[str, Value]) -> str:
    text = "T1 は病変を埋めてから分割しました。{mirrored_cm3:.1f} cm³ は反対側の大脳半球の組織を左右反転して埋めました"
    why = values["why"]
    if not isinstance(why, tuple) or not why:
        return text + "。"
    reasons = "、".join(_WHY[str(reason)] for reason in why)
    return text + "。{nearby_cm3:.1f} cm³ は周囲の組織で埋めました。理由: " + reasons + "。"


def _labelled_as(values: Mapping[str, Value]) -> str:
    shares = [f"{word} {{{name}:.0%}}" for name, word in _TISSUES.items()]
    text = "もとのラベルでは、病変のボクセルは " + "、".join(shares)
    outside = sum(float(str(values[name])) for name in ("bone", "scalp", "other"))
    if outside < float(str(values["most"])):
        return text + " です。"
    return text + " です。分割が誤っているか、マスクの位置がずれています。両方を確認してください。"


def _other_grid(values: Mapping[str, Value]) -> str:
    sizes = " x ".join(f"{size:.3g}" for size in values["sizes_mm"])  # type: ignore[union-attr]
    return (
        f"病変マスクのボクセル ({sizes} mm) は T1 と異なります。マスク自身のヘッダーが示す位置に置きました。FLAIR など"
        "ほかの画像で描いた場合は、その画像を --lesion-image で指定してください (患者は撮影の間に動きます)。"
        "T1 の上で輪郭を確認してください。"
    )


SENTENCES = {
    "lesion-other-grid": _other_grid,
    "lesion-filled": _filled,
    "lesion-midline-shifted": (
        "脳の正中が頭部の対称面から {shift:.0f} mm ずれています (通常は {most:g} mm 以下)。"
        "占拠性効果があるかもしれません。分割の前に、病変は周囲の組織で埋めました。"
    ),
    "lesion-labelled-as": _labelled_as,
    "lesion-numbers": _numbers,
    "lesion-named": _named,
    "lesion-threshold": _threshold,
    "lesion-blank": "病変マスクのボクセルの {share:.0%} は数値がありません (NaN)。病変の外として扱いました。",
    "lesion-lost-in-mesh": (
        "病変のうち {pieces} 個 (合わせて {labels_cm3:.3f} cm³) は、メッシュに {after_cm3:.3f} cm³ しかありません。"
        "--edge をもっと短くしてください。"
    ),
    "lesion-meshed-finer": (
        "病変のうち小さいまたは薄い {pieces} 個 (合わせて {labels_cm3:.3f} cm³) は要素を細かくしました。"
        "メッシュでは {after_cm3:.3f} cm³ です (細かくしない場合 {before_cm3:.3f} cm³)。"
    ),
    "lesion-image-moved": (
        "病変を描いた画像を T1 に合わせました。病変は {moved:.1f} mm (最大 {most:.1f} mm) 動き、"
        "{angle:.1f} 度回転しました。両画像の一致度は {as_given:.3f} から {shared:.3f} になりました "
        "(正規化相互情報量)。T1 の上で輪郭を確認してください。"
    ),
    "lesion-in-old-mesh": (
        "病変 {cm3:.2f} cm³ を既存のメッシュに入れました。要素単位で {mesh_cm3:.2f} cm³、"
        "重なりは {overlap:.2f} です (Dice 係数)。"
    ),
    "lesion-meshed-again": (
        "既存のメッシュは {cm3:.2f} cm³ の病変に対して粗すぎました (要素との重なり {overlap:.2f}、Dice 係数。"
        "失われた部分 {lost} 個)。組織からメッシュを作り直しました。メッシュでは {mesh_cm3:.2f} cm³ です。"
    ),
    "lesion-large": (
        "病変が脳の {share:.0%} ({cm3:.0f} cm³) を占め、通常の上限 {usual:.0%} を超えています。指定により許可しました。"
        "脳全体のマスクでないか確認してください。"
    ),
    "lesion-side-unknown": "この頭部には左右を決めるものがありません。{cm3:.1f} cm³ の病変の側はわかりません。",
    "lesion-clipped": (
        "病変マスクの {lost:.0%}、{lost_cm3:.1f} cm³ は脳と脳脊髄液の外にあるため除きました (描かれたのは "
        "{drawn_cm3:.1f} cm³、入れたのは {placed_cm3:.1f} cm³)。位置を確認してください。"
    ),
    "lesion-pieces-lost": (
        "病変マスクの離れた {pieces} 個 (合わせて {cm3:.3f} cm³、最大 {largest:.3f} cm³) は、脳と脳脊髄液の外にあるか、"
        "ラベルのボクセルより小さいため除きました。"
    ),
    "lesion-both-sides": (
        "病変が両側にあります。左大脳半球 {left_cm3:.1f} cm³、右大脳半球 {right_cm3:.1f} cm³ です。"
        "無傷の大脳半球はありません。どちらの手が麻痺しているかで決まります。"
    ),
    "lesion-infratentorial": (
        "病変は小脳または脳幹にあります ({below_cm3:.1f} cm³)。病変の側では何も決まりません。"
        "どちらの手が麻痺しているかで決まります。"
    ),
    "lesion-midline": (
        "病変は正中にあります (大脳縦裂の左 {left_cm3:.1f} cm³、右 {right_cm3:.1f} cm³)。"
        "どちらの手が麻痺しているかで決まります。"
    ),
    "lesion-small-other-side": ("病変の小さな部分 {cm3:.2f} cm³ が{other}大脳半球にもあります ({least:g} cm³ 未満)。"),
}
