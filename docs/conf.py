"""How the documentation is built: sphinx-build -W docs build/docs, or `make docs`."""

import sys
from pathlib import Path

from docutils.utils.math.latex2mathml import tex2mathml

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import commands  # noqa: E402
import drawings  # noqa: E402
import tables  # noqa: E402

import neuro_field  # noqa: E402

project = "neuro_field"
author = "the authors of neuro_field"
version = release = neuro_field.__version__
copyright = "the authors of neuro_field, BSD-3-Clause"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["made/*.md", "worked/*.md"]
smartquotes = False  # -- is an option, no dash

html_theme = "furo"
html_title = "neuro_field"
html_static_path = ["style"]
html_css_files = ["pages.css"]
html_copy_source = html_show_sourcelink = False
html_math_renderer = "mathml"
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": {"color-brand-primary": "#1f5f8b", "color-brand-content": "#1f5f8b"},
    "dark_css_variables": {"color-brand-primary": "#7db8e0", "color-brand-content": "#7db8e0"},
}

myst_enable_extensions = ["dollarmath", "substitution", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
#: What the pages say in double braces, made from the package's own data and from what was measured.
myst_substitutions = {**tables.everything(), **tables.measured(HERE / "worked")}

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say kinds, shapes and units
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True


def _inline(translator, node):
    translator.body.append(tex2mathml(node.astext()))
    raise _skip()


def _block(translator, node):
    translator.body.append(f'<div class="math-block">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise _skip()


def _skip():
    from docutils.nodes import SkipNode

    return SkipNode()


def _plain_bars(app, what, name, thing, options, lines):
    """|E| is a magnitude in the docstrings, not a substitution."""
    lines[:] = [line if line.lstrip().startswith(">>>") else line.replace("|E|", r"\|E\|") for line in lines]


def _make(app):
    drawings.draw_all(HERE / "made")
    commands.write_reference(HERE / "made")


def setup(app):
    """Formulas as MathML, which browsers draw without a script or a network; and what the pages include."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("autodoc-process-docstring", _plain_bars)
    app.connect("builder-inited", _make)
