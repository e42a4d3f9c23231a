"""Of diffusion tensors: how they were read, whether they are the head's, and what became of its conductivity."""

from collections.abc import Mapping

from neuro_field.findings import Value

_RULES = {
    "vn": "体積正規化: 幾何平均として各組織の値を保ちます",
    "dir": "直接: 脳全体で拡散係数から導電率への係数が一つです",
    "mc": "平均導電率: 各場所で一つの値とし、線維に沿う向きと横切る向きを区別しません",
}

_ORDERS = {
    "upper": "FSL の順序 (xx xy xz yy yz zz)",
    "diagonal": "MRtrix の順序 (xx yy zz xy xz yz)",
    "lower": "NIfTI の対称行列の順序 (xx xy yy xz yz zz)",
    "full": "行ごとの九つの数値",
}

_AXES = {
    "fsl": "FSL の軸 (ボクセルの軸。アフィン行列の行列式が正なら第1軸を反転)",
    "voxel": "ボクセルの軸",
    "world": "スキャナーの軸 (右、前、上)",
    "lps": "スキャナーの軸 (左、後ろ、上)",
}


def _used(values: Mapping[str, Value]) -> str:
    ratio = "" if values["ratio"] is None else "。白質では最大の導電率が最小の {ratio:.1f} 倍です"
    return (
        "白質と灰白質の体積の {share:.0%} で、導電率を拡散テンソルから求めています ("
        + _RULES[str(values["rule"])]
        + ")"
        + (ratio if values["rule"] != "mc" else "")
        + "。"
    )


def _axes_taken(values: Mapping[str, Value]) -> str:
    return (
        f"テンソルは{_ORDERS[str(values['order'])]}で、軸は{_AXES[str(values['axes'])]}として読みました。違う場合は "
        "--tensor-axes で指定してください。"
    )


def _moved(values: Mapping[str, Value]) -> str:
    return (
        "拡散テンソルを回転と移動で T1 に合わせました。{moved:.1f} mm (最大 {most:.1f} mm) 動き、"
        "{angle:.1f} 度回転しました。両画像の一致度は {as_given:.3f} から {shared:.3f} になりました。"
        "向きが白質の上にあるか確認してください。"
    )


def _doubtful(values: Mapping[str, Value]) -> str:
    way = str(values["way"])
    read = f"{_AXES[way]}として" if way in _AXES else f"軸を {way} として"
    return (
        f"テンソルの軸が正しいかどうか確かではありません。{read}読むと、隣どうしの向きのつながりは今の {{next:.2f}} 倍"
        "で、区別するには差が小さすぎます。向きの図の線が線維束に沿っているか確認してください。"
    )


SENTENCES = {
    "tensor-used": _used,
    "tensor-none-there": (
        "白質 {white_cm3:.1f} cm³ と灰白質 {grey_cm3:.1f} cm³ ({share:.1%}) では、"
        "拡散画像の範囲外であるか除かれたため、テンソルがわかりません。"
        "そこはどの向きにも同じように電流を通すものとします。"
    ),
    "tensor-limited": (
        "白質と灰白質の導電率に制限をかけました。体積の {raised:.1%} で最大と最小の比を {ratio:.0f} に、"
        "{capped:.1%} で値を {most:.0f} S/m に抑えました。"
    ),
    "tensor-not-positive": (
        "テンソルのある脳の {voxels} ボクセルのうち、{part} ボクセルには正でない成分があり、"
        "最大の十分の一に引き上げました。{none} ボクセルには正のテンソルがなく、除きました (合わせて {share:.1%})。"
    ),
    "tensor-axes-taken": _axes_taken,
    "tensor-axes-checked": (
        "主方向は、与えられた軸で読んだときに、ほかのどの読み方よりも隣どうしがよくつながります (次点はその {next:.2f} "
        "倍)。"
    ),
    "tensor-axes-doubtful": _doubtful,
    "tensor-axes-unchecked": (
        "テンソルの軸が正しいかどうか判定できませんでした。向きを持つ白質が {least} ボクセルに達しません。"
        "向きの図を確認してください。"
    ),
    "tensor-place-off": (
        "テンソルの異方性は、{away:.0f} mm ずらしたほうが頭部の白質にいくらかよく合います ({ratio:.2f} に対し "
        "{better:.2f})。拡散画像がゆがんでいるか、ずれています。"
        "同じ位置の画像を --tensor-image で指定すると T1 に合わせます。"
    ),
    "tensor-place-unchecked": (
        "テンソルがこの頭部の上にあるかどうか判定できませんでした。"
        "異方性のうち組織で説明できるのは {ratio:.2f} です ({least:g} 必要)。向きの図を確認してください。"
    ),
    "tensor-atlas": (
        "拡散画像は、スキャナーが患者を見た位置ではなく、アトラス (コード {form_code}) にあると書かれています。"
    ),
    "tensor-moved": _moved,
    "tensor-stayed": (
        "拡散テンソルはヘッダーが示す位置のままにしました。"
        "T1 への位置合わせをしても {moved:.1f} mm (最大 {most:.1f} mm) しか動きません。"
    ),
    "tensor-fitted": (
        "テンソルは {images} 枚のうち {used} 枚の拡散画像 (b は最大 {strongest:.0f} s/mm²) にそのまま当てはめました。"
        "体動もエコープラナー画像のゆがみも補正していません。"
    ),
    "tensor-strong-weighting": (
        "テンソルは b が {strongest:.0f} s/mm² までの画像に当てはめました。"
        "{most:.0f} を超えると信号の減衰はテンソルの示すより遅くなり、拡散係数が小さく出ます。"
    ),
}
