"""The built-in heads: meshed from the labels on the shelf at first use, then kept in the user's cache."""

import hashlib
import json
import logging
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.caches import NoCacheError, cache_home
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.fissure import Fissure
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.model import HeadModel
from neuro_field.io.atomic import new_file
from neuro_field.io.digest import digests
from neuro_field.io.images import Image, read_image, read_labels
from neuro_field.io.locks import locked
from neuro_field.mri.build import PreparedLabels, Progress, build_prepared, prepare_labels, silent
from neuro_field.mri.lesion import synthetic_lesion
from neuro_field.shelf.library import card, folder_on

LOG = logging.getLogger(__name__)

#: The heads there are, and the folder of the shelf each is made from.
EXAMPLES = {"colin27": "colin27", "colin27-stroke": "colin27"}

#: Heads kept in the cache; each takes about 0.1 GB.
MOST_KEPT = 6

#: The code that decides what a built head looks like.
BUILDERS = ("head/fissure.py", "head/mesher*.py", "kernels/lattice*.py", "kernels/morton.py", "mri/*.py")


def cache_folder() -> Path:
    """Where this user's built heads are kept, of all that is in `neuro_field.caches.cache_home`."""
    return cache_home() / "heads"


def _key(labels: Path, parameters: dict[str, Any]) -> str:
    """A name that changes with the labels, the parameters and the code that builds."""
    state = hashlib.sha256(labels.read_bytes())
    state.update(json.dumps(parameters, sort_keys=True).encode())
    package = Path(__file__).parents[1]
    for pattern in BUILDERS:
        for source in sorted(package.glob(pattern)):
            state.update(source.read_bytes())
    return state.hexdigest()[:24]


def _store(head: HeadModel, path: Path) -> None:
    """Put a head in the cache and drop the oldest beyond `MOST_KEPT`; a cache that cannot be written is no error."""
    try:
        fissure = None if head.known_fissure is None else head.known_fissure.plain()
        with new_file(path) as beside, beside.open("wb") as file:
            np.savez(
                file,
                nodes=head.mesh.nodes,
                tets=head.mesh.tets,
                tags=head.mesh.tags.astype(np.uint8),
                provenance=np.frombuffer(json.dumps(dict(head.provenance)).encode(), dtype=np.uint8),
                fissure=np.frombuffer(json.dumps(fissure).encode(), dtype=np.uint8),
            )
        for old in cached_heads()[MOST_KEPT:]:
            old.path.unlink(missing_ok=True)
    except (OSError, InputError) as trouble:
        LOG.info("The built head is not kept: %s", trouble)


def _stored(path: Path, name: str, mapping: AffineMapping) -> HeadModel | None:
    """A head from the cache; None if it is not there or damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            mesh = TetMesh(file["nodes"], file["tets"], file["tags"])
            provenance, fissure = (json.loads(file[key].tobytes()) for key in ("provenance", "fissure"))
        known = None if fissure is None else Fissure.of_plain(fissure)
        with suppress(OSError):  # of another user, or kept where nothing may be written: it is good all the same
            path.touch()
        return HeadModel.from_mesh(mesh, name=name, mapping=mapping, provenance=provenance, known_fissure=known)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as trouble:
        LOG.info("The cached head %s is damaged and will be built again: %s", path, trouble)
        return None


def _prepared(name: str, labels: Path, about: dict[str, Any]) -> PreparedLabels:
    """Labels of an example, with its lesion if it has one."""
    image = read_labels(labels)
    variant = about.get("variants", {}).get(name)
    if variant is None:
        return prepare_labels(image.values, image.affine, table="simnibs", clean=False)
    mask = synthetic_lesion(
        image.values,
        image.affine,
        mapping=_identity(),
        territory=variant["territory"],
        side=variant["side"],
        volume_cm3=float(variant["volume_cm3"]),
    )
    return prepare_labels(image.values, image.affine, mask, table="simnibs", clean=False)


def _identity() -> AffineMapping:
    return AffineMapping(np.eye(4), "identity: Colin27 is published in MNI space")


def _folder(name: str) -> Path:
    if name not in EXAMPLES:
        raise UnknownNameError("example", name, list(EXAMPLES))
    return folder_on("meshes", EXAMPLES[name])


def example_head(name: str = "colin27", *, edge: float = 1.9, progress: Progress | None = None) -> HeadModel:
    """A built-in head.

    It is meshed from the labels on the shelf when first asked for (under a minute at the default edge) and
    kept in the user's cache folder, where the six used last stay.

    Parameters
    ----------
    name : {"colin27", "colin27-stroke"}
        Colin27, one person's head in MNI space; or the same with a synthetic chronic stroke (a cavity) of 40
        cm3 in the territory of the left middle cerebral artery.
    edge : float
        Edge of the finest tetrahedra, mm.
    progress : callable, optional
        Called with the stage at hand and the share of it that is done.

    Raises
    ------
    UnknownNameError
        If there is no such head.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.example_head("colin27-stroke", edge=8.0)  # far too coarse for use, and quick
    >>> sorted(head.tissue_volumes)
    ['bone', 'csf', 'eyes', 'grey_matter', 'lesion_cavity', 'scalp', 'white_matter']
    """
    folder = _folder(name)
    about = card(folder)
    labels = folder / about["labels"]
    if not isinstance(edge, int | float | np.floating | np.integer):
        raise InputError(f"Input edge must be a length in mm; instead received {edge!r:.80}.")
    parameters = {"name": name, "edge": float(edge), "variant": about.get("variants", {}).get(name)}
    try:
        path = cache_folder() / f"{name}-{_key(labels, parameters)}.npz"
    except NoCacheError as trouble:
        LOG.info("The built head is not kept: %s", trouble)
        return _built(name, edge, progress)
    head = _stored(path, name, _identity())
    if head is None:
        with _alone(path, progress):
            head = _stored(path, name, _identity())  # whoever was before us made it
            if head is None:
                head = _built(name, edge, progress)
                _store(head, path)
    return head


def _built(name: str, edge: float, progress: Progress | None) -> HeadModel:
    """A built-in head, meshed."""
    folder = _folder(name)
    about = card(folder)
    labels = folder / about["labels"]
    ready = _prepared(name, labels, about)
    head = build_prepared(ready, edge, mapping=_identity(), name=name, progress=progress)
    inputs = digests({"t1": folder / about["t1"], "labels": labels})
    known = None if head.known_fissure is None else Fissure.of_plain(head.known_fissure.plain())  # as it is kept
    return replace(head, provenance=dict(head.provenance) | {"inputs": inputs}, known_fissure=known)


@contextmanager
def _alone(path: Path, progress: Progress | None) -> Iterator[None]:
    """Wait while another process makes the same head; where nothing can be kept there is nothing to wait for."""
    tell, stage = progress if progress is not None else silent, "waiting for another run to mesh this head"
    waited = False

    def wait() -> None:
        nonlocal waited
        waited = True
        tell(stage, 0.0)

    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path, wait=wait))
        except OSError as trouble:
            LOG.info("The built head is not kept: %s", trouble)
        if waited:
            tell(stage, 1.0)
        yield


def example_images(name: str = "colin27") -> dict[str, Image]:
    """The images behind a built-in head, as `neuro_field.store.heads.write_head` takes them: ``t1`` and ``labels``."""
    folder = _folder(name)
    about = card(folder)
    labels = folder / about["labels"]
    ready = _prepared(name, labels, about)
    return {"t1": read_image(folder / about["t1"]), "labels": Image(ready.labels, ready.affine, labels)}


@dataclass(frozen=True)
class Kept:
    """A head in the cache: the file, its size in bytes, and when it was last used (seconds since the epoch)."""

    path: Path
    size: int
    used: float


def cached_heads() -> list[Kept]:
    """The built-in heads kept in the user's cache folder, last used first."""
    found = []
    for path in cache_folder().glob("[!.]*.npz"):  # not what is being written
        with suppress(FileNotFoundError):  # removed meanwhile by another run
            about = path.stat()
            found.append(Kept(path, about.st_size, about.st_mtime))
    return sorted(found, key=lambda kept: -kept.used)


def clear_cache() -> int:
    """Remove every cached head; how many there were. They are built again when next asked for."""
    heads = cached_heads()
    for kept in heads:
        kept.path.unlink(missing_ok=True)
    return len(heads)
