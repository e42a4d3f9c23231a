"""Of the images a head is made of: which world they lie in, and whether they belong together."""

from collections.abc import Mapping

from neuro_field.findings import Value

#: What the codes of a form that is an atlas's mean (nifti1.h).
_ATLASES = {3: "Talairach 空間", 4: "MNI 空間", 5: "テンプレートの空間"}

_IMAGES = {"t1": "T1", "labels": "ラベル", "lesion": "病変マスク"}


def _atlas(values: Mapping[str, Value]) -> str:
    code = values["form_code"]
    return _ATLASES.get(code, "テンプレートの空間") if isinstance(code, int) else "テンプレートの空間"


def _atlas_form(values: Mapping[str, Value]) -> str:
    return (
        f"{_IMAGES[str(values['image'])]}には二つの位置が書かれています。使うのは患者自身の位置で、もう一つ ("
        f"{{other}}) は"
        f"{_atlas(values)}の位置です (最大 {{apart:.1f}} mm 離れ、大きさは {{size:.2f}} 倍)。ナビゲーターが患者自身の"
        "位置を使っていることを確認してください。"
    )


def _atlas_only(values: Mapping[str, Value]) -> str:
    return (
        f"{_IMAGES[str(values['image'])]}は患者自身の空間ではなく、{_atlas(values)}にあります。そこへ変換された画像で"
        "あれば、頭部は患者の大きさではなく (約 10 % 長くなります)、どのナビゲーターの座標とも合いません。"
        "スキャナーが作ったままの画像を使ってください。"
    )


SENTENCES = {
    "lesion-in-atlas": (
        "病変マスクは、書かれている位置 (明るさの {given:.2f} を説明) よりも、"
        "MNI 空間で描かれたとしたほうが ({in_atlas:.2f})、T1 によく合います。位置の差は {apart:.0f} mm です。"
        "病変の上にあるか確認してください。"
    ),
    "image-atlas-form": _atlas_form,
    "image-atlas-only": _atlas_only,
    "image-labels-unlike-t1": (
        "ラベルが T1 をほとんど説明しません (分散の {ratio:.2f}。通常は {least:.2f} 以上)。別の画像のラベルか、"
        "T1 でない画像かもしれません。図を確認してください。"
    ),
}
