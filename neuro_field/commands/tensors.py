"""What is typed about diffusion tensors, read before a head is built."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from neuro_field.console import Stages
from neuro_field.errors import InputError, UnknownNameError

TensorsOption = Annotated[
    Path | None,
    typer.Option(help="Diffusion tensors, made elsewhere: a NIfTI of six or nine numbers per voxel, on any grid."),
]
DwiOption = Annotated[
    Path | None, typer.Option(help="Diffusion-weighted images to fit tensors to, as they are, instead of --tensors.")
]
BvalOption = Annotated[Path | None, typer.Option(help="b-values of --dwi, s/mm2; else the .bval beside it.")]
BvecOption = Annotated[Path | None, typer.Option(help="b-vectors of --dwi; else the .bvec beside it.")]
RuleOption = Annotated[
    str | None,
    typer.Option(
        "--tensor-rule",
        help="From diffusivity to conductivity: vn volume-normalised (default), dir direct, mc its geometric mean.",
    ),
]
OrderOption = Annotated[
    str | None,
    typer.Option(
        "--tensor-order",
        help="Of --tensors: upper (FSL, SimNIBS), diagonal (MRtrix), lower (ANTs, dipy, AFNI); else found.",
    ),
]
AxesOption = Annotated[
    str | None,
    typer.Option(
        "--tensor-axes",
        help="Along which tensors or b-vectors run: fsl (BIDS, dcm2niix), voxel, world (MRtrix) or lps.",
    ),
]
ImageOption = Annotated[
    Path | None,
    typer.Option("--tensor-image", help="An image that lies with --tensors (b = 0, FA): it brings them to the T1."),
]


@dataclass(frozen=True)
class TypedTensors:
    """Options of `head` that go together: as typed, None where they were not."""

    tensors: Path | None = None
    dwi: Path | None = None
    bval: Path | None = None
    bvec: Path | None = None
    rule: str | None = None
    order: str | None = None
    axes: str | None = None
    image: Path | None = None

    def checked(self) -> "TypedTensors":
        """The same with what was left out; refuses what does not go together or does not exist."""
        from neuro_field.head.anisotropy import RULES
        from neuro_field.io.tensor_images import ORDERS
        from neuro_field.mri.tensor_axes import AXES

        if self.tensors is None and self.dwi is None:
            if any(getattr(self, name) is not None for name in self.__dataclass_fields__):
                raise InputError("Options --bval, --bvec and --tensor-... go with --tensors or --dwi; give one.")
            return self
        if self.tensors is not None and self.dwi is not None:
            raise InputError("Options --tensors and --dwi exclude each other; give tensors or images, not both.")
        if self.dwi is None and (self.bval or self.bvec):
            raise InputError("Options --bval and --bvec go with --dwi, not with --tensors.")
        if self.tensors is None and (self.order or self.image):
            raise InputError("Options --tensor-order and --tensor-image go with --tensors, not with --dwi.")
        for name, given, known in (
            ("rule", self.rule, RULES),
            ("order", self.order, ORDERS),
            ("axes", self.axes, AXES),
        ):
            if given is not None and given not in known:
                raise UnknownNameError(f"--tensor-{name}", given, list(known))
        return self if self.dwi is None else replace(self, bval=self._beside("bval"), bvec=self._beside("bvec"))

    def _beside(self, ending: str) -> Path:
        given: Path | None = getattr(self, ending)
        assert self.dwi is not None
        out = given or self.dwi.with_name(f"{self.dwi.name.removesuffix('.gz').removesuffix('.nii')}.{ending}")
        if not out.is_file():
            raise InputError(f"The b-{ending[1:]} file {out} does not exist; name it with --{ending}.")
        return out

    @property
    def files(self) -> dict[str, Path]:
        """The files that were given, by what they are."""
        named = {
            "tensors": self.tensors,
            "dwi": self.dwi,
            "bval": self.bval,
            "bvec": self.bvec,
            "tensor_image": self.image,
        }
        return {name: path for name, path in named.items() if path is not None}

    def read(self, stages: Stages) -> Any:
        """The tensors, before any head is built; None where none were given."""
        from neuro_field.io.diffusion_series import fit_tensors
        from neuro_field.io.images import read_image
        from neuro_field.io.tensor_images import read_tensors
        from neuro_field.mri.volume import Volume

        if self.dwi is not None:
            assert self.bval is not None
            assert self.bvec is not None
            with stages.stage("fitting tensors"):
                return fit_tensors(self.dwi, self.bval, self.bvec, axes=self.axes or "fsl")
        if self.tensors is None:
            return None
        with stages.stage("reading tensors"):
            found = read_tensors(self.tensors, order=self.order, axes=self.axes)
            if self.image is None:
                return found
            shown = read_image(self.image)
            return replace(found, image=Volume(shown.values, shown.affine))

    def at_t1(self, tensors: Any, t1: Any, stages: Stages) -> Any:
        """Tensors brought to a T1 (an Image) by the image that lies with them, where there are both."""
        from neuro_field.mri.volume import Volume

        if tensors is not None and t1 is not None and t1.atlas_code is not None:  # the T1 says so itself
            tensors = replace(tensors, findings=tuple(f for f in tensors.findings if f.code != "tensor-atlas"))
        if tensors is None or tensors.image is None:
            return tensors
        if t1 is None:
            raise InputError("There is no T1 beside this head to which the diffusion tensors could be brought.")
        with stages.stage("moving the tensors to the T1"):
            return tensors.moved_to(Volume(t1.values, t1.affine))

    def given_to(self, head: Any, tensors: Any, stages: Stages) -> Any:
        """The head with the tensors, and the digests of their files in its record."""
        from neuro_field.io.digest import digests

        if tensors is None:
            return head
        with stages.stage("conductivity tensors"):
            out = head.with_tensors(tensors, rule=self.rule or "vn")
        inputs = dict(out.provenance.get("inputs") or {}) | digests(self.files)
        return replace(out, provenance=dict(out.provenance) | {"inputs": inputs})
