"""Of the plans of one patient."""

from collections.abc import Mapping

from neuro_field.findings import Value
from neuro_field.report.words.ja.hemispheres import hemisphere_with

_VOLUMES = "左 {left_cm3:.1f} cm³、右 {right_cm3:.1f} cm³"


def _hot_spot(values: Mapping[str, Value]) -> str:
    parts = (("right", "右へ", "左へ"), ("anterior", "前へ", "後ろへ"), ("superior", "上へ", "下へ"))
    where = [
        f"{more if float(str(values[name])) > 0 else less} {abs(float(str(values[name]))):.0f} mm"
        for name, more, less in parts
        if abs(float(str(values[name]))) >= 0.5
    ]
    far = "発表されている範囲より離れています。この頭部の座標系の値であるか確認してください。"
    return (
        "{side}大脳半球の手の運動野は、測定された場所を目標にします。予想される場所から {distance:.0f} mm です ("
        + ("、".join(where) or "同じ場所")
        + ")。"
        + (far if float(str(values["distance"])) > 20 else "")
    )


def _no_such_role(values: Mapping[str, Value]) -> str:
    return f"{hemisphere_with('の', values, '{role}')}計画はありません。このプリセットでは作りません。"


SENTENCES = {
    "study-lesion-on-both-sides": f"病変が両側にあります ({_VOLUMES})。無傷の大脳半球はありません。麻痺手が{{hand}}で"
    "あることから、{affected}大脳半球を障害側とします。",
    "study-side-by-hand": "病変の場所からは、どちらの大脳半球が障害されたかがわかりません。"
    "麻痺手が{hand}であることから、{affected}大脳半球を障害側とします。",
    "study-lesion-little-across": f"病変の小さな部分が反対側の大脳半球にあります ({_VOLUMES})。",
    "study-hot-spot": _hot_spot,
    "study-hot-spot-alone": "{side}大脳半球の手の運動野は、測定された場所を目標にします。"
    "予想される場所はわかりません。",
    "study-no-such-role": _no_such_role,
    "study-one-target-missing": "両側を同時に計画できません。一方の目標部位がありません。",
}
