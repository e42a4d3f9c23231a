"""The head as a conductor: a mesh with a conductivity per element, and where it lies in MNI space."""

from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import Surface, TetMesh
from neuro_field.head.anisotropy import SYMMETRIC, Tensors, conducting, positive_definite
from neuro_field.head.cortex import mid_grey_points
from neuro_field.head.doubts import doubts_of
from neuro_field.head.fiducials import Fiducials
from neuro_field.head.fissure import Fissure, fissure_of_mesh
from neuro_field.head.mapping import MniMapping
from neuro_field.head.refinement import Refinement, carried_conductivity, refined_mesh
from neuro_field.head.sign_off import SIGNED_HEAD, SignOff, fingerprint_of, without_sign_off
from neuro_field.head.tissues import BY_NAME, BY_TAG, tags_of
from neuro_field.names import one_line
from neuro_field.nouns import noun


@noun
class HeadModel:
    """A head to compute fields in.

    Parameters
    ----------
    mesh : TetMesh
        Nodes in mm of the head frame (world RAS of the T1), tags as in `neuro_field.head.tissues`.
    conductivity : (t,) or (t, 3, 3) array
        S/m, positive (definite) in every element.
    name : str
        For reports.
    mapping : AffineMapping or WarpedMapping, optional
        To MNI152; a head without one answers no MNI question.
    known_fissure : Fissure, optional
        Between the hemispheres, as found in the labels that the head was built from; `fissure` asks the mesh otherwise.
    refinement : Refinement, optional
        By which it was made from a coarser head (`refined`).
    fiducials : Fiducials, optional
        The patient's own nasion, inion and points before the ears, and the arcs between them as measured; a head
        without them has those of its mapping.
    provenance : mapping of str to plain values
        Where the head came from: files and their hashes, what cleaning changed, what was found. For reports.

    Raises
    ------
    InputError
        On a conductivity of the wrong shape, or one that is not positive and finite.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> head.region("grey_matter").shape == head.mesh.tags.shape
    True
    >>> other = head.with_conductivity({"bone": 0.006})
    >>> float(other.conductivity.min()), float(head.conductivity.min())
    (0.006, 0.01)
    """

    mesh: TetMesh
    conductivity: FloatArray
    name: str = "head"
    mapping: MniMapping | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    known_fissure: Fissure | None = None
    refinement: Refinement | None = None
    fiducials: Fiducials | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", one_line(self.name))
        object.__setattr__(self, "conductivity", read_only(self.conductivity, np.float64))
        sigma, t = self.conductivity, len(self.mesh.tets)
        if sigma.shape not in ((t,), (t, 3, 3)):
            raise InputError(f"Input conductivity must have shape ({t},) or ({t}, 3, 3); instead {sigma.shape}.")
        if sigma.ndim == 3:
            self._refuse_asymmetric(sigma)
            good = positive_definite(*(sigma[:, i, j] for i in range(3) for j in range(i, 3)))
        else:
            good = np.isfinite(sigma) & (sigma > 0)
        bad = np.flatnonzero(~good)
        if len(bad):
            raise InputError(
                f"Input conductivity must be positive and finite in every element; instead {len(bad)} of {t} "
                f"are not, the first is element {bad[0]} (tag {self.mesh.tags[bad[0]]})."
            )

    def _refuse_asymmetric(self, sigma: FloatArray) -> None:
        scale = np.abs(sigma).max(axis=(1, 2))
        off = np.abs(sigma - sigma.transpose(0, 2, 1)).max(axis=(1, 2))
        bad = np.flatnonzero(~(off <= SYMMETRIC * scale) | ~np.isfinite(scale))  # NaN compares as neither
        if len(bad):
            raise InputError(
                f"Input conductivity must hold finite, symmetric tensors; instead {len(bad)} of {len(sigma)} are not, "
                f"the first is element {bad[0]} (tag {self.mesh.tags[bad[0]]}): {np.round(sigma[bad[0]], 4).tolist()}."
            )

    @classmethod
    def from_mesh(cls, mesh: TetMesh, **keywords: Any) -> "HeadModel":
        """A head with the standard conductivity of each tag; refuses tags it does not know."""
        unknown = sorted(set(np.unique(mesh.tags).tolist()) - set(BY_TAG))
        if unknown:
            raise InputError(f"Mesh tags must be among {sorted(BY_TAG)}; instead found {unknown[:10]} as well.")
        table = np.zeros(max(BY_TAG) + 1)
        for tag, tissue in BY_TAG.items():
            table[tag] = tissue.conductivity
        return cls(mesh, table[mesh.tags], **keywords)

    def region(self, name: str) -> BoolArray:
        """(t,) mask of the elements of a tissue ("grey_matter") or group ("brain", "lesion", "skull")."""
        return np.isin(self.mesh.tags, tags_of(name))

    @cached_property
    def scalp(self) -> Surface:
        """The head's outer surface, normals outwards; without the walls of air cavities."""
        return self.mesh.boundary().largest_piece()

    @cached_property
    def inner_skull_sphere(self) -> tuple[FloatArray, float]:
        """Centre (3,) and radius, mm, of the sphere that fits the inner surface of the skull best.

        Least squares over the nodes that brain, CSF, blood and lesion share with what is around them; over the scalp's
        where there is no such boundary.
        """
        intracranial = np.isin(self.mesh.tags, tags_of("intracranial"))
        border = self.mesh.nodes[self.mesh.touched(intracranial) & self.mesh.touched(~intracranial)]
        points = border if len(border) > 3 else self.scalp.points
        middle = points.mean(axis=0)
        r = points - middle  # |r|^2 = 2 r.c + (R^2 - |c|^2) is linear in its unknowns
        *shift, constant = np.linalg.lstsq(np.column_stack([2 * r, np.ones(len(r))]), np.sum(r**2, axis=1), rcond=None)[
            0
        ]
        return read_only(middle + shift), float(np.sqrt(constant + np.dot(shift, shift)))

    @cached_property
    def mid_grey(self) -> FloatArray:
        """(m, 3) points, mm, in the middle between the inner and the outer surface of the grey matter.

        Where `Field.at` is best read for cortical statistics: 99th or 99.9th percentiles there do not depend on the
        mesh as the largest element value does.

        Raises
        ------
        InputError
            If the head has no grey or no white matter.
        """
        return read_only(
            mid_grey_points(self.mesh, self.region("grey_matter"), self.region("white_matter"), self.region("lesion"))
        )

    def with_conductivity(self, changes: Mapping[str | int, float]) -> "HeadModel":
        """A new head with other conductivities, S/m, by tissue name or tag.

        Raises
        ------
        UnknownNameError
            If a name or tag is no tissue of this head.
        """
        sigma = np.array(self.conductivity)
        present = {int(tag) for tag in np.unique(self.mesh.tags)}
        for key, value in changes.items():
            tags = {int(key)} if isinstance(key, int | np.integer) else set(tags_of(key))
            if not tags & present:
                names = [BY_TAG[tag].name for tag in sorted(present) if tag in BY_TAG]
                raise UnknownNameError("tissue", key, names)
            chosen = np.isin(self.mesh.tags, sorted(tags))
            sigma[chosen] = float(value) if sigma.ndim == 1 else float(value) * np.eye(3)
        return self.retuned(sigma)

    def retuned(self, conductivity: FloatArray) -> "HeadModel":
        """A new head with the conductivities (t,) or (t, 3, 3) S/m; surfaces that are known already are kept."""
        return self._with_surfaces(replace(self, conductivity=conductivity))

    def _with_surfaces(self, out: "HeadModel") -> "HeadModel":
        """Another head on the same mesh, with the surfaces of this one that are known already."""
        for name in ("scalp", "inner_skull_sphere", "mid_grey", "fissure"):
            if name in self.__dict__:
                out.__dict__[name] = self.__dict__[name]
        return out

    def with_tensors(self, tensors: Tensors, *, rule: str = "vn") -> "HeadModel":
        """A new head whose white and grey matter conduct along and across fibres as water diffuses there.

        Everything else keeps its conductivity, a lesion too, and so does what no tensor is known of; ``findings`` say
        how much that is, and what is in doubt.

        Parameters
        ----------
        tensors : Tensors
            Such as `neuro_field.read_tensors` and `neuro_field.fit_tensors` give.
        rule : {"vn", "dir", "mc"}
            How diffusivities become conductivities: volume-normalised (the tissue's own value as geometric mean),
            direct (one factor for all of the brain), or the geometric mean of the direct one as one number; see
            `neuro_field.head.anisotropy.conducting`.

        Raises
        ------
        InputError
            If the tensors are not this head's by where they lie or how they run, or are none, or the head has some.

        Examples
        --------
        A block of voxels in which water diffuses left and right most easily stands for a patient's tensors:

        >>> import neuro_field as nf
        >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
        >>> affine = np.diag([8.0, 8.0, 8.0, 1.0])
        >>> affine[:3, 3] = -80
        >>> values = np.tile([1.7e-3, 0.0, 0.0, 0.3e-3, 0.0, 0.3e-3], (21, 21, 21, 1))
        >>> tensors = nf.TensorImage(values, affine)
        >>> sigma = head.with_tensors(tensors).conductivity[head.region("brain")]
        >>> np.round(sigma[0].diagonal(), 3)
        array([0.874, 0.154, 0.154])
        """
        told = tensors.doubts(self)
        made = conducting(self.mesh, self.conductivity, tensors, rule)
        kept = [row for row in self.provenance.get("findings", ()) if not row["code"].startswith("tensor-")]
        rows = [*kept, *(found.plain() for found in (*told, *made.findings))]
        provenance = dict(self.provenance) | {"tensors": made.record, "findings": rows}
        return self._with_surfaces(replace(self, conductivity=made.conductivity, provenance=provenance))

    def refined(self, *, near: Any, radius: float = 20.0, levels: int = 1) -> "HeadModel":
        """A head with finer elements inside the skull around a place: for fields point by point, as on a cortex.

        Edges are halved ``levels`` times by bisection; the tissues keep their shape, and the conductivities theirs.
        Mean fields over a target of 5 mm are within a percent without; the field at a point of a folded cortex is not.

        Parameters
        ----------
        near : (3,) or (k, 3) array
            mm, head frame: one place or several.
        radius : float
            2 to 60 mm.
        levels : int
            1 to 3.

        Returns
        -------
        HeadModel
            On a mesh of its own: targets have to be made on it, or carried there (`Target.carried`).

        Raises
        ------
        InputError
            If an argument is beyond its limits, nothing inside the skull lies there, more than 60 % of the
            nodes (and 300,000) would be added, or the head is refined already.

        Examples
        --------
        >>> import neuro_field as nf
        >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
        >>> finer = head.refined(near=(0, 0, 60), radius=15)
        >>> len(head.mesh.nodes), len(finer.mesh.nodes)
        (11554, 12962)
        """
        if self.refinement is not None:
            raise InputError("This head is refined already; refine the head it was made from, at all places at once.")
        recipe = Refinement(near, radius, levels, self.mesh.digest)
        mesh = refined_mesh(self.mesh, recipe)
        sigma = carried_conductivity(self.mesh, self.conductivity, mesh)
        finer = replace(self, mesh=mesh, conductivity=sigma, refinement=recipe)
        signed = self.sign_off  # the same head in smaller pieces: who looked at it has looked at these
        return finer if signed is None else finer.signed(signed.name, signed.when)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of mesh, tissues, conductivities and map: of what was looked at when it was signed off."""
        return fingerprint_of(self.mesh, self.conductivity, self.mapping)

    @property
    def sign_off(self) -> SignOff | None:
        """Who has looked at this head and signed it off; None where nobody has, or it was changed since."""
        if SignOff.kept(self.provenance, str(self.provenance.get(SIGNED_HEAD))) is None:
            return None  # nothing to compare: large heads take a second
        return SignOff.kept(self.provenance, self.fingerprint)

    def signed(self, name: str, when: str) -> "HeadModel":
        """The same head, signed off by a person who has looked at it and at its targets.

        Parameters
        ----------
        name : str
            1 to 60 letters.
        when : str
            UTC, as in "2030-01-02T03:04Z".

        Raises
        ------
        InputError
            If the name is none.

        Examples
        --------
        >>> import neuro_field as nf
        >>> head = nf.sphere_head((70, 80, 90), edge=9.0).signed("A. Tanaka", "2030-01-02T03:04Z")
        >>> head.sign_off.name
        'A. Tanaka'
        >>> head.with_conductivity({"bone": 0.006}).sign_off is None
        True
        """
        made = SignOff(name, when, self.fingerprint)
        return self._with_surfaces(replace(self, provenance=without_sign_off(self.provenance) | made.plain()))

    def without_lesion(self) -> "HeadModel":
        """The same mesh with every lesion element turned into the nearest tissue around the lesion.

        Only tags and conductivities differ, so a with/without comparison is one of conductivity. A head without
        a lesion is returned as it is.
        """
        return self._filled if self.region("lesion").any() else self

    @cached_property
    def _filled(self) -> "HeadModel":
        lesion = self.region("lesion")
        donors = np.flatnonzero(self.region("brain") & self.mesh.touched(lesion)[self.mesh.tets].any(axis=1))
        if not len(donors):
            raise InputError("The lesion cannot be filled: no white or grey matter touches it.")
        nearest = donors[cKDTree(self.mesh.centroids[donors]).query(self.mesh.centroids[lesion])[1]]
        tags, sigma = np.array(self.mesh.tags), np.array(self.conductivity)
        tags[lesion], sigma[lesion] = tags[nearest], sigma[nearest]
        mesh = TetMesh(self.mesh.nodes, self.mesh.tets, tags)
        out = replace(self, mesh=mesh, conductivity=sigma, name=f"{self.name}, lesion filled")
        out.__dict__["scalp"] = self.scalp  # what lies inside does not change it
        out.__dict__["fissure"] = self.fissure
        return out

    @cached_property
    def fissure(self) -> Fissure | None:
        """The surface between the hemispheres: as known, else as seen in the mesh; None where none is seen."""
        return self.known_fissure if self.known_fissure is not None else fissure_of_mesh(self.mesh, self.mapping)

    def right_of_midline(self, points: AnyArray) -> FloatArray:
        """How far right of the midline points (m, 3) of the head frame lie, mm; (m,), negative on the left.

        The midline is the patient's own fissure.  A head without one (`findings` has "head-no-fissure") has the plane
        x = 0 of MNI152 instead.

        Raises
        ------
        InputError
            If it has no mapping either: nothing tells left from right.
        """
        if self.fissure is not None:
            return self.fissure.right_of(points)
        if self.mapping is None:
            raise InputError(
                f"Nothing tells left from right in the head {self.name!r}: no fissure between hemispheres is seen, and "
                "it has no mapping to MNI."
            )
        return self.to_mni(points)[:, 0]

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What has to be said of the head: its map, its midline, openings of its skull, its lesion; mm, cm2, cm3."""
        return doubts_of(self)

    def to_mni(self, points: AnyArray) -> FloatArray:
        """Points (m, 3) of the head frame in MNI152, mm; raises InputError if the head has no mapping."""
        return self._mapping().to_mni(points)

    def from_mni(self, points: AnyArray) -> FloatArray:
        """MNI152 points (m, 3) in the head frame, mm; raises InputError if the head has no mapping."""
        return self._mapping().from_mni(points)

    def _mapping(self) -> MniMapping:
        if self.mapping is None:
            raise InputError(
                f"The head {self.name!r} has no mapping to MNI; build it with one, or give head coordinates."
            )
        return self.mapping

    @property
    def tissue_volumes(self) -> dict[str, float]:
        """Volume of each tissue present, cm3, by name."""
        sums = np.bincount(self.mesh.tags, self.mesh.volumes) / 1e3
        return {name: float(sums[t.tag]) for name, t in BY_NAME.items() if t.tag < len(sums) and sums[t.tag] > 0}
