"""The report of a study: one HTML page that holds everything it shows and asks nothing of any network."""

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from neuro_field.clinic.study import Study
from neuro_field.errors import FileFormatError, InputError, visible
from neuro_field.field.field import SolveReport
from neuro_field.findings import Finding
from neuro_field.head.face import Face
from neuro_field.head.tissues import BY_TAG
from neuro_field.report import sentences
from neuro_field.report.card import card_of, card_style
from neuro_field.report.directions import direction_words, point_words, turn_words
from neuro_field.report.facts import Facts, HeadFacts, HeadFigures, TissueFigures
from neuro_field.report.interactive import colour_ramp, interactive_page, scripts
from neuro_field.report.interactive import without_face as shown_without_face
from neuro_field.report.kept import Kept
from neuro_field.report.scene import COLOURS
from neuro_field.report.surety import sure_lines, sure_rows, varied_words
from neuro_field.report.words import named, said
from neuro_field.search.plan import Candidate, Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: On every report, word for word.
DISCLAIMER = (
    "Research software. Not a medical device; not cleared or approved by any authority. Simulated fields are "
    "estimates with patient-specific error. Site, intensity and safety remain the decision of the responsible "
    "physician under an approved protocol."
)

#: What each picture shows, below it.
CAPTIONS = {
    "side": "The coil at its best placement. Colours: |E| in the grey matter at 1 A/µs; the darkest red is the 99.9th "
    "percentile of grey-matter volume and above.",
    "above": "The same from above: the patient's left is on the left of the picture.",
    "cortex": "The field on the grey matter around the target (green), without scalp and coil.",
    "positions": "Each dot is one position of the coil's centre that was tried, coloured by the field in the target "
    "with its best handle direction; the arrow is the handle of the best placement (none for a coil whose handle is "
    "free). The white line with black edges goes round the zone: the positions from which the coil keeps at least 95 % "
    "of the best with some handle.",
}

#: Of a folder whose pictures and view were made without the face; it stands at the head of the page.
FACELESS = "page-faceless"

#: Pictures of more points are not opened.
LARGEST_PICTURE = 30_000_000

LIMITS = (
    "The field is computed in a model of this head: its tissues come from an image, their conductivities from tables. "
    "No conductivity of a lesion is established.",
    "The ranking compares electric fields in one target. It does not predict an effect of treatment, and it does not "
    "know the patient's motor hot spot: find that by motor evoked potentials.",
    "A coordinate is a seed: the target was moved to the patient's own viable grey matter and may lie on a "
    "neighbouring gyrus. Compare it with the picture.",
    "Placements that differ by a few percent are not different in practice: navigation is accurate to a few mm.",
    "Whether a patient may be stimulated is not checked here beyond the answers given; nothing on this page clears "
    "anyone. Published limits of train length come from healthy brains; a lesion raises the risk of a seizure.",
)


def study_page(kept: Kept) -> str:
    """The report as HTML.

    Returns
    -------
    str
        Self-contained: style, pictures and scripts are inside, and it forbids the browser any request.
    """
    study, head = kept.study, kept.facts.head
    images = {name: _embedded(data) for name, data in kept.pictures.items()}
    if isinstance(study, Study):
        whole, title = study, study.preset.title
        parts = _study_parts(study, kept.facts, images)
    else:
        whole, title = None, f"target {sentences.target_title(study.target)}"
        parts = [_part(study, kept.facts, images, "", "Best placement")]
    return rendered(
        "page.html.j2",
        title=title,
        card=card_of(kept),
        card_style=card_style(),
        study=whole,
        lesion=_lesion(whole),
        answers=_answers(whole),
        parts=parts,
        warnings=[*sentences.told(study, "stop"), *sentences.told(study, "warn"), *_said(kept.remarks, "warn")],
        notes=[*sentences.told(study, "note"), *_said(kept.remarks, "note")],
        old_words=kept.old_words,
        coil=_coil(study),
        head=_head(head.figures),
        captions=CAPTIONS,
        limits=LIMITS,
        varied=varied_words(),
        view=_view(kept),
        face=_face(kept),
        made=kept.written,
    )


def card_page(kept: Kept, language: str = "en") -> str:
    """The operator's card alone as HTML: self-contained, without scripts, one A4 side when printed."""
    return rendered("card.html.j2", language=language, card=card_of(kept, language), card_style=card_style())


def _face(kept: Kept) -> str:
    """That the page shows a face, or was made not to; nothing of one that shows no head."""
    if any(finding.code == FACELESS for finding in kept.remarks):
        return said(Finding(FACELESS, "note"))
    if kept.view is None and not kept.pictures:
        return ""
    image = None if kept.view is None else kept.view["image"]["what"]
    return said(Finding("page-shows-face", "note", {"image": image}))


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


def _said(findings: Iterable[Finding], level: str) -> list[str]:
    return [said(finding) for finding in findings if finding.level == level and finding.code != FACELESS]


def _view(kept: Kept) -> dict[str, Any] | None:
    """What the view that can be turned needs; None for a plan that keeps nothing to show."""
    if kept.view is None:
        return None
    study = kept.study
    if isinstance(study, Plan):
        titles = {"plan": "Best placement"}
    else:
        titles = {role: sentences.role_title(study, role) for role in sentences.roles(study) if role in study.plans}
    is_t1 = kept.view["image"]["what"] == "t1"
    return {
        "data": interactive_page(kept.view, titles),
        "scripts": scripts(),
        "ramp": colour_ramp(),
        "inks": COLOURS,
        "is_t1": is_t1,
        "image": "T1" if is_t1 else "tissues of the mesh, for no T1 came with the head",
        "lesion": kept.view["lesion"] is not None,
    }


def _embedded(picture: bytes) -> str:
    """A PNG as the source of an image: in WebP, a tenth of its size."""
    from PIL import Image, UnidentifiedImageError  # comes with pyvista

    out = io.BytesIO()
    try:
        opened = Image.open(io.BytesIO(picture), formats=["PNG"])
        if opened.width * opened.height > LARGEST_PICTURE:
            raise FileFormatError(f"A picture of the plan has {opened.width} x {opened.height} points: too many.")
        opened.convert("RGB").save(out, format="WEBP", quality=90)
    except (OSError, SyntaxError) as error:
        reason = "it is no PNG" if isinstance(error, UnidentifiedImageError) else str(error)[:80]
        raise FileFormatError(f"A picture of the plan is damaged: {reason}.") from None
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def rendered(template: str, *, made: str | None = None, **values: Any) -> str:
    """A page from a template of this room, with the style, disclaimer, version and date that all pages have."""
    room = Path(__file__).parent
    pages = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(room), finalize=_plain_text,
    )  # fmt: skip
    return pages.get_template(template).render(
        style=(room / "style.css").read_text(encoding="utf-8"),
        disclaimer=DISCLAIMER,
        version=version("neuro_field"),
        made=made or datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **values,
    )


def _plain_text(value: Any) -> Any:
    """A text that a page shows, such as a name from a file, without control characters; markup of ours as it is."""
    return visible(value) if type(value) is str else value


def _study_parts(study: Study, facts: Facts, images: Mapping[str, str]) -> list[dict[str, Any]]:
    """One part of the page for each hemisphere, the preset's own first."""
    parts = []
    for role in sentences.roles(study):
        part = _part(getattr(study, role), facts, images, role, sentences.role_title(study, role))
        part |= {"own": sentences.is_own(study, role), "why": said(study.why[role]) if role in study.why else ""}
        if role in study.doses and part["plan"] is not None:
            told = facts.plans.get(role)
            strongest = told.strongest if told is not None else None
            part["lines"] = sentences.plan_lines(part["plan"], facts.head, strongest, dose=study.doses[role])
        parts.append(part)
    return parts


def _part(plan: Plan | None, facts: Facts, images: Mapping[str, str], role: str, title: str) -> dict[str, Any]:
    """What the page says of one plan, as one without a dose."""
    part: dict[str, Any] = {"title": title, "own": True, "plan": plan, "why": "", "lines": [], "tape": []}
    part["pictures"] = {name: images.get(f"{role}_{name}" if role else name) for name in CAPTIONS}
    part["id"] = role or "plan"
    if plan is None:
        return part
    part["statistic"] = sentences.statistic(plan.target)
    part["magnitude"] = sentences.magnitude_statistic(plan.target)
    told = facts.plans.get(part["id"])
    part["lines"] = sentences.plan_lines(plan, facts.head, told.strongest if told is not None else None)
    part["tape"] = sentences.tape_lines(plan)
    part["rows"] = [_row(i, candidate, plan, facts.head) for i, candidate in enumerate(plan.ranking, start=1)]
    part["sure"], part["sure_rows"] = sure_lines(plan), sure_rows(plan)
    part["computed"] = _computed(plan, told.solve if told is not None else None)
    return part


def _row(rank: int, candidate: Candidate, plan: Plan, facts: HeadFacts) -> dict[str, Any]:
    """One ranked placement as a line of the table."""
    placement, side = candidate.placement, plan.target.side
    mni = facts.mni(placement.center)
    near = facts.near(placement.center, 1)
    current = sentences.current_words(plan.coil, candidate, facts, side)
    handle, turn = direction_words(placement.handle_direction, facts.axes, side), turn_words(placement, facts.axes)
    runs = current[0] if current else "-"
    if plan.handle_free:
        handle, turn, runs = "any", "any", "in a ring"
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


def _computed(plan: Plan, solve: SolveReport | None) -> dict[str, str]:
    """How a plan was computed, label to value."""
    report = plan.report
    rows = {
        "Placements ranked": f"{report.placements} ({report.positions} scalp positions, all handle directions)"
        + (f", {report.excluded} of them excluded for a region to avoid" if report.excluded else ""),
        "Tried in fine steps": f"{report.refined} around the best",
        "Field in the target reduced to": f"{report.modes} vectors; the first left out is {report.truncation:.1e} of "
        "the largest",
        "Ranked against fully solved": f"differ by at most {100 * report.largest_difference:.2f} % over the "
        f"{len(plan.ranking)} placements listed",
        "Numerical error of this case": sentences.error_line(plan.numerical_error).partition(": ")[2]
        if plan.numerical_error is not None
        else "not computed; neuro-field plan --numerical-error does, in most of a minute",
        "Draws of conductivities": "not followed"
        if plan.stability is None
        else f"answered in a reduced space, within {100 * plan.stability.reduced_error:.2f} % of full solves where "
        "checked",
        "Seconds": ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in report.seconds.items()),
        "Peak memory": f"{report.peak_memory / 1e9:.1f} GB",
    }
    if solve is not None:
        rows["Solver"] = (
            f"{solve.iterations} iterations to a relative residual of {solve.residual:.1e} (tolerance "
            f"{solve.tolerance:.0e}), {solve.nodes} nodes"
        )
    return rows


def _coil(study: Study | Plan) -> dict[str, str]:
    """The coil, label to value."""
    coil = study.coil
    if coil is None:
        return {"Coil": "not known here: it is not on the shelf of this installation"}
    rows = {"Coil": coil.name, "Largest dI/dt": "not known"}
    if coil.didt_max:
        rows["Largest dI/dt"] = f"{coil.didt_max / AMPERE_PER_MICROSECOND:.2f} A/µs at 100 % output"
    rows |= {str(key): _plain(value) for key, value in coil.provenance.items()}
    if coil.stimulators and coil.stimulators[0].source:
        rows["Source of the largest dI/dt"] = coil.stimulators[0].source
    return rows


def tissue_rows(tissues: Iterable[TissueFigures]) -> list[dict[str, Any]]:
    """Each tissue of a head: tag, name, cm3, conductivity in words (S/m) and where that comes from."""
    return [
        {
            "tag": tissue.tag,
            "name": named(tissue.name),
            "cm3": tissue.cm3,
            "sigma": f"{tissue.sigma:.3f}" + (" (mean of a tensor)" if tissue.tensor else ""),
            "source": BY_TAG[tissue.tag].source if tissue.standard and tissue.tag in BY_TAG else "set for this head",
        }
        for tissue in tissues
    ]


def _head(head: HeadFigures | None) -> dict[str, Any] | None:
    """The head in figures: mesh, tissues with conductivities, mapping, provenance."""
    if head is None:
        return None
    return {
        "name": head.name,
        "mesh": f"{head.nodes} nodes, {head.tetrahedra} tetrahedra",
        "mapping": head.mapping or "none",
        "tissues": tissue_rows(head.tissues),
        "provenance": {key: _plain(value) for key, value in head.provenance.items()},
    }


def _lesion(study: Study | None) -> dict[str, str] | None:
    """The lesion in figures, label to value."""
    if study is None or study.lesion is None:
        return None
    lesion = study.lesion
    rows = {"Volume": f"{lesion.volume_cm3:.1f} cm³", "Side": lesion.side or "not known"}
    rows["Centroid"] = f"{point_words(lesion.centroid)} mm in the head frame"
    if lesion.centroid_mni is not None:
        rows["Centroid"] += f", MNI152 {point_words(lesion.centroid_mni, 0)}"
    rows["Tissue"] = ", ".join(f"{name.replace('_', ' ')} {cm3:.1f} cm³" for name, cm3 in lesion.tissues_cm3.items())
    for role, plan in study.plans.items():
        rows[f"Grey matter lost at the {role} target"] = f"{100 * (1 - plan.target.viable_share):.0f} %"
    for role, why in study.why.items():
        rows[f"Grey matter lost at the {role} target"] = said(why)
    return rows


def _answers(study: Study | None) -> dict[str, str]:
    """The clinical answers as typed, label to value."""
    if study is None:
        return {}
    given = study.answers
    return {
        "Side of the lesion": given.lesion_side or "not given",
        "Paretic hand": given.paretic_hand or "not given",
        "Resting motor threshold": "not given"
        if given.rmt is None
        else f"{given.rmt:g} % of maximum output, read by {'EMG' if given.mt_method == 'emg' else 'visible twitch'}",
        "Ipsilesional motor evoked potentials": given.mep,
        "Fugl-Meyer, upper extremity": "not given" if given.fma_ue is None else f"{given.fma_ue:g} of 66",
        "Aphasia": given.fluency or "not given",
        "Language-dominant side on fMRI": given.dominant_side or "not given",
        "Side chosen": given.side or "not given",
        "Contraindications named": ", ".join(given.named) or "none (that clears nobody)",
        "Confirmed by the physician": ", ".join(given.confirmed) or "none",
    }


def _plain(value: Any) -> str:
    """A provenance value on one line, folders left out: they may name a patient."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value) or "none"
    if isinstance(value, str | Path) and Path(value).is_absolute():
        return Path(value).name
    return str(value)
