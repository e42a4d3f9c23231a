"""Of pages and folders that show whose head it is, or were made not to."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _shows_face(values: Mapping[str, Value]) -> str:
    image = {"t1": "T1 画像", "tissues": "頭部の組織"}.get(str(values["image"]))
    held = f"頭部の表面と{image}" if image else "頭部の図"
    return (
        f"このページには患者の顔が含まれています。{held}があり、本人とわかる可能性があります。患者データとして扱ってく"
        "ださい。neuro-field report --faceless で顔のないページを作れます。"
    )


def _head_shows_face(values: Mapping[str, Value]) -> str:
    also = " (同じフォルダーの T1.nii.gz にも)" if values["t1"] else ""
    return (
        f"このページには患者の顔が含まれています{also}。図から本人とわかる可能性があります。患者データとして扱ってくだ"
        "さい。neuro-field head --faceless で顔のないページを作れます。"
    )


def _head_faceless(values: Mapping[str, Value]) -> str:
    held = "T1.nii.gz と head.msh" if values["t1"] else "head.msh"
    return (
        "このページの図からは顔を除いてあります (耳より前、眉より下。脳と脳脊髄液は残してあります)。同じフォルダーの "
        f"{held} には顔が残っています。フォルダーを他の人に渡さないでください。"
    )


def _mesh_unfaithful(values: Mapping[str, Value]) -> str:
    labels, mesh = float(str(values["labels_cm3"])), float(str(values["mesh_cm3"]))
    more = "多い" if mesh > labels else "少ない"
    return (
        f"メッシュの{{tissue}}はラベルより {abs(mesh / labels - 1):.0%} {more}です ({{labels_cm3:.1f}} cm³ に対し "
        f"{{mesh_cm3:.1f}} cm³)。"
        "--edge をもっと短くしてください。"
    ).replace("%", " %")


SENTENCES = {
    "page-shows-face": _shows_face,
    "page-faceless": "このページからは顔を除いてあります。耳より前、眉より下では、脳と脳脊髄液だけを示しています。"
    "頭蓋骨と脳の形は一人の人のものであることに変わりありません。",
    "page-pictures-left-out": "顔のわかる図はこのページから除きました。以前に描かれたもので、"
    "計画のフォルダーからは描き直せません。",
    "page-serves-face": "このページには患者の顔が表示されます。見てよい人以外に画面を見せないでください。",
    "page-head-shows-face": _head_shows_face,
    "page-head-faceless": _head_faceless,
    "page-head-mesh-unfaithful": _mesh_unfaithful,
    "page-head-flat-element": (
        "メッシュの最も平たい要素では、面と面の角度が {angle:.1f} 度です (通常は 5 度以上)。"
        "その要素と周囲の電場は精度が落ちます。"
    ),
}
