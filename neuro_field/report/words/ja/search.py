"""Of placements searched and ranked, of the zone around the best, and of what conductivities do to them."""

from collections.abc import Mapping

from neuro_field.findings import Value
from neuro_field.report.words.ja.hemispheres import hemisphere, hemisphere_with


def _best(values: Mapping[str, Value]) -> str:
    """The placement that is spoken of, with the hemisphere it belongs to where that is told."""
    return f"{hemisphere_with('の', values)}最良の位置と向き"


def _on(values: Mapping[str, Value]) -> str:
    told = hemisphere(values)
    return f"{told}: " if told else ""


def _lifted(values: Mapping[str, Value]) -> str:
    return (
        f"{_best(values)}では、コイルが頭皮に当たらないように {{lift:.0f}} mm 離れています。探索した範囲のほかの場所で"
        f"は {{least:.0f}} mm で"
        "足ります。頭皮から離れたコイルは保持しにくく、ずれやすくなります。図を見て、"
        "もっと平らに当てられる位置と比べてください。"
    )


def _stronger_elsewhere(values: Mapping[str, Value]) -> str:
    where = "" if values.get("away") is None else "目標部位の中心から {away:.0f} mm の所で "
    return (
        f"{_best(values)}では、目標部位より強い電場がほかの場所に生じます。{where}{{elsewhere:.3f}} V/m ("
        f"{{beyond:.0f}} mm より遠い"
        "灰白質の 99.9 百分位) に対し、目標部位は {target:.3f} V/m (平均) です (いずれも 1 A/µs)。"
    )


def _stopped(values: Mapping[str, Value]) -> str:
    if values.get("radius") is None:
        return f"{_best(values)}は、コイルが届く頭皮の端にあり、その先にもっとよい位置があります。"
    return (
        f"{_best(values)}は探索範囲の端 (目標部位の上の点から {{radius:.0f}} mm) にあり、その先にもっとよい位置があり"
        "ます。半径を大きくして探索し直してください。"
    )


def _open(values: Mapping[str, Value]) -> str:
    return (
        f"{_best(values)}の {{kept:.0%}} を保つ許容範囲は探索範囲の端に達しており、その先まで続いている可能性がありま"
        "す。"
    )


def _aside(values: Mapping[str, Value]) -> str:
    return (
        f"{_best(values)}では、目標部位の電場のうち望ましい軸に沿う成分は {{along:.0%}} だけです。脳のひだまたは病変が"
        "向きを変えています。電場強度だけで選んだ位置と向きと比べてください。"
    )


def _differs(values: Mapping[str, Value]) -> str:
    return (
        f"{_on(values)}順位づけの電場と完全に解いた電場が最大 {{difference:.1%}} 異なります。解いた値を信用してくださ"
        "い。"
    )


def _one(values: Mapping[str, Value]) -> str:
    return (
        f"{_on(values)}目標部位の電場は、{{positions}} か所の位置とすべてのハンドルの向きの中で極大が一つだけです。狙"
        "う位置と向きは一つで、その周りにほぼ同じくらいよい許容範囲があります。"
    )


def _free(values: Mapping[str, Value]) -> str:
    return (
        "このコイルは円形です。ハンドルを回しても変わらないため、ハンドルの向きは勧めません。"
        "コイルの縁の下の電流は巻線に沿って流れます。"
    )


#: A loss that matters, as a share of the field: less is left unsaid.
_MATTERS = 0.005


def _each(name: str, spec: str, values: Mapping[str, Value], *, least: float | None = None) -> str:
    """Values by the conductivity of the cavity, as in "0.8 S/m で 5.0 %"; those below ``least`` are left out."""
    told, cavity = values[name], values.get("lesion_values")
    assert isinstance(told, tuple)
    if not cavity:
        return f"{{{name}[0]:{spec}}}"
    kept = [i for i, each in enumerate(told) if least is None or (isinstance(each, float) and each >= least)]
    return "、".join(f"{{lesion_values[{i}]:g}} S/m で {{{name}[{i}]:{spec}}}" for i in kept)


def _in_cavity(values: Mapping[str, Value]) -> str:
    return "病変の空洞の導電率が " if values.get("lesion_values") else ""


def _cavity(values: Mapping[str, Value]) -> str:
    decided = "どの位置と向きが最良か" if values.get("moved") else "目標部位の電場の強さ"
    costs = _each("lost", ".1%", values, least=_MATTERS)
    cost = f"。この位置と向きを保つと失う電場は、{costs} に達します (95 百分位)" if costs else ""
    return (
        f"病変の空洞の導電率は不明で、{decided}がそれによって変わります。{_best(values)}の電場は、1 A/µs で V/m を単位"
        "として、"
        f"{_each('medians', '.3f', values)} です (中央値){cost}。確立した値はありません。"
    )


def _costly(values: Mapping[str, Value]) -> str:
    costs = _each("lost", ".1%", values, least=_MATTERS)
    return (
        f"組織の導電率が違うと最良の場所が動きます。{_best(values)}を保つと失う電場は、{_in_cavity(values)}{costs} に"
        "達します (95 百分位)。"
    )


def _first(values: Mapping[str, Value]) -> str:
    shares = _each("first", ".0%", values)
    return (
        f"{_best(values)}が一覧の中で1位のままなのは、導電率の抽出のうち、{_in_cavity(values)}{shares} だけです。上位"
        "の位置と向きは同等と考えてください。"
    )


def _reduced(values: Mapping[str, Value]) -> str:
    return (
        f"{_on(values)}導電率を変えたときの電場は、完全に解いた値と最大 {{error:.1%}} 異なります。安定性はこれを踏まえ"
        "て読んでください。"
    )


SENTENCES = {
    "search-lifted": _lifted,
    "search-stronger-elsewhere": _stronger_elsewhere,
    "search-stopped-at-rim": _stopped,
    "search-aside-of-axis": _aside,
    "search-solved-differs": _differs,
    "search-one-maximum": _one,
    "search-handle-free": _free,
    "zone-open": _open,
    "stability-cavity-decides": _cavity,
    "stability-costly": _costly,
    "stability-first-open": _first,
    "stability-reduced": _reduced,
}
