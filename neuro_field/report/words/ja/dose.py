"""Of outputs of the stimulator: the doses themselves, where they come from, and why there is none."""

from collections.abc import Mapping

from neuro_field.findings import Value

Values = Mapping[str, Value]


def _told(values: Values) -> str:
    """The three outputs of a dose, apart."""
    parts = []
    if values["published"] is not None:
        parts.append("発表値は最大出力の {published:.0f} %")
    interval = "{low:.0f} 〜 {high:.0f} %"
    spent = values["needed_more"] and (values["low"] is None or float(str(values["low"])) >= 100)
    if values["matched"] is not None and values["other_hemisphere"] and not spent:
        what = interval if values["low"] is not None else "約 {matched:.0f} % (範囲は不明)"
        parts.append(f"電場を合わせた値は {what} (一つの値では示せません。運動閾値が反対側の大脳半球のものだからです)")
    elif values["matched"] is not None:
        words = "電場を合わせた値は {matched:.0f} %"
        if values["needed_more"]:
            words += " (刺激装置の上限)"
        elif values["at_target"]:
            words += " (導電率によりません。基準と目標が同じコイルの位置と向きだからです)"
        elif values["low"] is not None:
            words += f" (導電率の不確かさによる範囲 {interval})"
        parts.append(words)
    if values["of_threshold"] is not None:
        parts[-1] += "、このコイルの運動閾値の {of_threshold:.0%}"
    if values["target_field"] is not None:
        what = "|E| の平均" if values["statistic"] == "magnitude" else "望ましい軸に沿う E の平均"
        parts[-1] += f"、目標部位の電場 {{target_field:.0f}} V/m ({what}、半径 {{radius:g}} mm 以内の要素)"
    if values["begin"] is not None:
        parts.append("開始値は {begin:.0f} %")
    else:
        parts.append("開始値は示しません")
    if values["stokes_low"] is not None and not values["at_target"]:
        parts.append("頭皮からの深さだけで求めると (Stokes) {stokes_low:.0f} 〜 {stokes_high:.0f} %")
    return "用量: " + "。".join(parts) + "。"


def _anchored(values: Values) -> str:
    muscle = "{body}{limb}の {muscle}" if values["muscle"] else "{body}{limb} (筋は示されていません)"
    return (
        f"用量の基準は {{percent:g}} % です ({muscle} の{{kind}}、測定方法は{{method}}、コイルは {{coil}})。したがって"
        "基準は{hemisphere}大脳半球で、その電場は{anchor}ものです。"
    )


def _lost(values: Values) -> str:
    left = " (残っている灰白質は {cm3:.2f} cm³)" if values["cm3"] is not None else ""
    return (
        f"電場を合わせた用量なし: 目標部位のうち生存しているのは {{viable:.0%}} だけです{left}。"
        "{least:.0%} 以上が必要です。"
    )


def _unknown_slopes(values: Values) -> str:
    read = "{read_coil}" + (" ({read_stimulator})" if values["read_stimulator"] else "")
    treats = "{coil}" + (" ({stimulator})" if values["stimulator"] else "")
    return (
        f"出力は示しません。運動閾値を測定した {read} と、治療に使う {treats} の出力の関係がわかりません。刺激装置を"
        "指定するか、治療に使うコイルで運動閾値を測定してください。"
    )


def _other_muscle(values: Values) -> str:
    wanted = "{wanted_muscle}" if values["wanted_muscle"] else "{wanted_limb}の筋"
    given = "{given_muscle}" if values["given_muscle"] else "{given_limb}の筋"
    return (
        f"発表されている割合は {wanted} の運動閾値に対するもので、入力されたのは {given} の運動閾値です。"
        "電場を合わせた値だけを示します。"
    )


def _twitch(values: Values) -> str:
    allows = "。開始値はその分だけ下げてあります。" if values["begin"] is not None else "。"
    return f"運動閾値は目視による筋収縮で測定されました。筋電図 (EMG) による値より {{excess:.1%}} 高くなります{allows}"


SENTENCES = {
    "dose-told": _told,
    "dose-anchored": _anchored,
    "dose-anchor-stands-in": "運動閾値を測定したときのコイルの位置と向きがわかりません。"
    "{hemisphere}大脳半球の{site}に対するモデル上の最良の位置と向きで代用しています。",
    "dose-pose-lifted": "運動閾値を測定した位置と向きでは、コイルの外装が頭皮に食い込むため、"
    "{lift:.1f} mm 引き離しました。",
    "dose-pose-far": "運動閾値を測定した位置は、{hemisphere}大脳半球の{site}の上の頭皮から {distance:.0f} mm "
    "離れています (上限 {limit:g} mm)。用量を使う前に、座標系と左右を確認してください。",
    "dose-no-anchor": "用量なし: 運動閾値の属する{hemisphere}大脳半球の{site}が、この頭部では見つかりませんでした。",
    "dose-no-threshold": "用量なし: {kind} が入力されていません。",
    "dose-no-intensity": "用量なし: このプロトコルの刺激強度は発表されていません。"
    "運動閾値に対する割合で入力してください。",
    "dose-other-kind": "用量なし: このプロトコルは{wanted} に対する割合で定められていますが、"
    "入力されたのは{given} だけです。",
    "dose-target-lost": _lost,
    "dose-other-muscle": _other_muscle,
    "dose-not-of-protocol": "このプロトコルはこちらの側を刺激しません。比較のために計画したもので、"
    "発表値は示しません。",
    "dose-other-side": "発表されている割合は{wanted}大脳半球の運動閾値に対するもので、"
    "入力されたのは{given}大脳半球の運動閾値です。電場を合わせた値だけを示します。",
    "dose-other-coil": "運動閾値 {threshold_percent:g} % は別のコイルで測定されました。"
    "電場を合わせた値だけを示します。",
    "dose-muscle-not-told": "発表されている割合は {wanted_muscle} の運動閾値に対するものです。"
    "入力された運動閾値がどの筋のものかは示されていません。",
    "dose-percentage-unread": "発表されている {share:.0%} が下肢の筋の運動閾値に対するものかどうかは、"
    "原典でまだ確認していません。",
    "dose-stimulator-assumed": "刺激装置が指定されていません。V/m の値とコイル間の換算では、"
    "{coil} に {stimulator} を使うと仮定しています。",
    "dose-stimulator-unknown": _unknown_slopes,
    "dose-other-stimulator": "運動閾値は {read_stimulator} で測定されました。{stimulator} では {ratio:.2f} 倍します。"
    "これは電流の変化率だけによる換算で、パルス幅は異なります。できれば測定し直してください。",
    "dose-ratios-differ": "望ましい軸に沿って合わせた出力は {along:.0f} %、"
    "|E| の平均で合わせた出力は {magnitude:.0f} % で、10 % を超える差があります。",
    "dose-capped": "最大出力の {needed:.0f} % が必要ですが、上限の 100 % としました。"
    "望ましい電場の {share:.0%} になります。",
    "dose-stokes-contradicts": "頭皮からの深さだけで求めた出力 (Stokes) は {low:.0f} 〜 {high:.0f} %、"
    "電場を合わせた出力は {needed:.0f} % で、互いに矛盾します。低い出力から始めてください。",
    "dose-stokes-absent": "深さによる照合 (Stokes) はありません。{why}。",
    "dose-no-draws": "導電率の不確かさによる範囲は計算していません。開始値は、示した出力のうち低いほうです。",
    "dose-other-hemisphere": "{side}大脳半球の運動閾値が入力されていません。"
    "{hemisphere}大脳半球の運動閾値を用量の基準にしているので、用量は範囲として読んでください。",
    "dose-share-unknown": "開始値はありません。その出力がこのコイル自身の運動閾値の何割に当たるかを計算していません。",
    "dose-high": "電場を合わせた出力は{kind} の {share:.0%} で、{limit:.0%} を超えています。",
    "dose-above-table": "電場を合わせた出力は{kind} の {share:.0%} です。"
    "連続刺激の試験結果の表は rMT の {limit:.0%} までしかありません (Rossi 2009 [lit])。開始値は示しません。"
    "連続刺激の間の休止の長さを確認し、承認されたプロトコルのもとで判断してください。",
    "dose-twitch": _twitch,
}
