"""Small heads that several tests share."""

from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

import numba
import numpy as np
from phantoms import phantom_labels

import neuro_field as nf
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.mesher import mesh_labels
from neuro_field.threads import threads


@lru_cache(maxsize=1)
def small_head():
    """The phantom of ellipsoids, meshed coarsely, in MNI space."""
    labels, affine = phantom_labels(4.0)
    mapping = AffineMapping(np.eye(4), "made in MNI space")
    return nf.HeadModel.from_mesh(mesh_labels(labels, affine, edge=6.0), name="phantom", mapping=mapping)


def mirrored_head(head):
    """The same head with left and right exchanged."""
    nodes = head.mesh.nodes * [-1.0, 1.0, 1.0]
    tets = head.mesh.tets[:, [0, 1, 3, 2]]
    known = head.known_fissure
    if known is not None:
        mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
        known = replace(known, head_from_grid=mirror @ known.head_from_grid @ mirror, offsets=-known.offsets)
    return replace(head, mesh=TetMesh(nodes, tets, head.mesh.tags), known_fissure=known)


def accepted(read, *given):
    """What a reader makes of a good file; a refusal fails the test by assertion."""
    try:
        return read(*given)
    except InputError as error:
        raise AssertionError(f"a good file was refused: {error}") from None


def all_threads():
    """How many threads a user of this machine would compute in."""
    return min(threads(), numba.config.NUMBA_NUM_THREADS)


@contextmanager
def computing_in(number):
    """Kernels run in so many threads."""
    before = numba.get_num_threads()
    numba.set_num_threads(number)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def refusal(read, *given, **named):
    """The one line in which a wrong file or value is refused; anything else fails the test by assertion."""
    try:
        read(*given, **named)
    except InputError as error:
        line = str(error)
    except Exception as error:
        raise AssertionError(f"work was begun, and ended in {type(error).__name__}: {error}") from error
    else:
        raise AssertionError("it was not refused")
    assert "\n" not in line
    return line


def only(found):
    """The one of them there has to be; another number fails the test by assertion."""
    listed = list(found)
    assert len(listed) == 1, f"one was expected, {len(listed)} are there"
    return listed[0]


def said_once(findings, code):
    """The one finding of a code; that it is not said fails the test by assertion."""
    found = [each for each in findings if each.code == code]
    assert len(found) == 1, f"{code} must be said once; said are {[each.code for each in findings]}"
    return found[0]


def leaks(patches):
    """What monkeypatches have patched and not undone, by name."""
    out = []
    for patch in patches:
        out += [f"{getattr(owner, '__name__', owner)}.{name}" for owner, name, _ in patch._setattr]
        out += [str(key) for _, key, _ in patch._setitem]
        out += ["sys.path"] * (patch._savesyspath is not None) + ["the working directory"] * (patch._cwd is not None)
    return out
