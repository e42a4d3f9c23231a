"""Every public name shows itself by an example in its docstring, and the examples do what they say."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import neuro_field as nf
from neuro_field.report.opengl import PictureError, check_opengl

PACKAGE = Path(nf.__file__).parent
MODULES = sorted(
    "neuro_field." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text() and path.name != "__init__.py"
)

#: Their examples build a whole head, run the whole validation or draw a report.
SLOW = {
    f"neuro_field.{name}"
    for name in ("clinic.study", "shelf.examples", "store.plans", "mri.build", "mri.lesion", "field.validation")
}


@pytest.mark.parametrize(
    "module", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in ["neuro_field", *MODULES]]
)
def test_examples_do_what_they_say(module, tmp_path, monkeypatch):
    if module == "neuro_field.report.view":
        try:
            check_opengl()
        except PictureError as error:
            pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)  # they write files
    found = doctest.testmod(import_module(module), optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("name", nf.__all__)
def test_every_public_name_has_an_example_that_runs(name):
    thing = getattr(nf, name)
    whole = inspect.ismodule(thing)  # of a module, its functions have them
    tests = doctest.DocTestFinder(recurse=whole).find(thing, name)
    examples = [example for test in tests for example in test.examples]
    assert examples
    assert not any(doctest.SKIP in example.options for example in examples)
