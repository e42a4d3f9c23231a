"""The page of a ledger: where the coil stood over a course against the plan, and what the target got."""

from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.clinic.ledger import Ledger
from neuro_field.coil.clock import direction_at
from neuro_field.report.card_pictures import hull_of, zone_feet
from neuro_field.report.facts import HeadFacts
from neuro_field.report.markup import rendered
from neuro_field.report.words import phrase
from neuro_field.search.plan import Plan

#: More pulses than this are not drawn one by one; they are thinned evenly.
MOST = 600

#: Length of a drawn handle as a share of the picture's half width.
_HANDLE = 0.12

#: Largest half width of the picture of places, mm: what lies farther is off the head's side that was planned.
_WIDEST = 160.0


def ledger_page(
    ledger: Ledger, plan: Plan, facts: HeadFacts, lines: Iterable[str], *, subject: str = "", language: str = "en"
) -> str:
    """The page as HTML, self-contained and without scripts.

    Parameters
    ----------
    ledger : Ledger
    plan : Plan
        That it was compared with.
    facts : HeadFacts
        Of the plan's head: its axes.
    lines : iterable of str
        The ledger in words.
    subject : str
        Label of the patient, no name.
    language : str
    """
    shown = _shown(ledger)
    pulses = int((~ledger.off_head).sum())
    return rendered(
        "ledger.html.j2",
        language=language,
        subject=subject,
        places=places_picture(
            ledger, plan, facts, phrase("ledger-page.nose", language), phrase("ledger-page.places", language)
        ),
        places_say=_places_say(ledger, plan, language),
        some=phrase("ledger-page.some", language, all=pulses, shown=len(shown)) if len(shown) < pulses else "",
        course=course_picture(ledger, phrase("ledger-page.planned", language), phrase("ledger-page.course", language)),
        rows=list(_rows(ledger, language)),
        lines=list(lines),
    )


def _places_say(ledger: Ledger, plan: Plan, language: str) -> str:
    step = _step(_width(ledger))
    if plan.zone is None:
        return phrase("ledger-page.places-plain", language, step=step)
    return phrase("ledger-page.places-say", language, step=step, kept=plan.zone.kept)


def _sessions(ledger: Ledger) -> list[tuple[str, AnyArray]]:
    """Names of sessions and which pulses over the head each has."""
    names = list(dict.fromkeys(marker.session for marker in ledger.markers))
    of_pulse = np.array([names.index(marker.session) for marker in ledger.markers])
    return [(name, np.flatnonzero((of_pulse == i) & ~ledger.off_head)) for i, name in enumerate(names)]


def _rows(ledger: Ledger, language: str) -> Iterable[dict[str, Any]]:
    for number, ((name, there), session) in enumerate(zip(_sessions(ledger), ledger.sessions(), strict=True), start=1):
        known = len(there) > 0
        yield {
            "number": number,
            "session": name or phrase("ledger-page.unnamed", language),
            "pulses": session.pulses,
            "off": session.off_head,
            "distance": f"{ledger.distances[there].mean():.1f}" if known else "-",
            "turn": f"{ledger.turns[there].mean():.0f}" if known else "-",
            "share": f"{100 * session.mean:.0f} %" if known else "-",
            "worst": f"{100 * session.worst:.0f} %" if known else "-",
            "field": f"{session.field:.1f}" if np.isfinite(session.field) else "-",
        }


def _shown(ledger: Ledger) -> AnyArray:
    """Which pulses are drawn."""
    there = np.flatnonzero(~ledger.off_head)
    return there if len(there) <= MOST else there[np.linspace(0, len(there) - 1, MOST).astype(int)]


def _width(ledger: Ledger) -> float:
    """Half the width of the picture of places, mm."""
    farthest = float(ledger.distances[~ledger.off_head].max(initial=0.0))
    return min(max(1.15 * farthest, 20.0), _WIDEST)


def _step(width: float) -> float:
    """Between rings, mm."""
    return next(step for step in (5.0, 10.0, 20.0, 50.0) if step * 5 >= width)


def places_picture(ledger: Ledger, plan: Plan, facts: HeadFacts, nose: str, alt: str = "") -> str:
    """Delivered places around the planned one, in the plane of the scalp there, as SVG; up is towards the nose."""
    best, forwards = plan.best.placement, np.asarray(facts.axes)[1]
    up = direction_at(0.0, -best.axis, forwards)
    up = np.asarray(best.head_from_coil[:3, 1] if up is None else up)
    across = np.cross(up, -best.axis)

    def flat(points: FloatArray, origin: FloatArray = best.center) -> FloatArray:
        away = np.atleast_2d(points) - origin
        return np.stack([away @ across, -(away @ up)], axis=1)

    width = _width(ledger)
    parts = [f'<circle class="ring" r="{ring:g}"/>' for ring in np.arange(_step(width), width, _step(width))]
    if plan.zone is not None:
        listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in hull_of(flat(zone_feet(plan))))
        parts.append(f'<polygon class="zone" points="{listed}"/>')
    size = width / 100
    if not plan.handle_free:
        end = flat(best.handle_direction, np.zeros(3))[0] * 3 * _HANDLE * width
        parts.append(f'<line class="planned" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>')
    for i in _shown(ledger):
        placement = ledger.markers[i].placement
        x, y = flat(placement.center)[0]
        dx, dy = flat(placement.handle_direction, np.zeros(3))[0] * _HANDLE * width
        if not plan.handle_free:
            parts.append(f'<line class="pulse" x1="{x:.1f}" y1="{y:.1f}" x2="{x + dx:.1f}" y2="{y + dy:.1f}"/>')
        parts.append(f'<circle class="pulse" cx="{x:.1f}" cy="{y:.1f}" r="{1.2 * size:.2f}"/>')
    arm = 4 * size
    parts.append(f'<path class="cross" d="M{-arm:.1f} 0H{arm:.1f}M0 {-arm:.1f}V{arm:.1f}"/>')
    for number, (_, there) in enumerate(_sessions(ledger), start=1):
        if len(there):
            x, y = np.mean([flat(ledger.markers[i].placement.center)[0] for i in there], axis=0)
            parts.append(_text(x + 4 * size, y - 3 * size, str(number), 7 * size))
    parts.append(_text(0.0, -width + 6 * size, nose, 6 * size))
    box = f"{-width:.1f} {-width:.1f} {2 * width:.1f} {2 * width:.1f}"
    style = f"--thin: {0.5 * size:.2f}px; --thick: {1.6 * size:.2f}px"
    return (
        f'<svg class="places" role="img" aria-label="{escape(alt)}" viewBox="{box}" style="{style}">'
        f"{''.join(parts)}</svg>"
    )


def course_picture(ledger: Ledger, planned: str, alt: str = "") -> str:
    """Each session's share of the planned field: mean, least and most, as SVG."""
    sessions = _sessions(ledger)
    shares = ledger.shares[~ledger.off_head]
    top = max(1.1, 1.05 * float(shares.max(initial=0.0)))
    low = min(0.0, float(shares.min(initial=0.0)))
    height, pitch, left, right = 120.0, 24.0, 34.0, 40.0
    width = left + pitch * max(len(sessions), 6) + right

    def level(share: float) -> float:
        return 6 + height * (top - share) / (top - low)

    parts = []
    for share in np.arange(np.ceil(low / 0.25) * 0.25, top + 1e-9, 0.25):
        y, name = level(float(share)), "planned" if abs(share - 1) < 1e-9 else "ring"
        parts.append(f'<line class="{name}" x1="{left:.0f}" y1="{y:.1f}" x2="{width - right:.0f}" y2="{y:.1f}"/>')
        parts.append(_text(left - 3, y + 3, f"{100 * share:.0f} %", 8, "end"))
    parts.append(_text(width - right + 3, level(1.0) + 3, planned, 8, "start"))
    for number, (_, there) in enumerate(sessions, start=1):
        x = left + pitch * (number - 0.5)
        parts.append(_text(x, height + 16, str(number), 9))
        if len(there):
            own = ledger.shares[there]
            least, most, mean = level(own.min()), level(own.max()), level(own.mean())
            parts.append(f'<line class="range" x1="{x:.1f}" y1="{most:.1f}" x2="{x:.1f}" y2="{least:.1f}"/>')
            parts.append(f'<circle class="mean" cx="{x:.1f}" cy="{mean:.1f}" r="3.5"/>')
    return (
        f'<svg class="course" role="img" aria-label="{escape(alt)}" viewBox="0 0 {width:.0f} {height + 22:.0f}" '
        f'style="--thin: 0.6px; --thick: 1.4px">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, size: float, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
