"""Of protocols: what they do to which hemisphere, and what is known for and against it."""

from collections.abc import Mapping

from neuro_field.findings import Value
from neuro_field.report.words.ja.hemispheres import hemisphere_with

_MODELS = (
    "どちらのモデルも単純化されたもので、構造的な余力が決め手になります (二峰性の均衡回復モデル、Di Pino 2014 [src])。"
    "両側を計画し、選択は医師に委ねます。"
)


def _models(values: Mapping[str, Value]) -> str:
    inhibiting, exciting = (f"{hemisphere_with('の', values)}{what}" for what in ("抑制", "興奮"))
    supports = {
        (
            "contralesional",
            "inhibits",
        ): f"{inhibiting}は半球間競合モデルで支持されますが、病側大脳半球がわずかしか残っていない場合、"
        "代償モデルはこれに反対します。",
        (
            "ipsilesional",
            "excites",
        ): f"{exciting}は半球間競合モデルで支持されます。興奮させるだけの部分が残っていることが必要です。",
        (
            "contralesional",
            "excites",
        ): f"{exciting}は、病側大脳半球がわずかしか残っていない場合に代償モデルで支持されますが、"
        "半球間競合モデルはこれに反対します。",
        ("ipsilesional", "inhibits"): f"{inhibiting}は、半球間競合モデルでも代償モデルでも支持されません。",
    }
    found = supports.get((str(values["role"]), str(values["effect"])))
    return f"{found or 'このプロトコルが大脳半球に何をするかはわかっていません。'}{_MODELS}"


def _without_mep(values: Mapping[str, Value]) -> str:
    return (
        f"病側大脳半球の運動誘発電位がありません。{hemisphere_with('を', values)}抑制すると、残っている機能"
        "を支えているものを損なう可能性があります (二峰性の均衡回復モデル、Di Pino 2014 [src])。"
    )


def _mep(values: Mapping[str, Value]) -> str:
    return {
        "present": "病側大脳半球の運動誘発電位があり、構造的な余力を示します。"
        "この場合は半球間競合モデルの重みが増します。",
        "absent": "病側大脳半球の運動誘発電位がなく、余力の乏しさを示します。この場合は代償モデルの重みが増します。",
        "untested": "病側大脳半球の運動誘発電位は検査されていません。構造的な余力はわかりません。",
    }[str(values["mep"])]


SENTENCES = {
    "preset-both-in-turn": "{preset} は両側を順に刺激します。どちらのコイルの位置と向きもこのプロトコルのものです。",
    "preset-inhibits-without-mep": _without_mep,
    "preset-recovery-models": _models,
    "preset-mep": _mep,
    "preset-fma-ue": "Fugl-Meyer 上肢評価: {fma_ue:g} / 66。この点数で側を決める基準は、ここでは使いません。",
}
