"""Of trains and what was tested for safety."""

from collections.abc import Callable, Mapping

from neuro_field.findings import Value

_SOURCE = " (Rossi 2009 table 4 [lit], healthy brains; a lesion raises the risk of a seizure)."


def _what(values: Mapping[str, Value]) -> str:
    """The trains and, as shares of the threshold, the outputs; those that are the same in whole percent together."""
    shares = values["shares"]
    assert isinstance(shares, tuple)
    together: dict[str, list[int]] = {}
    for i, share in enumerate(shares):
        together.setdefault(f"{share:.0%}".replace("%", " %"), []).append(i)
    told = (f"{share} of rMT ({', '.join(f'{{outputs[{i}]}}' for i in places)})" for share, places in together.items())
    return "{hertz:g} Hz at " + ", ".join(told)


def _judged(verdict: str) -> Callable[[Mapping[str, Value]], str]:
    """A verdict on trains, with the row of the table where the frequency has none of its own."""

    def sentence(values: Mapping[str, Value]) -> str:
        row = "" if values["listed"] in (values["hertz"], None) else " at the next frequency listed, {listed:g} Hz"
        return _what(values) + verdict.format(row=row) + _SOURCE

    return sentence


SENTENCES = {
    "envelope-inside": _judged(" in trains of {{seconds:g}} s is within the tested envelope: {{limit:g}} s{row}"),
    "envelope-outside": _judged(" in trains of {{seconds:g}} s is outside the tested envelope: {{limit:g}} s{row}"),
    "envelope-no-length": _judged(
        ": trains to {{limit:g}} s were tested{row}; the length of this protocol's trains is not published"
    ),
    "envelope-too-fast": _judged(" is outside the tested envelope: the table ends at 25 Hz"),
    "envelope-too-strong": _judged(" is outside the tested envelope: the table ends at 130 % of rMT"),
    "envelope-unknown": "Whether the trains lie within the tested envelope is not known: {why}" + _SOURCE,
}
