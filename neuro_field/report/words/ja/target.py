"""Of targets: what became of them on the way from a coordinate to the patient's cortex."""

from collections.abc import Mapping

from neuro_field.findings import Value
from neuro_field.report.words.ja.hemispheres import site


def _lost(values: Mapping[str, Value]) -> str:
    taken = site(values) + "の目標部位では、灰白質の {share:.0%} ({cm3:.1f} cm³) が病変で失われています"
    if values["reach"] is None:
        return taken + "。"
    return taken + "。{reach:g} mm 以内に残っている灰白質はありません。この目標部位は失われています。"


def _no_grey(values: Mapping[str, Value]) -> str:
    return (
        "MNI への対応が示す"
        + site(values)
        + "の位置から {reach:g} mm 以内に灰白質がなく、病変で失われたものでもありません。そこでは対応が誤っています。"
    )


def _no_grey_at_seed(values: Mapping[str, Value]) -> str:
    return (
        "MNI への対応が示す"
        + site(values)
        + "の位置には灰白質がありません。最も近い灰白質まで {mm:.0f} mm で、病変で失われたものでもありません。"
        "対応を確認してください。"
    )


def _moved_far(values: Mapping[str, Value]) -> str:
    return (
        "目標部位は"
        + site(values)
        + "から {moved:.0f} mm (皮質に沿って {along:.0f} mm) 離れています ({least:g} mm 超)。その部位の近くであって、"
        "その部位そのものではありません。その部位の電流の軸は使いません。"
    )


def _other_gyrus(values: Mapping[str, Value]) -> str:
    return (
        "目標部位は"
        + site(values)
        + "から {moved:.0f} mm ですが、皮質に沿うと {along:.0f} mm です。別の脳回または別の壁にあり、"
        "その部位の近くであって、その部位そのものではありません。その部位の電流の軸は使いません。"
    )


def _disagrees(values: Mapping[str, Value]) -> str:
    return (
        "MNI への線形の対応と非線形の対応とで、"
        + site(values)
        + "の目標部位が {mm:.0f} mm 離れます ({least:g} mm 超)。非線形の対応を使います。図で場所を確認してください。"
    )


def _axis(values: Mapping[str, Value]) -> str:
    return (
        site(values) + "の目標部位の電流の軸は、患者自身の脳溝を横切る向きです。"
        "慣用の軸 (前方から正中へ {customary:g} 度) との差は {degrees:.0f} 度です。"
    )


def _axis_customary(values: Mapping[str, Value]) -> str:
    return (
        site(values) + "の目標部位には、一つの軸を持つ脳溝が見つかりません。"
        "電流の軸は慣用の軸 (前方から正中へ {customary:g} 度) です。"
    )


def _axis_implausible(values: Mapping[str, Value]) -> str:
    return (
        site(values) + "の目標部位に最も近い脳溝は、慣用の電流の軸から {degrees:.0f} 度ずれています ({most:g} 度超)。"
        "別の脳溝と考えられるため、慣用の軸 ({customary:g} 度) を使います。"
    )


SENTENCES = {
    "target-lost": _lost,
    "target-no-grey": _no_grey,
    "target-no-grey-at-seed": _no_grey_at_seed,
    "target-moved-far": _moved_far,
    "target-other-gyrus": _other_gyrus,
    "target-map-disagrees": _disagrees,
    "target-beyond-fissure": "マスク {site!s} のうち {cm3:.2f} cm³ は大脳縦裂の向こう側にあり、"
    "{side}の目標部位から除きました。",
    "target-axis-sulcal": _axis,
    "target-axis-customary": _axis_customary,
    "target-axis-implausible": _axis_implausible,
}
