"""Of diffusion tensors: how they were read, whether they are the head's, and what became of its conductivity."""

from collections.abc import Mapping

from neuro_field.findings import Value

_RULES = {
    "vn": "volume-normalised: as geometric mean each tissue keeps its own value",
    "dir": "direct: one factor from diffusivity to conductivity for all of the brain",
    "mc": "mean conductivity: one number in each place, none along or across fibres",
}

_ORDERS = {
    "upper": "in the order of FSL (xx xy xz yy yz zz)",
    "diagonal": "in the order of MRtrix (xx yy zz xy xz yz)",
    "lower": "in the order of NIfTI's symmetric matrix (xx xy yy xz yz zz)",
    "full": "in nine numbers by rows",
}

_AXES = {
    "fsl": "FSL's (voxel axes, the first reversed where the affine's determinant is positive)",
    "voxel": "the voxel axes",
    "world": "the scanner's (right, front, up)",
    "lps": "the scanner's (left, back, up)",
}


def _used(values: Mapping[str, Value]) -> str:
    ratio = "" if values["ratio"] is None else "; across white matter the largest is {ratio:.1f} times the smallest"
    return (
        "white and grey matter conduct by diffusion tensors in {share:.0%} of their volume ("
        + _RULES[str(values["rule"])]
        + ")"
        + (ratio if values["rule"] != "mc" else "")
        + "."
    )


def _axes_taken(values: Mapping[str, Value]) -> str:
    return (
        f"the tensors were read {_ORDERS[str(values['order'])]}, their axes as {_AXES[str(values['axes'])]}; if that "
        "is wrong, say --tensor-axes."
    )


def _moved(values: Mapping[str, Value]) -> str:
    return (
        "the diffusion tensors were brought to the T1 by rotation and shift: they moved by {moved:.1f} mm (at most "
        "{most:.1f} mm) and turned by {angle:.1f} degrees; what both images share rose from {as_given:.3f} to "
        "{shared:.3f}. Look whether the directions lie on the white matter."
    )


def _doubtful(values: Mapping[str, Value]) -> str:
    way = str(values["way"])
    read = f"along {way} axes" if way in _AXES else f"with axes read as {way}"
    return (
        "whether the tensors' axes are right is not sure: " + read + " neighbours would follow one another {next:.2f} "
        "times as well as now, too little apart to tell. Look at the lines on the pictures of directions: do they run "
        "along the bundles?"
    )


def _not_positive(values: Mapping[str, Value]) -> str:
    return (
        "of {voxels} voxels of the brain with a tensor {part} have a part of it that is not positive, raised to a "
        "tenth of the largest, and {none} hold no positive tensor and were left out ({share:.1%} in all)."
    )


SENTENCES = {
    "tensor-used": _used,
    "tensor-none-there": (
        "no tensor is known for {white_cm3:.1f} cm³ of white and {grey_cm3:.1f} cm³ of grey matter ({share:.1%}), "
        "beyond the view of the diffusion images or left out there: these conduct alike in all directions."
    ),
    "tensor-limited": (
        "conductivities were limited in white and grey matter: in {raised:.1%} of the volume to a ratio of {ratio:.0f} "
        "between the largest and the smallest, in {capped:.1%} to {most:.0f} S/m."
    ),
    "tensor-not-positive": _not_positive,
    "tensor-axes-taken": _axes_taken,
    "tensor-axes-checked": (
        "principal directions follow one another better as given than in any other reading of their axes (the next: "
        "{next:.2f} of that)."
    ),
    "tensor-axes-doubtful": _doubtful,
    "tensor-axes-unchecked": (
        "whether the tensors' axes are right could not be told: fewer than {least} voxels of white matter have a "
        "direction. Look at the pictures of directions."
    ),
    "tensor-place-off": (
        "the tensors' anisotropy fits the head's white matter somewhat better {away:.0f} mm away ({better:.2f} against "
        "{ratio:.2f}): the diffusion images are bent or lie off; an image that lies with them (--tensor-image) brings "
        "them to the T1."
    ),
    "tensor-place-unchecked": (
        "whether the tensors lie on this head could not be told: its tissues explain {ratio:.2f} of their anisotropy "
        "({least:g} is needed). Look at the pictures of directions."
    ),
    "tensor-atlas": (
        "the diffusion images say that they lie in an atlas (code {form_code}), not where the scanner saw the patient."
    ),
    "tensor-moved": _moved,
    "tensor-stayed": (
        "the diffusion tensors were left where their header puts them: registration to the T1 would move them by "
        "{moved:.1f} mm (at most {most:.1f} mm)."
    ),
    "tensor-fitted": (
        "tensors were fitted to {used} of {images} diffusion images (b up to {strongest:.0f} s/mm²) as they are: "
        "neither motion nor the bending of echo-planar images was corrected."
    ),
    "tensor-strong-weighting": (
        "the tensors were fitted to images with b up to {strongest:.0f} s/mm²; above {most:.0f} the signal decays more "
        "slowly than a tensor says, and diffusivities come out too small."
    ),
}
