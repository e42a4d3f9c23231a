"""Of trains and what was tested for safety."""

from collections.abc import Callable, Mapping

from neuro_field.findings import Value

_SOURCE = " (Rossi 2009 表4 [lit]。健常脳での値であり、病変があるとけいれん発作の危険が高まります)。"


def _what(values: Mapping[str, Value]) -> str:
    """The trains and, as shares of the threshold, the outputs; those that are the same in whole percent together."""
    shares = values["shares"]
    assert isinstance(shares, tuple)
    together: dict[str, list[int]] = {}
    for i, share in enumerate(shares):
        together.setdefault(f"{share:.0%}".replace("%", " %"), []).append(i)
    told = (f"rMT の {share} ({'、'.join(f'{{outputs[{i}]}}' for i in places)})" for share, places in together.items())
    return "{hertz:g} Hz、" + "、".join(told)


def _judged(verdict: str) -> Callable[[Mapping[str, Value]], str]:
    """A verdict on trains, with the row of the table where the frequency has none of its own."""

    def sentence(values: Mapping[str, Value]) -> str:
        row = "" if values["listed"] in (values["hertz"], None) else " (表にある次の頻度 {listed:g} Hz)"
        return _what(values) + verdict.format(row=row) + _SOURCE

    return sentence


SENTENCES = {
    "envelope-inside": _judged("、1回 {{seconds:g}} 秒の連続刺激は、試験された範囲 {{limit:g}} 秒{row}以内です"),
    "envelope-outside": _judged("、1回 {{seconds:g}} 秒の連続刺激は、試験された範囲 {{limit:g}} 秒{row}を超えています"),
    "envelope-no-length": _judged(
        "では、{{limit:g}} 秒までの連続刺激が試験されています{row}。このプロトコルの連続刺激の長さは発表されていません"
    ),
    "envelope-too-fast": _judged("は、試験された範囲を超えています。表は 25 Hz までです"),
    "envelope-too-strong": _judged("は、試験された範囲を超えています。表は rMT の 130 % までです"),
    "envelope-unknown": "連続刺激が試験された範囲にあるかどうかはわかりません。{why}" + _SOURCE,
}
