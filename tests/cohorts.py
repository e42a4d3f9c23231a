"""A BIDS data set of six people, made from Colin27: mirrored, scaled, with lesions, one file broken, one without T1."""

import gzip
import json
from pathlib import Path

import nibabel as nib
import numpy as np

import neuro_field as nf

#: Voxels of the images are this many mm, and elements so long: far too coarse for use, and quick.
VOXEL, EDGE = 3, 9.0

SETTINGS = ("--edge", f"{EDGE}", "--affine", "--draws", "0", "--radius", "15", "--spacing", "15", "--angle-step", "90")
PRESET = "contralesional-1hz-hand"

_ROOT = Path(nf.__file__).parents[1] / "meshes" / "colin27"


def make_dataset(root, people=("01", "02", "03", "04", "05", "06")):
    """Write those of the six that are named.

    01 lesion left; 02 mirrored, lesion right; 03 larger, two lesions, two sessions' folders; 04 lesion drawn on its
    FLAIR; 05 its T1 is broken; 06 has none.
    """
    root.mkdir(parents=True)
    _json(
        root / "dataset_description.json",
        {"Name": "made", "BIDSVersion": "1.10.0", "DatasetType": "raw", "Authors": ["a"]},
    )
    (root / "README").write_text("Six people, made from one brain that was scanned 27 times, for tests. " * 4)
    rows = ["participant_id\tage\trmt\tmep\tparetic_hand"]
    answers = {"01": "55\tabsent\tright", "02": "48\tpresent\tleft", "03": "n/a\tuntested\tright"}
    rows += [f"sub-{label}\t60\t{answers.get(label, '50	n/a	n/a')}" for label in people]
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    _json(root / "participants.json", {
        "age": {"Description": "Age", "Units": "year"}, "rmt": {"Description": "Resting motor threshold", "Units": "%"},
        "mep": {"Description": "Of the paretic hand"}, "paretic_hand": {"Description": "left or right"},
    })  # fmt: skip
    segmented, drawn = root / "derivatives" / "segmenter", root / "derivatives" / "lesions"
    for folder, name in ((segmented, "samseg"), (drawn, "hand")):
        _json(folder / "dataset_description.json", {
            "Name": name, "BIDSVersion": "1.10.0", "DatasetType": "derivative", "GeneratedBy": [{"Name": name}],
        })  # fmt: skip
    for label in people:
        _person(label, root, segmented, drawn)
    return root


def _person(label, root, segmented, drawn):
    who, folder = f"sub-{label}", f"sub-{label}/anat"
    if label == "03":
        who, folder = f"{who}_ses-a", f"sub-{label}/ses-a/anat"
    (t1, affine), (labels, of_labels) = (_coarse(name) for name in ("colin27_T1.nii.gz", "colin27_labels.nii.gz"))
    if label == "02":  # left and right exchanged
        mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
        (t1, affine), (labels, of_labels) = (
            (image[::-1], mirror @ of @ _backwards(len(image))) for image, of in ((t1, affine), (labels, of_labels))
        )
    if label == "03":
        larger = np.diag([1.03, 1.03, 1.03, 1.0])
        affine, of_labels = larger @ affine, larger @ of_labels
    places = {"01": [-45], "02": [45], "03": [-45, 45], "04": [-45]}.get(label, [-45])
    if label != "06":
        _image(root / folder / f"{who}_T1w.nii.gz", t1, affine)
        _json(root / folder / f"{who}_T1w.json", {"Manufacturer": "none"})
    else:
        _image(root / folder / f"{who}_T2w.nii.gz", t1, affine)
    if label == "05":
        path = root / folder / f"{who}_T1w.nii.gz"
        with gzip.open(path) as file:
            whole = file.read()
        path.write_bytes(gzip.compress(whole[: len(whole) // 2], mtime=0))
    _image(segmented / folder / f"{who}_dseg.nii.gz", labels, of_labels)
    points = nib.affines.apply_affine(of_labels, np.moveaxis(np.indices(labels.shape), 0, -1))
    mask = np.any([np.linalg.norm(points - [x, 10, 30], axis=-1) < 14 for x in places], axis=0) & np.isin(
        labels, (1, 2)
    )
    if label == "04":
        _image(root / folder / f"{who}_FLAIR.nii.gz", t1, affine)
        _image(drawn / folder / f"{who}_space-FLAIR_label-lesion_mask.nii.gz", mask.astype(np.uint8), of_labels)
    else:
        _image(drawn / folder / f"{who}_label-lesion_mask.nii.gz", mask.astype(np.uint8), of_labels)


def _coarse(name):
    """An image of Colin27 and its affine, on coarse voxels."""
    image = nib.load(_ROOT / name)
    values = np.asarray(image.dataobj)[::VOXEL, ::VOXEL, ::VOXEL]
    return values, image.affine @ np.diag([VOXEL, VOXEL, VOXEL, 1])


def _backwards(count):
    """From the index of a reversed axis to that of the axis."""
    out = np.diag([-1.0, 1.0, 1.0, 1.0])
    out[0, 3] = count - 1
    return out


def _image(path, values, affine):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)


def _json(path, record):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record) + "\n")


#: What differs from run to run.
CHANGES = ("date", "written", "seconds", "peak_memory", "host")


def differences(one, other):
    """Names of images, tables and JSON files that are not the same in both outputs, or in one only."""
    names = {path.relative_to(root).as_posix() for root in (one, other) for path in root.rglob("*") if path.is_file()}
    kinds = {".json": _of_json, ".gz": _of_packed, ".tsv": Path.read_text, ".msh": Path.read_bytes}
    out = []
    for name in sorted(names):
        kind = kinds.get(Path(name).suffix)
        paths = [root / name for root in (one, other)]
        if not all(path.is_file() for path in paths) or (kind and kind(paths[0]) != kind(paths[1])):
            out.append(name)
    return out


def _of_json(path):
    return _lasting(json.loads(path.read_text()))


def _of_packed(path):
    if path.name.endswith(".json.gz"):
        return gzip.decompress(path.read_bytes())
    image = nib.load(path)
    return np.asarray(image.dataobj).tobytes(), image.affine.tobytes()


def _lasting(thing):
    if isinstance(thing, dict):
        return {key: _lasting(value) for key, value in thing.items() if key.partition(".")[0] not in CHANGES}
    return [_lasting(each) for each in thing] if isinstance(thing, list) else thing
