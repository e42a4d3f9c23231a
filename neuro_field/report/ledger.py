"""A ledger in plain words, one statement a line."""

import numpy as np

from neuro_field.clinic.ledger import Ledger, Session
from neuro_field.findings import Finding
from neuro_field.report.sentences import field_line, target_title
from neuro_field.report.words import phrase, said
from neuro_field.search.plan import Plan

#: A difference between poses solved in full and the ledger, of the planned value, that calls for a warning.
LARGE = 0.01


def ledger_lines(
    ledger: Ledger, plan: Plan | None = None, findings: tuple[Finding, ...] = (), language: str = "en"
) -> list[str]:
    """What was planned, every session's mean and worst, and how sure the numbers are.

    Parameters
    ----------
    ledger : Ledger
    plan : Plan, optional
        That it was compared with: its field in the target is told as in its report, by the same statistics.
    findings : tuple of Finding
        Of the comparison; they come first.
    language : str
    """
    lines = [phrase("level.warn", language, text=said(finding, language)) for finding in findings]
    lines += _planned(ledger, plan, language)
    lines += [_session_line(ledger, session, language) for session in ledger.sessions()]
    lifted = ledger.lifts[~ledger.off_head]
    if (lifted > 0).any():
        poses = int(np.count_nonzero(lifted > 0))
        lines.append(phrase("ledger.lifted", language, poses=poses, most=float(lifted.max())))
    report = ledger.report
    if report.modes:
        told = {"modes": report.modes, "checked": report.checked, "difference": report.largest_difference}
        lines.append(phrase("ledger.reciprocity", language, **told))
        if report.largest_difference > LARGE:
            lines.append(phrase("ledger.difference-large", language))
    else:
        lines.append(phrase("ledger.full", language, checked=report.checked))
    return lines


def _planned(ledger: Ledger, plan: Plan | None, language: str) -> list[str]:
    """What was planned, and whether the plan says the same."""
    target, along = ledger.target, ledger.target.direction is not None
    where = phrase("ledger.target", language)
    if target.side:
        where = phrase("ledger.of-target", language, target=target_title(target, language))
    known = not np.isnan(ledger.planned_field)
    dose = phrase("ledger.dose", language, field=ledger.planned_field) if known else ""
    counted = phrase(f"ledger.{'along' if along else 'magnitude'}", language)
    lines = [phrase("ledger.planned", language, planned=ledger.planned, where=where, counted=counted, dose=dose)]
    if plan is None:
        return lines
    which = phrase(f"ledger.{'second' if along else 'first'}", language)
    lines.append(f"{field_line(plan, language)} {which}")
    apart = abs(ledger.planned / plan.best.verified - 1)
    if apart > LARGE:
        told = {"planned": ledger.planned, "solved": plan.best.verified, "apart": apart}
        lines.append(phrase("ledger.apart", language, **told))
    return lines


def _session_line(ledger: Ledger, session: Session, language: str) -> str:
    name, worst = session.name or phrase("ledger.unnamed", language), session.worst_pulse
    if worst < 0:
        return phrase("ledger.session-all-off", language, name=name, pulses=session.pulses)
    known = not np.isnan(session.field)
    return phrase(
        "ledger.session", language, name=name, pulses=session.pulses, mean=session.mean, worst=session.worst,
        field=phrase("ledger.session-field", language, field=session.field) if known else "",
        off=phrase("ledger.session-off", language, off=session.off_head) if session.off_head else "",
        at=ledger.markers[worst].name or phrase("ledger.pulse", language, pulse=worst + 1),
        distance=ledger.distances[worst], turn=ledger.turns[worst],
    )  # fmt: skip
