"""A ledger in plain words, one statement a line."""

import numpy as np

from neuro_field.clinic.ledger import Ledger, Session
from neuro_field.findings import Finding
from neuro_field.report.sentences import field_line
from neuro_field.report.words import said
from neuro_field.search.plan import Plan

#: A difference between poses solved in full and the ledger, of the planned value, that calls for a warning.
LARGE = 0.01


def ledger_lines(ledger: Ledger, plan: Plan | None = None, findings: tuple[Finding, ...] = ()) -> list[str]:
    """What was planned, every session's mean and worst, and how sure the numbers are.

    Parameters
    ----------
    ledger : Ledger
    plan : Plan, optional
        That it was compared with: its field in the target is told as in its report, by the same statistics.
    findings : tuple of Finding
        Of the comparison; they come first.
    """
    lines = [f"Read first: {said(finding)}" for finding in findings]
    dose = "" if np.isnan(ledger.planned_field) else f", {ledger.planned_field:.1f} V/m at the planned output"
    along = ledger.target.direction is not None
    counted = "mean along the wanted current axis, by which it ranks" if along else "mean |E|"
    where = f"the {ledger.target.side} {ledger.target.name}" if ledger.target.side else "the target"
    lines.append(f"Planned: {ledger.planned:.3f} V/m in {where} at 1 A/µs ({counted}){dose}.")
    if plan is not None:
        lines.append(f"{field_line(plan)} Pulses are told by the {'second' if along else 'first'} of these.")
        apart = abs(ledger.planned / plan.best.verified - 1)
        if apart > LARGE:
            lines.append(
                f"Warning: the planned placement gives {ledger.planned:.3f} V/m here and {plan.best.verified:.3f} in "
                f"the plan, {100 * apart:.1f} % apart: coil or head are not those of the plan."
            )
    lines += [_session_line(ledger, session) for session in ledger.sessions()]
    lifted = ledger.lifts[~ledger.off_head]
    if (lifted > 0).any():
        lines.append(
            f"Note: {np.count_nonzero(lifted > 0)} poses cut the scalp, by up to {lifted.max():.1f} mm; they were "
            "moved back along the coil's axis until it cleared."
        )
    report = ledger.report
    if report.modes:
        lines.append(
            f"Computed by reciprocity from {report.modes} adjoint solves; {report.checked} poses solved in full differ "
            f"by at most {100 * report.largest_difference:.2f} % of the planned value."
        )
        if report.largest_difference > LARGE:
            lines.append("Warning: that difference is large; these poses vary more than the adjoint solves span.")
    else:
        lines.append(f"Every different pose ({report.checked}) was solved in full.")
    return lines


def _session_line(ledger: Ledger, session: Session) -> str:
    off = f"; {session.off_head} with the coil off the head" if session.off_head else ""
    name = session.name or "Session not named"
    if session.worst_pulse < 0:
        return f"{name}: {session.pulses} pulses, all with the coil off the head."
    worst = session.worst_pulse
    field = "" if np.isnan(session.field) else f", {session.field:.1f} V/m on average"
    return (
        f"{name}: {session.pulses} pulses{field}; share of the planned strength: mean {100 * session.mean:.1f} %, "
        f"worst {100 * session.worst:.1f} % ({ledger.markers[worst].name or f'pulse {worst + 1}'}: "
        f"{ledger.distances[worst]:.1f} mm and {ledger.turns[worst]:.0f} degrees from the plan){off}."
    )
