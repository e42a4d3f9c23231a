"""The report of a study: one HTML page that holds everything it shows and asks nothing of any network."""

import base64
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from neuro_field.clinic.study import Study
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_TAG
from neuro_field.report import sentences
from neuro_field.report.directions import direction_words, point_words, turn_words
from neuro_field.report.facts import HeadFacts, plan_head
from neuro_field.report.interactive import colour_ramp, interactive_page, scripts
from neuro_field.report.scene import COLOURS
from neuro_field.report.slices import Volume
from neuro_field.report.surety import sure_lines, sure_rows, varied_words
from neuro_field.report.words import said
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
    "with its best handle direction; the arrow is the handle of the best placement.",
}

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


def study_page(
    study: Study | Plan, pictures: Mapping[str, bytes] | None = None, *, t1: Volume | None = None,
    no_pictures: str = "", made: str | None = None,
) -> str:  # fmt: skip
    """The report as HTML.

    Parameters
    ----------
    study : Study or Plan
        As computed, or read from files: then what needs the head is left out.
    pictures : mapping of str to bytes, optional
        As `study_pictures` made them.
    t1 : Volume, optional
        Of the head: what the slices cut through; without one, the tissues of the mesh.
    no_pictures : str
        Why there are none; said on the page.
    made : str, optional
        Date and time of the report; now, when omitted.

    Returns
    -------
    str
        Self-contained: style, pictures and scripts are inside, and it forbids the browser any request.
    """
    images = {name: _embedded(data) for name, data in (pictures or {}).items()}
    head = study.head if isinstance(study, Study) else plan_head(study)
    facts = HeadFacts.of(head)
    if isinstance(study, Study):
        whole, title = study, study.preset.title
        parts = _study_parts(study, facts, images)
    else:
        whole, title = None, f"target {sentences.target_title(study.target)}"
        parts = [_part(study, facts, images, "", "Best placement") | {"lines": sentences.plan_lines(study, facts)}]
    return rendered(
        "page.html.j2",
        title=title,
        study=whole,
        lesion=_lesion(whole),
        answers=_answers(whole),
        parts=parts,
        warnings=sentences.told(study, "warn"),
        notes=sentences.told(study, "note"),
        coil=_coil(study),
        head=_head(head),
        captions=CAPTIONS,
        limits=LIMITS,
        varied=varied_words(),
        view=_view(study, t1),
        no_view="the plan was read from files, which hold neither the head nor the field.",
        no_pictures=no_pictures,
        made=made,
    )


def _view(study: Study | Plan, t1: Volume | None) -> dict[str, Any] | None:
    """What the view that can be turned needs; None for a study that has no field left."""
    if isinstance(study, Plan):
        plans = {"plan": ("Best placement", study)}
    else:
        made = {role: getattr(study, role) for role in sentences.roles(study)}
        plans = {role: (sentences.role_title(study, role), plan) for role, plan in made.items() if plan is not None}
    shown = {name: (title, plan) for name, (title, plan) in plans.items() if plan.field is not None}
    if not shown:
        return None
    head = next(plan.field.head for _, plan in shown.values() if plan.field is not None)
    return {
        "data": interactive_page(head, shown, t1),
        "scripts": scripts(),
        "ramp": colour_ramp(),
        "inks": COLOURS,
        "is_t1": t1 is not None,
        "image": "T1" if t1 is not None else "tissues of the mesh, for no T1 came with the head",
        "lesion": bool(head.region("lesion").any()),
    }


def _embedded(picture: bytes) -> str:
    """A PNG as the source of an image: in WebP, a tenth of its size."""
    from PIL import Image  # comes with pyvista

    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").save(out, format="WEBP", quality=90)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def rendered(template: str, *, made: str | None = None, **values: Any) -> str:
    """A page from a template of this room, with the style, disclaimer, version and date that all pages have."""
    room = Path(__file__).parent
    pages = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(room),
    )  # fmt: skip
    return pages.get_template(template).render(
        style=(room / "style.css").read_text(encoding="utf-8"),
        disclaimer=DISCLAIMER,
        version=version("neuro_field"),
        made=made or datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **values,
    )


def _study_parts(study: Study, facts: HeadFacts, images: Mapping[str, str]) -> list[dict[str, Any]]:
    """One part of the page for each hemisphere, the preset's own first."""
    parts = []
    for role in sentences.roles(study):
        plan = getattr(study, role)
        part = _part(plan, facts, images, role, sentences.role_title(study, role))
        part |= {"own": sentences.is_own(study, role), "why": said(study.why[role]) if role in study.why else ""}
        if plan is not None:
            part["lines"] = sentences.plan_lines(plan, facts, dose=study.doses.get(role))
        parts.append(part)
    return parts


def _part(plan: Plan | None, facts: HeadFacts, images: Mapping[str, str], role: str, title: str) -> dict[str, Any]:
    """What the page says of one plan, without its sentences."""
    part: dict[str, Any] = {"title": title, "own": True, "plan": plan, "why": "", "lines": []}
    part["pictures"] = {name: images.get(f"{role}_{name}" if role else name) for name in CAPTIONS}
    part["id"] = role or "plan"
    if plan is None:
        return part
    part["statistic"] = sentences.statistic(plan.target)
    part["magnitude"] = sentences.magnitude_statistic(plan.target)
    part["rows"] = [_row(i, candidate, plan, facts) for i, candidate in enumerate(plan.ranking, start=1)]
    part["sure"], part["sure_rows"] = sure_lines(plan), sure_rows(plan)
    part["computed"] = _computed(plan)
    return part


def _row(rank: int, candidate: Candidate, plan: Plan, facts: HeadFacts) -> dict[str, Any]:
    """One ranked placement as a line of the table."""
    placement, side = candidate.placement, plan.target.side
    mni = facts.mni(placement.center)
    near = facts.near(placement.center, 1)
    current = sentences.current_words(plan.coil, candidate, facts, side)
    return {
        "rank": rank,
        "ranked": f"{candidate.strength:.3f}",
        "solved": f"{candidate.verified:.3f}",
        "magnitude": f"{candidate.magnitude:.3f}",
        "share": f"{100 * (candidate.verified / plan.best.verified):.0f} %",
        "center": point_words(placement.center),
        "mni": point_words(mni, 0) if mni is not None else "-",
        "landmark": f"{near[0][0]}, {near[0][1]:.0f} mm" if near else "-",
        "handle": direction_words(placement.handle_direction, facts.axes, side),
        "turn": turn_words(candidate.angle),
        "current": current[0] if current else "-",
        "lift": f"{candidate.lift:.1f}",
        "matrix": [[f"{value + 0.0:.4f}" for value in row] for row in np.round(placement.head_from_coil, 4)],
    }


def _computed(plan: Plan) -> dict[str, str]:
    """How a plan was computed, label to value."""
    report = plan.report
    rows = {
        "Placements ranked": f"{report.placements} ({report.positions} scalp positions, all handle directions)"
        + (f", {report.excluded} of them excluded for a region to avoid" if report.excluded else ""),
        "Tried in fine steps": f"{report.refined} around the best",
        "Field in the target reduced to": f"{report.modes} vectors; the first left out is {report.truncation:.1e} of "
        "the largest",
        "Ranked against fully solved": f"differ by at most {report.largest_difference:.2%} over the "
        f"{len(plan.ranking)} placements listed",
        "Numerical error of this case": sentences.error_line(plan.numerical_error).partition(": ")[2]
        if plan.numerical_error is not None
        else "not computed; neuro-field plan --numerical-error does, in most of a minute",
        "Draws of conductivities": "not followed"
        if plan.stability is None
        else f"answered in a reduced space, within {plan.stability.reduced_error:.2%} of full solves where checked",
        "Seconds": ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in report.seconds.items()),
        "Peak memory": f"{report.peak_memory / 1e9:.1f} GB",
    }
    if plan.field is not None:
        solve = plan.field.report
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


def tissue_rows(head: HeadModel) -> list[dict[str, Any]]:
    """Each tissue of a head: tag, name, cm3, conductivity in words (S/m) and where that comes from."""
    sigma = head.conductivity if head.conductivity.ndim == 1 else np.trace(head.conductivity, axis1=1, axis2=2) / 3
    tissues = []
    for tag in np.unique(head.mesh.tags):
        chosen, tissue = head.mesh.tags == tag, BY_TAG.get(int(tag))
        mean, standard = float(sigma[chosen].mean()), tissue.conductivity if tissue else None
        own = standard is None or abs(mean - standard) > 1e-6
        tissues.append({
            "tag": int(tag),
            "name": tissue.name.replace("_", " ") if tissue else f"tag {tag}",
            "cm3": float(head.mesh.volumes[chosen].sum() / 1e3),
            "sigma": f"{mean:.3f}" + (" (mean of a tensor)" if head.conductivity.ndim == 3 else ""),
            "source": "set for this head" if own or tissue is None else tissue.source,
        })  # fmt: skip
    return tissues


def _head(head: HeadModel | None) -> dict[str, Any] | None:
    """The head in figures: mesh, tissues with conductivities, mapping, provenance."""
    if head is None:
        return None
    return {
        "name": head.name,
        "mesh": f"{len(head.mesh.nodes)} nodes, {len(head.mesh.tets)} tetrahedra",
        "mapping": head.mapping.source if head.mapping is not None else "none",
        "tissues": tissue_rows(head),
        "provenance": {str(key): _plain(value) for key, value in head.provenance.items()},
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
