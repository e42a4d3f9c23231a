"""The report of a study: one HTML page that holds everything it shows and asks nothing of any network."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.aim.atlas import other_side
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.study import Study
from neuro_field.coil.coil import Coil
from neuro_field.errors import FileFormatError, InputError
from neuro_field.field.field import SolveReport
from neuro_field.findings import Finding
from neuro_field.head.face import Face
from neuro_field.head.tissues import BY_TAG
from neuro_field.report import sentences
from neuro_field.report.beside import beside
from neuro_field.report.card import card_of, signed_off
from neuro_field.report.directions import direction_words, point_words, turn_words
from neuro_field.report.facts import Facts, HeadFacts, TissueFigures
from neuro_field.report.interactive import colour_ramp, interactive_page, scripts
from neuro_field.report.interactive import without_face as shown_without_face
from neuro_field.report.kept import Kept
from neuro_field.report.markup import rendered
from neuro_field.report.scene import COLOURS
from neuro_field.report.surety import sure_lines, sure_rows, varied_words
from neuro_field.report.words import listed, named, phrase, said, worded
from neuro_field.search.plan import Candidate, Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Pictures of a plan, as `pictures.study_pictures` names them.
DRAWN = ("side", "above", "cortex", "positions")

#: Of a folder whose pictures and view were made without the face; it stands at the head of the page.
FACELESS = "page-faceless"

#: Pictures of more points are not opened.
LARGEST_PICTURE = 30_000_000


def study_page(kept: Kept, language: str = "en") -> str:
    """The report as HTML.

    Returns
    -------
    str
        Self-contained: style, pictures and scripts are inside, and it forbids the browser any request.
    """
    study, head = kept.study, kept.facts.head
    images = {name: embedded(data) for name, data in kept.pictures.items()}
    if isinstance(study, Study):
        whole, title = study, worded(study.preset.title, language)
        parts = _study_parts(study, kept.facts, images, language)
    else:
        whole, title = None, phrase("page.target", language, target=sentences.target_title(study.target, language))
        parts = [_part(study, kept.facts, images, "", phrase("page.best", language), language)]
    warnings = [*sentences.told(study, "stop", language), *sentences.told(study, "warn", language)]
    coil = study.coil
    return rendered(
        "page.html.j2",
        language=language,
        title=title,
        card=card_of(kept, language),
        study=whole,
        sides="" if whole is None else _sides(whole, language),
        protocol={} if whole is None else _protocol(whole, language),
        lesion=_lesion(whole, language),
        answers=_answers(whole, language),
        parts=parts,
        **_tables(parts, language),
        warnings=[*warnings, *_said(kept.remarks, "warn", language)],
        notes=[*sentences.told(study, "note", language), *_said(kept.remarks, "note", language)],
        old_words=kept.old_words,
        coil=_coil(coil, language),
        coil_name=coil.name if coil is not None else phrase("page.not-known", language),
        head=_head(head, language),
        varied=varied_words(language),
        view=_view(kept, language),
        face=_face(kept, language),
        made=kept.written,
    )


def card_page(kept: Kept, language: str = "en") -> str:
    """The operator's card alone as HTML: self-contained, without scripts, one A4 side when printed."""
    return rendered("card.html.j2", language=language, card=card_of(kept, language))


def _sides(study: Study, language: str) -> str:
    """Which hemisphere is which, and the hand that is paretic: always the one that the affected hemisphere moves."""
    if study.affected is None:
        return ""
    spared = other_side(study.affected)
    return phrase("page.sides", language, hand=spared, spared=spared, affected=study.affected)


def _face(kept: Kept, language: str) -> str:
    """That the page shows a face, or was made not to; nothing of one that shows no head."""
    if any(finding.code == FACELESS for finding in kept.remarks):
        return said(Finding(FACELESS, "note"), language)
    if kept.view is None and not kept.pictures:
        return ""
    image = None if kept.view is None else kept.view["image"]["what"]
    return said(Finding("page-shows-face", "note", {"image": image}), language)


def without_face(kept: Kept) -> Kept:
    """What a page without the face is made from; pictures that were drawn with it are left out, and that is said.

    Raises
    ------
    InputError
        If the plan's folder does not know where the face is: its head had no map to MNI, or its scalp ends above it.
    """
    if any(finding.code == FACELESS for finding in kept.remarks) or (kept.view is None and not kept.pictures):
        return kept
    view = kept.view
    if view is not None:
        try:
            view = shown_without_face(view, Face.between(kept.facts.head.landmarks))
        except InputError as error:
            raise InputError(
                f"The face cannot be left out, for nothing in the plan's folder says where it is. {error}"
            ) from None
    pictures = {name: data for name, data in kept.pictures.items() if name.endswith("cortex")}
    left_out = (Finding("page-pictures-left-out", "note"),) if len(pictures) < len(kept.pictures) else ()
    return replace(kept, view=view, pictures=pictures, remarks=(*kept.remarks, *left_out, Finding(FACELESS, "note")))


def _said(findings: Iterable[Finding], level: str, language: str) -> list[str]:
    return [said(each, language) for each in findings if each.level == level and each.code != FACELESS]


def _view(kept: Kept, language: str) -> dict[str, Any] | None:
    """What the view that can be turned needs; None for a plan that keeps nothing to show."""
    if kept.view is None:
        return None
    study = kept.study
    if isinstance(study, Plan):
        titles = {"plan": phrase("page.best", language)}
    else:
        planned = [role for role in sentences.roles(study) if role in study.plans]
        titles = {role: sentences.role_title(study, role, language) for role in planned}
    return {
        "data": interactive_page(kept.view, titles, language),
        "scripts": scripts(),
        "ramp": colour_ramp(),
        "inks": COLOURS,
        "image": phrase(f"view.image-{kept.view['image']['what']}", language),
        "lesion": kept.view["lesion"] is not None,
    }


def embedded(picture: bytes, longest: int | None = None) -> str:
    """A PNG as the source of an image: in WebP, a tenth of its size; made smaller to ``longest`` points a side."""
    from PIL import Image, UnidentifiedImageError  # comes with pyvista

    out = io.BytesIO()
    try:
        opened = Image.open(io.BytesIO(picture), formats=["PNG"])
        if opened.width * opened.height > LARGEST_PICTURE:
            raise FileFormatError(f"A picture of the plan has {opened.width} x {opened.height} points: too many.")
        shown = opened.convert("RGB")
        if longest is not None:
            shown.thumbnail((longest, longest))
        shown.save(out, format="WEBP", quality=90)
    except (OSError, SyntaxError) as error:
        reason = "it is no PNG" if isinstance(error, UnidentifiedImageError) else str(error)[:80]
        raise FileFormatError(f"A picture of the plan is damaged: {reason}.") from None
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def _study_parts(study: Study, facts: Facts, images: Mapping[str, str], language: str) -> list[dict[str, Any]]:
    """One part of the page for each hemisphere, the preset's own first."""
    parts = []
    for role in sentences.roles(study):
        title = sentences.role_title(study, role, language)
        part = _part(getattr(study, role), facts, images, role, title, language, study.doses.get(role))
        why = said(study.why[role], language) if role in study.why else ""
        part |= {"own": sentences.is_own(study, role), "why": why}
        parts.append(part)
    return parts


def _part(
    plan: Plan | None, facts: Facts, images: Mapping[str, str], role: str, title: str, language: str,
    dose: Dose | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What the page says of one plan."""
    part: dict[str, Any] = {"title": title, "own": True, "plan": plan, "why": ""}
    part["pictures"] = {name: images.get(f"{role}_{name}" if role else name) for name in DRAWN}
    part["id"] = role or "plan"
    if plan is None:
        return part
    part["statistic"] = sentences.statistic(plan.target, language)
    part["magnitude"] = sentences.magnitude_statistic(plan.target, language)
    told = facts.plans.get(part["id"])
    strongest = told.strongest if told is not None else None
    told_by_tape = any(finding.code == "tape-electrode" for finding in plan.tape)
    part["lines"] = sentences.answer_lines(plan, facts.head, dose=dose, told=told_by_tape, language=language)
    part["why_lines"] = sentences.why_lines(plan, facts.head, strongest, language)
    part["tape"] = sentences.tape_lines(plan, language)
    part["rows"] = [_row(i, candidate, plan, facts.head, language) for i, candidate in enumerate(plan.ranking, start=1)]
    part["sure"], part["sure_rows"] = sure_lines(plan, language), sure_rows(plan)
    part["alts"] = _alts(plan, title, facts.head, language)
    part["computed"] = _computed(plan, told.solve if told is not None else None, language)
    return part


def _tables(parts: Sequence[Mapping[str, Any]], language: str) -> dict[str, Any]:
    """What is said of each plan as tables with a column a plan, their headings, and what the field is measured by."""
    planned = [part for part in parts if part["plan"] is not None]
    measured: dict[str, list[str]] = {}
    for part in planned:
        by = phrase("ranking.measured", language, magnitude=part["magnitude"], statistic=part["statistic"])
        measured.setdefault(by, []).append(part["title"])
    computed = [[f"{label}: {value}" for label, value in part["computed"].items()] for part in planned]
    return {
        "titles": [part["title"] for part in planned],
        "table": {name: beside([part[name] for part in planned]) for name in ("lines", "tape", "why_lines", "sure")}
        | {"computed": beside(computed)},
        "measured": [by if len(measured) == 1 else f"{listed(of, language)}: {by}" for by, of in measured.items()],
    }


def _alts(plan: Plan, title: str, facts: HeadFacts, language: str) -> dict[str, str]:
    """What each picture of a plan shows, for who does not see it."""
    way = phrase("pictures.any-way", language)
    if not plan.handle_free:
        way = direction_words(plan.best.placement.handle_direction, facts.axes, plan.target.side, language)
    area = 0.0 if plan.zone is None else plan.zone.area_cm2
    told = {"title": title, "way": way, "field": plan.best.magnitude, "positions": plan.report.positions, "area": area}
    return {name: phrase(f"pictures.alt-{name}", language, **told) for name in DRAWN}


def _row(rank: int, candidate: Candidate, plan: Plan, facts: HeadFacts, language: str) -> dict[str, Any]:
    """One ranked placement as a line of the table."""
    placement, side = candidate.placement, plan.target.side
    mni = facts.mni(placement.center)
    near = facts.near(placement.center, 1)
    if plan.handle_free:
        handle = turn = phrase("ranking.any", language)
        runs = phrase("ranking.ring", language)
    else:
        handle = direction_words(placement.handle_direction, facts.axes, side, language)
        turn = turn_words(placement, facts.axes, language)
        current = sentences.current_words(plan.coil, candidate, facts, side, language)
        runs = current[0] if current else "-"
    return {
        "rank": rank,
        "ranked": f"{candidate.strength:.3f}",
        "solved": f"{candidate.verified:.3f}",
        "magnitude": f"{candidate.magnitude:.3f}",
        "share": f"{100 * (candidate.verified / plan.best.verified):.0f} %",
        "center": point_words(placement.center),
        "mni": point_words(mni, 0) if mni is not None else "-",
        "landmark": f"{near[0][0]}, {near[0][1]:.0f} mm" if near else "-",
        "handle": handle,
        "turn": turn,
        "current": runs,
        "lift": f"{candidate.lift:.1f}",
        "matrix": [[f"{value + 0.0:.4f}" for value in row] for row in np.round(placement.head_from_coil, 4)],
    }


def _computed(plan: Plan, solve: SolveReport | None, language: str) -> dict[str, str]:
    """How a plan was computed, label to value."""
    report, error, stability = plan.report, plan.numerical_error, plan.stability
    say = partial(phrase, language=language)
    ranked = say("computed.placements-told", placements=report.placements, positions=report.positions)
    if report.excluded:
        ranked += say("computed.excluded", excluded=report.excluded)
    rows = {
        "placements": ranked,
        "refined": say("computed.refined-told", refined=report.refined),
        "modes": say("computed.modes-told", modes=report.modes, truncation=report.truncation),
        "solved": say("computed.solved-told", difference=report.largest_difference, count=len(plan.ranking)),
        "error": say("computed.no-error") if error is None else sentences.error_words(error, language),
        "draws": say("computed.no-draws")
        if stability is None
        else say("computed.draws-told", error=stability.reduced_error),
        "seconds": ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in report.seconds.items()),
        "memory": f"{report.peak_memory / 1e9:.1f} GB",
    }
    if solve is not None:
        rows["solver"] = say(
            "computed.solver-told", iterations=solve.iterations, residual=solve.residual, tolerance=solve.tolerance,
            nodes=solve.nodes,
        )  # fmt: skip
    return {say(f"computed.{key}"): value for key, value in rows.items()}


def _protocol(study: Study, language: str) -> dict[str, str]:
    """The preset, label to value; a hemisphere with the side that it is here."""
    preset = study.preset
    side = worded(preset.side, language)
    if preset.side in ("contralesional", "ipsilesional"):
        side = sentences.role_title(study, preset.side, language)
    intensity = phrase("preset.intensity-open", language)
    if preset.intensity is not None:
        intensity = phrase("preset.intensity-share", language, share=preset.intensity, threshold=preset.threshold)
    rows = {
        "name": preset.name,
        "what": worded(preset.title, language),
        "side": side,
        "frequency": worded(preset.frequency, language),
        "intensity": intensity,
        "pulses": worded(preset.pulses, language),
        "course": worded(preset.course, language),
        "source": worded(preset.source, language),
        "note": worded(preset.note, language) or "-",
    }
    return {phrase(f"preset.{key}", language): value for key, value in rows.items()}


def _coil(coil: Coil | None, language: str) -> dict[str, str]:
    """The coil, label to value."""
    label = phrase("coil.coil", language)
    if coil is None:
        return {label: phrase("coil.unknown", language)}
    didt = phrase("page.not-known", language)
    if coil.didt_max:
        didt = phrase("coil.didt-told", language, didt=coil.didt_max / AMPERE_PER_MICROSECOND)
    rows = {label: coil.name, phrase("coil.didt", language): didt}
    rows |= {str(key): _plain(value, language) for key, value in coil.provenance.items()}
    if coil.stimulators and coil.stimulators[0].source:
        rows[phrase("coil.didt-source", language)] = coil.stimulators[0].source
    return rows


def tissue_rows(tissues: Iterable[TissueFigures], language: str = "en") -> list[dict[str, Any]]:
    """Each tissue of a head: tag, name, cm3, conductivity in words (S/m) and where that comes from."""
    own = phrase("tissue.own", language)
    return [
        {
            "tag": tissue.tag,
            "name": named(tissue.name, language),
            "cm3": tissue.cm3,
            "sigma": phrase("tissue.mean", language, sigma=tissue.sigma) if tissue.tensor else f"{tissue.sigma:.3f}",
            "source": worded(BY_TAG[tissue.tag].source, language) if tissue.standard and tissue.tag in BY_TAG else own,
        }
        for tissue in tissues
    ]


def _head(facts: HeadFacts, language: str) -> dict[str, Any] | None:
    """The head in figures: who signed it off, mesh, tissues with conductivities, mapping, provenance."""
    head = facts.figures
    if head is None:
        return None
    rows = {
        "name": head.name,
        "signed": signed_off(facts) or phrase("made.unsigned", language),
        "mesh": phrase("made.mesh-told", language, nodes=head.nodes, tetrahedra=head.tetrahedra),
        "mapping": head.mapping or phrase("page.none", language),
    }
    return {
        "name": head.name,
        "about": {phrase(f"made.{key}", language): value for key, value in rows.items()},
        "tissues": tissue_rows(head.tissues, language),
        "provenance": {key: _plain(value, language) for key, value in head.provenance.items()},
    }


def _lesion(study: Study | None, language: str) -> dict[str, str] | None:
    """The lesion in figures, label to value."""
    if study is None or study.lesion is None:
        return None
    lesion, say = study.lesion, partial(phrase, language=language)
    mni = "" if lesion.centroid_mni is None else point_words(lesion.centroid_mni, 0)
    tissues = (f"{named(name, language)} {cm3:.1f} cm³" for name, cm3 in lesion.tissues_cm3.items())
    rows = {
        say("lesion.volume"): f"{lesion.volume_cm3:.1f} cm³",
        say("lesion.side"): named(lesion.side, language) if lesion.side else say("page.not-known"),
        say("lesion.centroid"): say(f"lesion.at{'-mni' if mni else ''}", point=point_words(lesion.centroid), mni=mni),
        say("lesion.tissue"): listed(tissues, language),
    }
    for role, plan in study.plans.items():
        lost = say("lesion.lost", role=role, side=study.side_of(role))
        rows[lost] = f"{100 * (1 - plan.target.viable_share):.0f} %"
    for role, why in study.why.items():
        rows[say("lesion.lost", role=role, side=study.side_of(role))] = said(why, language)
    return rows


def _answers(study: Study | None, language: str) -> dict[str, str]:
    """The clinical answers as typed, label to value."""
    if study is None:
        return {}
    given, say = study.answers, partial(phrase, language=language)
    missing = say("page.not-given")

    def told(name: str | None) -> str:
        return missing if name is None else named(name, language)

    rows = {
        "lesion-side": told(given.lesion_side),
        "paretic-hand": told(given.paretic_hand),
        "rmt": missing if given.rmt is None else say(f"given.rmt-{given.mt_method}", rmt=given.rmt),
        "mep": told(given.mep),
        "fma-ue": missing if given.fma_ue is None else say("given.fma-ue-of", fma_ue=given.fma_ue),
        "aphasia": told(given.fluency),
        "dominant-side": told(given.dominant_side),
        "side": told(given.side),
        "contraindications": listed(map(told, given.named), language) or say("given.no-contraindications"),
        "confirmed": listed(map(told, given.confirmed), language) or say("page.none"),
    }
    return {say(f"given.{key}"): value for key, value in rows.items()}


def _plain(value: Any, language: str) -> str:
    """A provenance value on one line, folders left out: they may name a patient."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(entry, language)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry, language) for entry in value) or phrase("page.none", language)
    if isinstance(value, str | Path) and Path(value).is_absolute():
        return Path(value).name
    return str(value)
