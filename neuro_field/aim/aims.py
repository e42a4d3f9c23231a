"""Targets other than named ones: a mask, an atlas label, an MNI coordinate, both sides at once, the other side."""

from dataclasses import replace
from typing import Any

import numpy as np

from neuro_field.aim.atlas import other_side
from neuro_field.aim.seat import map_findings, on_side, seat_of
from neuro_field.aim.target import NEAR, RADIUS, Target
from neuro_field.arrays import AnyArray, BoolArray, FloatArray, as_vector
from neuro_field.errors import InputError
from neuro_field.findings import Finding, as_name
from neuro_field.head.model import HeadModel

#: Of what a mask covers of the brain, at least this share must be viable target tissue.
LEAST_VIABLE = 0.1

_SPACES = ("head", "mni")


def masked(
    head: HeadModel, mask: Any, affine: Any, *, tissue: str = "grey_matter", space: str = "head", name: str = "mask",
    direction: Any = None, side: str | None = None,
) -> Target:  # fmt: skip
    """The elements of a tissue whose centroids lie in a mask.

    Parameters
    ----------
    head : HeadModel
        With a mapping to MNI, if the mask is in MNI space.
    mask : (i, j, k) array
        True, or not zero, inside.
    affine : (4, 4) array
        From its voxels to mm of its space.
    tissue : str
        Tissue that counts; a lesion never does.
    space : {"head", "mni"}
        Frame of the affine: the head's (world RAS of the T1), or MNI152.
    side : {"left", "right"}, optional
        Of the patient's fissure: what the mask holds beyond it is left out, and a finding says how much.

    Raises
    ------
    InputError
        If the mask is empty, lies outside the head, or holds next to none of the tissue: with the shares.
    """
    inside = _inside(head, mask, affine, space)
    brain = inside & (head.region("brain") | head.region("lesion"))
    chosen = np.flatnonzero(inside & head.region(tissue)).astype(np.int32)
    volumes = head.mesh.volumes
    held = float(volumes[chosen].sum())
    chosen = on_side(head, chosen, side)
    if side is not None:
        brain &= np.isin(np.arange(len(brain)), on_side(head, np.flatnonzero(brain), side))
    findings = []
    if (beyond := held - float(volumes[chosen].sum())) > 0:
        findings.append(
            Finding("target-beyond-fissure", "note", {"site": as_name(name), "side": side, "cm3": beyond / 1e3})
        )
    total, viable = float(volumes[brain].sum()), float(volumes[chosen].sum())
    if not inside.any():
        raise InputError(f"The mask {name!r} lies outside the head {head.name!r}: check its frame and its affine.")
    if not len(chosen) or viable < LEAST_VIABLE * total:
        lost = float(volumes[brain & head.region("lesion")].sum())
        raise InputError(
            f"The mask {name!r} holds {viable / 1e3:.2f} cm3 of {tissue} in {total / 1e3:.2f} cm3 of brain, "
            f"{lost / 1e3:.2f} cm3 of them in the lesion: too little is left to aim at. Move or widen it."
        )
    weights = volumes[chosen] / viable
    center = weights @ head.mesh.centroids[chosen]
    grey = viable + float(volumes[brain & head.region("lesion")].sum())
    radius = float(np.linalg.norm(head.mesh.centroids[chosen] - center, axis=1).max())
    return Target(
        name, center, radius, chosen, weights, direction, viable_share=viable / grey, source="given mask",
        mesh=head.mesh.digest, side=side, findings=tuple(findings),
        axis_source="given" if direction is not None else None,
    )  # fmt: skip


def labelled(head: HeadModel, labels: Any, affine: Any, value: int, *, space: str = "mni", **rest: Any) -> Target:
    """`masked` by one value of a label image, such as an atlas in MNI space.

    Raises
    ------
    InputError
        Also if the image does not hold the value: with those it holds.
    """
    labels = np.asarray(labels)
    inside = labels == value
    if not inside.any():
        known = np.unique(labels)
        shown = ", ".join(f"{entry:g}" for entry in known[:12]) + (" ..." if len(known) > 12 else "")
        raise InputError(f"The label image does not hold {value}; it holds {shown}.")
    return masked(head, inside, affine, space=space, **({"name": f"label {value}"} | rest))


def at_mni(
    head: HeadModel, point: Any, radius: float = RADIUS, *, name: str = "target", direction: Any = None,
    side: str | None = None,
) -> Target:  # fmt: skip
    """The ball around the viable grey matter nearest to an MNI152 coordinate (3,), mm: searched for as named ones are.

    Its side is that of the coordinate in MNI152 unless given; a coordinate on the midline has none.

    Raises
    ------
    InputError
        If none lies within 20 mm, or the head has no mapping.
    """
    seed_mni = as_vector(point, "point of at_mni")
    seed = head.from_mni(seed_mni[None])[0]
    if side is None and seed_mni[0] != 0:
        side = "left" if seed_mni[0] < 0 else "right"
    seat = seat_of(head, seed, radius, side=side, site=as_name(name))
    return Target.ball(
        head, seat.center, radius, direction=direction, name=NEAR * seat.far + name, side=side, seed=seed,
        seed_mni=seed_mni, moved=seat.moved, viable_share=seat.viable_share, source="given MNI coordinate",
        findings=seat.findings + map_findings(head, seed_mni, as_name(name), side),
        axis_source="given" if direction is not None else None,
    )  # fmt: skip


def joint(first: Target, second: Target) -> Target:
    """Two targets for one coil at the same time: what it measures is that of the weaker one (`Target.parts`).

    Its centre lies between the two, its radius is the larger of theirs.

    Raises
    ------
    InputError
        If they differ in whether, or where, the current should run, or share elements: with how many, and where both
        centres lie.
    """
    same = first.direction is second.direction is None or (
        first.direction is not None
        and second.direction is not None
        and np.allclose(first.direction, second.direction)
        and first.either_way == second.either_way
    )
    if not same:
        raise InputError("Two targets are joined when both want the same current direction, or none.")
    if shared := overlap(first, second):
        raise InputError(
            f"The targets {_described(first)} and {_described(second)} hold the same {shared} elements of "
            f"{len(first.elements)} and {len(second.elements)}: they are one area, not two. Give each side its own."
        )
    sides = (first.side, second.side)
    named = None not in sides and sides[0] != sides[1]
    return replace(
        first,
        name=_joint_name(first, second),
        center=(first.center + second.center) / 2,
        radius=max(first.radius, second.radius),
        elements=np.concatenate([first.elements, second.elements]),
        weights=np.concatenate([first.weights, second.weights]) / 2,
        side=None,
        seed=None,
        seed_mni=None,
        moved=max(first.moved, second.moved),
        viable_share=min(first.viable_share, second.viable_share),
        findings=tuple(
            finding.told_with(side=target.side) for target in (first, second) for finding in target.findings
        ),
        source=f"both of: {first.source}" if first.source == second.source else f"{first.source}; {second.source}",
        parts=np.repeat([0, 1], [len(first.elements), len(second.elements)]),
        part_centers=np.stack([first.center, second.center]),
        part_names=(str(first.side), str(second.side)) if named else ("first", "second"),
    )


def _joint_name(first: Target, second: Target) -> str:
    """The site of both, "near:" it where one of them lies beside it; else both names."""
    if first.name == second.name:
        return first.name
    return NEAR + first.site if first.site == second.site else f"{first.name}+{second.name}"


def overlap(first: Target, second: Target) -> int:
    """How many elements two targets share."""
    return len(np.intersect1d(first.elements, second.elements))


def _described(target: Target) -> str:
    """As in "left m1-leg at [1.3, -30.0, 70.1] (moved 9.2 mm)"."""
    moved = f" (moved {target.moved:.1f} mm)" if target.moved >= 0.05 else ""
    side = f"{target.side} " if target.side else ""
    return f"{side}{target.name} at {np.round(target.center, 1).tolist()}{moved}"


def homologous(head: HeadModel, target: Target) -> Target:
    """The same place in the other hemisphere: by name, else the mirrored MNI coordinate of the seed, or of the centre.

    Raises
    ------
    InputError
        If the head has no mapping, no viable grey matter is left there, or the target has areas on both sides.
    """
    if target.parts is not None:
        raise InputError(f"The target {target.name!r} has {len(target.part_names)} areas and so no other side.")
    if target.seed_mni is not None and target.side is not None and target.source != "given MNI coordinate":
        return Target.named(head, target.site, other_side(target.side), radius=target.radius)
    point = target.seed_mni if target.seed_mni is not None else head.to_mni(target.center[None])[0]
    side = None if target.side is None else other_side(target.side)
    mirrored = np.asarray(point) * [-1.0, 1.0, 1.0]
    return at_mni(head, mirrored, target.radius, name=f"{target.site}, other side", side=side)


def _inside(head: HeadModel, mask: AnyArray, affine: Any, space: str) -> BoolArray:
    """(t,) elements whose centroids lie in voxels of a mask."""
    mask, affine = np.asarray(mask), np.asarray(affine, dtype=np.float64)
    if mask.ndim != 3 or affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise InputError(f"A mask must be (i, j, k) with a finite affine (4, 4); not {mask.shape} and {affine.shape}.")
    if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError("The mask's affine is singular; check its header.")
    if space not in _SPACES:
        raise InputError(f"Input space of a mask must be head or mni; instead received {space!r}.")
    if not mask.any():
        raise InputError("The mask is empty.")
    points: FloatArray = head.mesh.centroids
    if space == "mni":
        points = head.to_mni(points)
    voxels = np.rint((points - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T).astype(np.int64)
    within = ((voxels >= 0) & (voxels < mask.shape)).all(axis=1)
    out = np.zeros(len(points), dtype=bool)
    out[within] = mask[tuple(voxels[within].T)] != 0
    return out
