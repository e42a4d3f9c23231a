"""The page that lets a person check a head before anything is planned on it: qc.html."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from neuro_field.aim.atlas import SITES
from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray, transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.locate import locate
from neuro_field.geometry.quality import smallest_dihedral_angles
from neuro_field.head.face import Face
from neuro_field.head.lesion import LesionSummary, lesion_summary
from neuro_field.head.mapping import WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.sign_off import SignOff
from neuro_field.head.tissues import BY_TAG
from neuro_field.mri.faceless import faceless
from neuro_field.mri.volume import Volume
from neuro_field.report.direction_pictures import direction_pictures, has_directions
from neuro_field.report.directions import point_words
from neuro_field.report.facts import HeadFacts, tissue_figures
from neuro_field.report.mapping_pictures import mapping_pictures
from neuro_field.report.markup import png_source, rendered
from neuro_field.report.mosaic import mosaic
from neuro_field.report.page import tissue_rows
from neuro_field.report.skull_page import OpeningsOfHead
from neuro_field.report.slices import OPENING, OUTLINES, TEMPLATE, histogram, slice_pictures
from neuro_field.report.words import LANGUAGES, listed, named, phrase, said, worded

#: Landmarks that the page lists.
LANDMARKS = ("Nz", "Iz", "LPA", "RPA", "Cz", "C3", "C4")

#: Volumes of labels and mesh may differ by this share without a word.
FAITHFUL = 0.05


def head_page(
    head: HeadModel, *, labels: Volume | None = None, t1: Volume | None = None, picture: bytes | None = None,
    no_picture: str = "", made: str | None = None, face: Face | None = None, language: str = "en",
) -> str:  # fmt: skip
    """Quality control of a head as HTML.

    Parameters
    ----------
    head : HeadModel
    labels : Volume, optional
        The tissue tags that were meshed; without them slices and the comparison of volumes are left out.
    t1 : Volume, optional
    picture : bytes, optional
        PNG of the head in 3D.
    no_picture : str
        Why there is none; said on the page.
    made : str, optional
        Date and time; now, when omitted.
    face : Face, optional
        Left out of the slices; the ``picture`` is made without it by who makes it.
    language : str

    Returns
    -------
    str
        Self-contained.
    """
    lesion = lesion_summary(head)
    facts = HeadFacts.of(head)
    angles = smallest_dihedral_angles(head.mesh)
    tissues = _tissues(head, labels, language)
    images, mapped, opened, tiles = {}, {}, {}, ""
    named_targets = _found_targets(head)
    shown_t1 = t1 if face is None else None
    skull = OpeningsOfHead.of(head)
    if labels is not None:
        focus = _focus(head, lesion)
        shown = labels if face is None else faceless(labels, face, labels)
        shown_t1 = t1 if t1 is None or face is None else faceless(t1, face, labels)
        images = slice_pictures(shown, shown_t1, focus, head.mapping, skull.points)
        tiles = _mosaic(head, shown, shown_t1, named_targets, skull.points)
        opened = skull.slices(shown, shown_t1, head)
        mapped = {} if head.mapping is None else mapping_pictures(labels, head.mapping, focus)
    fibres = direction_pictures(head, shown_t1) if has_directions(head) else {}
    bars = histogram(angles, np.linspace(0, 75, 76), "°", "n")
    return rendered(
        "head_page.html.j2",
        language=language,
        made=made,
        name=head.name,
        warnings=_warnings(head, tissues, float(angles.min()), language),
        notes=[said(found, language) for found in head.findings if found.level == "note"],
        signed=_signed_words(head.sign_off, language),
        slices={name: png_source(data) for name, data in images.items()},
        key=_key(head, skull, language),
        own={what: OUTLINES[tissue] for what, tissue in _OWN.items()},
        openings=skull.rows(language),
        opened={name: png_source(data) for name, data in opened.items()},
        picture=png_source(picture) if picture else "",
        no_picture=no_picture,
        face=_face_said(bool(images or picture), face is not None, t1 is not None, language),
        tissues=tissues,
        cleaning=_cleaning(head.provenance.get("cleaning"), language),
        lesion=_lesion(lesion, language),
        mosaic=tiles,
        targets=_target_rows(named_targets, _numbers(named_targets), lesion is not None, language),
        landmarks={name: point_words(facts.landmarks[name]) for name in LANDMARKS if name in facts.landmarks},
        no_landmarks=worded(facts.why, language),
        mapping=head.mapping.source if head.mapping is not None else phrase("page.none", language),
        mapped={name: png_source(data) for name, data in mapped.items()},
        fibres={name: png_source(data) for name, data in fibres.items()},
        warped=isinstance(head.mapping, WarpedMapping),
        overlap=_overlap(head.provenance.get("mapping_overlap"), language),
        mesh=_mesh(head, angles, language),
        histogram=png_source(bars),
    )


#: Around what the page says of who has signed the head off.
_SIGNED = re.compile("(?<=<!-- sign-off -->).*?(?=<!-- end of sign-off -->)", re.DOTALL)


def signed_page(page: str, made: SignOff) -> str:
    """A page that was written with who has looked at it since, in its own language; raises InputError for another."""
    told = re.search('<html lang="([a-z]+)">', page)
    if told is None or told[1] not in LANGUAGES or not _SIGNED.search(page):
        raise InputError(
            "The qc.html of this head was written by another version of neuro_field and has no place to sign: write "
            "it anew with neuro-field head HEAD -o HEAD2, look at it, and sign that."
        )
    words = escape(_signed_words(made, told[1]))
    return _SIGNED.sub(lambda found: words, page, count=1)


def _signed_words(made: SignOff | None, language: str) -> str:
    """Who has signed the head off, or how it is done."""
    if made is None:
        return phrase("qc.unsigned", language)
    return phrase("qc.signed", language, signed=made.told)


#: What the pictures in the template's space outline, by the tissue whose colour it has.
_OWN = {"brain": "grey_matter", "white": "csf", "lesion": "lesion"}


def _key(head: HeadModel, skull: OpeningsOfHead, language: str) -> dict[str, str]:
    """What the colours on the slices mean."""
    key = {named(name, language): colour for name, colour in OUTLINES.items()}
    if head.mapping is not None:
        key[phrase("qc.template", language)] = TEMPLATE
    if skull.listed:
        key[phrase("qc.opening", language)] = OPENING
    return key


def _lesion(lesion: LesionSummary | None, language: str) -> dict[str, str] | None:
    """A lesion, label to value."""
    if lesion is None:
        return None
    kinds = (f"{named(name, language)} {cm3:.1f} cm³" for name, cm3 in lesion.tissues_cm3.items())
    return {
        phrase("lesion.volume", language): f"{lesion.volume_cm3:.1f} cm³",
        phrase("lesion.side", language): named(lesion.side, language)
        if lesion.side
        else phrase("qc.side-unknown", language),
        phrase("lesion.centroid", language): phrase("lesion.at", language, point=point_words(lesion.centroid)),
        phrase("qc.lesion-kinds", language): listed(kinds, language),
    }


def _overlap(overlap: Mapping[str, Mapping[str, float]] | None, language: str) -> dict[str, dict[str, float]]:
    """Overlaps by kind of map and by tissue, both in words."""
    return {
        phrase(f"qc.map-{kind}", language): {
            named(tissue, language): values[tissue] for tissue in ("white_matter", "grey_matter")
        }
        for kind, values in (overlap or {}).items()
    }


def _mesh(head: HeadModel, angles: FloatArray, language: str) -> dict[str, str]:
    """The mesh, label to value."""
    return {
        phrase("qc.nodes", language): f"{len(head.mesh.nodes):,}",
        phrase("qc.tetrahedra", language): f"{len(head.mesh.tets):,}",
        phrase("qc.angle", language): f"{angles.min():.1f}°",
        phrase("qc.below-15", language): phrase("qc.below-15-told", language, share=float(np.mean(angles < 15))),
    }


def _face_said(shown: bool, blanked: bool, t1: bool, language: str) -> str:
    """That the page shows a face, or was made not to, and which files of the folder hold one."""
    code = "page-head-faceless" if blanked else "page-head-shows-face"
    return said(Finding(code, "note", {"t1": t1}), language) if shown or blanked else ""


def _focus(head: HeadModel, lesion: Any) -> FloatArray:
    """Where the planes cross: the lesion's element nearest to its centroid, else the middle of the grey matter."""
    region = head.region("lesion") if lesion is not None else head.region("brain")
    centres = head.mesh.centroids[region]
    middle = lesion.centroid if lesion is not None else np.average(centres, axis=0, weights=head.mesh.volumes[region])
    return centres[np.argmin(np.linalg.norm(centres - middle, axis=1))]


def _tissues(head: HeadModel, labels: Volume | None, language: str) -> list[dict[str, Any]]:
    """Volumes in labels and mesh, and how far both have a tissue in the same places: Dice over every eighth voxel."""
    drawn, dice = {}, {}
    if labels is not None:
        voxel = abs(float(np.linalg.det(labels.affine[:3, :3]))) / 1e3
        counts = np.bincount(labels.values.ravel().astype(np.int64), minlength=1)
        drawn = {int(tag): float(count) * voxel for tag, count in enumerate(counts) if count}
        dice = _dice(head, labels)
    rows = tissue_rows(tissue_figures(head), language)
    for row in rows:
        row |= {"mesh": row["cm3"], "labels": drawn.get(row["tag"]), "dice": dice.get(row["tag"])}
    return rows + _gone(drawn, {row["tag"] for row in rows}, language)


def _gone(drawn: Mapping[int, float], meshed: set[int], language: str) -> list[dict[str, Any]]:
    """Rows of tissues that the labels have and the mesh does not."""
    return [
        {"tag": tag, "name": named(BY_TAG[tag].name, language), "labels": drawn[tag], "mesh": 0.0, "dice": 0.0,
         "sigma": "-", "source": phrase("qc.not-meshed", language)}
        for tag in sorted(set(drawn) - meshed - {0})
        if tag in BY_TAG
    ]  # fmt: skip


def _dice(head: HeadModel, labels: Volume) -> dict[int, float]:
    """Agreement by tag, at the centre of every other voxel of each axis."""
    values = labels.values[::2, ::2, ::2]
    centres = np.moveaxis(2 * np.indices(values.shape), 0, -1).reshape(-1, 3).astype(np.float64)
    elements = locate(head.mesh, transformed(centres, labels.affine))[0]
    meshed = np.where(elements >= 0, head.mesh.tags[elements], 0).astype(np.int64)
    wanted = values.ravel().astype(np.int64)
    most = int(max(meshed.max(), wanted.max())) + 1
    both = np.bincount(meshed[meshed == wanted], minlength=most)
    either = np.bincount(meshed, minlength=most) + np.bincount(wanted, minlength=most)
    return {tag: float(2 * both[tag] / either[tag]) for tag in range(1, most) if np.any(wanted == tag)}


def _warnings(head: HeadModel, tissues: list[dict[str, Any]], smallest: float, language: str) -> list[str]:
    """What a person should look at before trusting the head."""
    out = [said(found, language) for found in head.findings if found.level != "note"]
    lost = {found.values["tissue"] for found in head.findings if found.code == "build-tissue-lost-in-mesh"}
    for row in tissues:
        if row["tag"] in BY_TAG and BY_TAG[row["tag"]].name in lost:
            continue  # said already
        if row["labels"] and abs(row["mesh"] / row["labels"] - 1) > FAITHFUL:
            tissue = BY_TAG[row["tag"]].name if row["tag"] in BY_TAG else f"tag-{row['tag']}"
            told = {"tissue": tissue, "labels_cm3": row["labels"], "mesh_cm3": row["mesh"]}
            out.append(said(Finding("page-head-mesh-unfaithful", "warn", told), language))
    if smallest < 5:
        out.append(said(Finding("page-head-flat-element", "warn", {"angle": smallest}), language))
    return out


def _cleaning(record: Mapping[str, Any] | None, language: str) -> dict[str, Any] | None:
    """What cleaning changed, per tissue and per step, cm3."""
    if not record:
        return None
    before, after = record["before_cm3"], record["after_cm3"]
    names = dict.fromkeys([*before, *after])
    rows = [(named(name, language), before.get(name, 0.0), after.get(name, 0.0)) for name in names]
    invented = {named(name, language): float(cm3) for name, cm3 in record.get("invented_cm3", {}).items()}
    return {
        "rows": rows,
        "invented": invented,
        "moved": {worded(step.replace("_", " "), language): cm3 for step, cm3 in record["moved_cm3"].items()},
    }


def _found_targets(head: HeadModel) -> dict[tuple[str, str], Target | None]:
    """Each named target by site and side; None where no viable grey matter is near; none without a mapping."""
    found: dict[tuple[str, str], Target | None] = {}
    for site in SITES if head.mapping is not None else ():
        for side in ("left", "right"):
            try:
                found[site.name, side] = Target.named(head, site.name, side)
            except InputError:
                found[site.name, side] = None
    return found


def _target_rows(
    found: Mapping[tuple[str, str], Target | None], numbers: Mapping[tuple[str, str], int], lesion: bool, language: str
) -> list[tuple[str, ...]]:
    """Of each named target left and right: its number on the mosaic, its place, and what the lesion took of it."""

    def told(site: str, side: str) -> str:
        target = found[site, side]
        if target is None:
            return phrase("qc.no-grey", language)
        place = phrase("qc.target-at", language, number=numbers[site, side], place=point_words(target.center, 0))
        if target.name != site:
            place += phrase("qc.target-near", language, moved=target.moved)
        return place + (phrase("qc.target-lost", language, lost=1 - target.viable_share) if lesion else "")

    return [
        (f"{site.name}: {worded(site.title, language)}", told(site.name, "left"), told(site.name, "right"))
        for site in SITES
        if (site.name, "left") in found
    ]


def _numbers(found: Mapping[tuple[str, str], Target | None]) -> dict[tuple[str, str], int]:
    """Of the targets that are there, counted as the table runs."""
    there = [name for name, target in found.items() if target is not None]
    return {name: number for number, name in enumerate(there, start=1)}


def _mosaic(
    head: HeadModel, labels: Volume, t1: Volume | None, found: Mapping[tuple[str, str], Target | None],
    openings: FloatArray,
) -> str:  # fmt: skip
    """Slices through lesion and targets as the source of an image; empty of a head with neither."""
    numbers = _numbers(found)
    centers = {numbers[name]: target.center for name, target in found.items() if target is not None}
    lesion = head.mesh.centroids[head.region("lesion")]
    return png_source(mosaic(labels, t1, lesion, centers, openings)) if centers or len(lesion) else ""
