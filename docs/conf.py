"""Settings of Sphinx: `make docs` builds the pages without the network."""

from importlib.metadata import version as version_of

project = "sklearn-ser"
author = "the sklearn-ser developers"
copyright = f"{author}. BSD-3-Clause"
release = version_of("sklearn-ser")
version = release

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
root_doc = "index"
# The docstrings write names in single backticks: links where they are known.
default_role = "obj"

autodoc_typehints = "none"  # numpydoc's sections say more
autosummary_generate = True
# A page lists its members itself, through the template of its class.
numpydoc_show_class_members = False
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]

html_theme = "alabaster"
html_static_path = ["_static"]  # custom.css, which the theme looks for
html_theme_options = {
    "description": "Speech emotion recognition with scikit-learn",
    "page_width": "1100px",
    "sidebar_width": "260px",
    "fixed_sidebar": True,
}
html_show_sphinx = False
