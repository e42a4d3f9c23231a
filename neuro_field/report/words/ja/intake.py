"""Of what people give: answers, thresholds, options."""

from collections.abc import Mapping

from neuro_field.findings import Value

_VOLUMES = "左 {left_cm3:.1f} cm³、右 {right_cm3:.1f} cm³"


def _among(values: Mapping[str, Value]) -> str:
    """With names as they have to be typed, not in words."""
    known = values["known"]
    choices = ", ".join(map(str, known)) if isinstance(known, tuple) else str(known)
    meant = f" {values['nearest']} ではありませんか。" if values["nearest"] else ""
    return f"{{field}}は次のいずれかでなければなりません: {choices}。入力は {{given!s}} でした。{meant}"


def _forbidden(values: Mapping[str, Value]) -> str:
    if values["answer"] == "intracranial-metal":
        return (
            "種類のわからない金属が頭蓋内にある場合、計画は行いません。動脈瘤コイル、ステント、プレートであれば、"
            "その名前を入力してください。これらは医師が確認できます。"
        )
    return "計画は行いません。{answer}は刺激の禁忌です。"


def _unconfirmed(values: Mapping[str, Value]) -> str:
    return (
        "頭蓋内に{answer}があるため、担当医師がその名前で確認するまで計画は行いません (confirmed "
        f"{values['answer']})。"
    )


def _missing(values: Mapping[str, Value]) -> str:
    why = {
        "fluency": "流暢型 (fluent) か非流暢型 (non-fluent) か。これで目標部位が決まります。",
        "dominant_side": "fMRI での言語優位半球が左 (left) か右 (right) か。これで刺激する側が決まります。",
        "side": "左 (left) か右 (right) か。このプリセットでは使う人が側を決めます。",
        "frequency": "Hz で入力してください。頻度がなければ連続刺激の長さには意味がありません。",
    }
    return "{preset} には{field}が必要です。" + why.get(str(values["field"]), "入力されていません。")


def _which_hand(values: Mapping[str, Value]) -> str:
    where = {
        "both": f"病変が両側にあります ({_VOLUMES})",
        "midline": f"病変が正中にあります ({_VOLUMES})",
        "infratentorial": "病変が小脳または橋にあり ({infratentorial_cm3:.1f} cm³)、"
        "病変の側からはどちらの大脳半球が障害されたかがわかりません",
    }
    return (
        where[str(values["where"])] + "。麻痺手はどちらですか。麻痺手を左 (left) または右 (right) で入力してください。"
    )


SENTENCES = {
    "intake-out-of-range": "{field}は {low:g} 〜 {high:g} でなければなりません。入力は {given} でした。",
    "intake-not-a-number": "{field}は数値でなければなりません。入力は {given!s} でした。",
    "intake-not-among": _among,
    "intake-wrong-kind": "{field}は {wanted!s} でなければなりません。入力は {given!s} でした。",
    "intake-unknown": "{field!s} という項目はありません。",
    "intake-missing": _missing,
    "intake-preset-or-target": "プリセット (neuro-field presets にある名前) か目標部位の、"
    "どちらか一方を指定してください。",
    "intake-target-needs-coil": "目標部位を指定するときは、コイルも指定してください (neuro-field coils にある名前、"
    "またはファイル)。",
    "intake-needs": "{field}は{needs}がなければ使えません。両方を入力するか、どちらも入力しないでください。",
    "intake-one-of": "{field}と{other}は、どちらか一方だけを入力してください。",
    "intake-not-applicable": "{field}は {preset} では使いません。入力しないでください。",
    "intake-forbidden": _forbidden,
    "intake-unconfirmed": _unconfirmed,
    "intake-confirmed": "頭蓋内に{answer}があり、担当医師が確認しています。これは刺激してよいという意味ではありません。"
    "発熱、力、その付近での電場の変化は、ここでは計算していません。",
    "intake-open-skull": "この頭部の頭蓋骨は {area_cm2:.0f} cm² にわたって開いている、または開いていました。"
    "どのプレートやクリップが入っていますか。禁忌として入力するか (plate, intracranial-clip)、"
    "担当医師がプレートを確認するか (confirmed plate)、"
    "どちらもないことを確認してください (confirmed no-plates-or-clips)。",
    "intake-no-metal": "頭蓋骨は開かれたことがあり、プレートもクリップもないことを担当医師が確認しています。",
    "intake-metal-contradicts": "{answer}があると入力され、同時にプレートもクリップもないと確認されています。"
    "どちらかが誤りです。",
    "intake-excluded": "{answer}が入力されました。協力病院の除外基準にある項目です [src]。"
    "続けるかどうかは担当医師が判断します。",
    "intake-clears-nobody": "入力されなかった項目があっても、刺激してよいという意味ではありません。"
    "次の項目を確認してください: {asked}。",
    "intake-left-open": "{preset} で使う人が決めるべき項目が入力されていません: {fields}。",
    "intake-no-side": "病変の側を左 (left) または右 (right) で、または麻痺手を入力してください。"
    "この頭部には側を示す病変がありません。",
    "intake-side-not-told": "病変の側を左 (left) または右 (right) で、または麻痺手を入力してください。"
    "頭部には {cm3:.1f} cm³ の病変がありますが、左右を決める MNI への対応も大脳縦裂もありません。",
    "intake-no-map": "{preset} では目標部位を決められません。この頭部には、"
    "部位の名前に必要な MNI への対応がありません。対応つきで頭部モデルを作るか、"
    "頭部座標系で目標部位を指定してください。",
    "intake-which-hand": _which_hand,
    "intake-contradicts-lesion": "{field}の入力では{typed}大脳半球が障害側になりますが、病変は{found}にあります ("
    f"{_VOLUMES})。入力とマスクの向きを確認してください。",
    "intake-hand-contradicts-side": "麻痺手も病変の側も{hand}と入力されていますが、大脳半球は反対側の手を動かします。"
    "小脳または橋の病変では、麻痺手だけを入力してください。",
    "intake-hot-spot": "ホットスポットは、コイルの位置と向き、または頭部座標系の三つの数値 x,y,z (mm) "
    "でなければなりません。",
    "intake-hot-spot-off-head": "ホットスポットでのコイルの向きは脳に向いていません。"
    "コイルの軸に沿って 80 mm 以内に灰白質がありません。この頭部の座標系で読んだ値か確認してください。",
    "intake-hot-spot-far": "ホットスポットは最も近い灰白質から {distance:.0f} mm 離れています (上限 {limit:g} mm)。"
    "この頭部の座標系の mm であるか確認してください。",
}
