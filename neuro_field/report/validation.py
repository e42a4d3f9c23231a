"""The validation suite as a table and a plot: text and bytes, no files."""

import io
from collections.abc import Sequence

from neuro_field.errors import InputError
from neuro_field.field.validation import ValidationRow

COLUMNS = ("case", "nodes", "edge_mm", "metric", "value", "limit", "passed")

#: Values are drawn no smaller than this share of their limit: laws that hold to the bit have none at all.
_SMALLEST = 1e-4


def validation_table(rows: Sequence[ValidationRow]) -> str:
    """Tab-separated text, one line per row under a header (`COLUMNS`)."""
    lines = ["\t".join(COLUMNS)]
    lines += [
        "\t".join((r.case, str(r.nodes), f"{r.edge:g}", r.metric, f"{r.value:.6g}", f"{r.limit:.6g}", str(r.passed)))
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def validation_plot(rows: Sequence[ValidationRow]) -> bytes:
    """PNG: each error as a share of its limit, on a logarithmic axis; failures in red.

    Raises
    ------
    InputError
        If there are no rows.
    """
    from matplotlib.figure import Figure  # half a second to import

    if not rows:
        raise InputError("There is nothing to plot: the validation has no rows.")
    shares = [max(r.value / r.limit if r.limit else float(r.value > 0), _SMALLEST) for r in rows]
    figure = Figure(figsize=(11, 1.2 + 0.2 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(range(len(rows)), shares, color=["#4878a8" if r.passed else "#c03028" for r in rows])
    for place, row in enumerate(rows):
        axes.annotate(f" {row.value:.2g}", (shares[place], place), va="center", fontsize=7)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(xscale="log", xlim=(_SMALLEST, max(3.0, 2 * max(shares))), xlabel="error as a share of its limit")
    axes.set_yticks(range(len(rows)), [f"{r.case}: {r.metric}" for r in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(f"{sum(r.passed for r in rows)} of {len(rows)} checks against closed forms and laws passed")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()
