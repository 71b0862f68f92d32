"""Sphinx configuration."""

from pricing.version import VERSION

project = "crashcover"
author = "the crashcover authors"
copyright = "2026, the crashcover authors"  # noqa: A001
release = version = VERSION

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3  # links of the form page.md#heading, which also work on a forge
exclude_patterns = ["_build"]
nb_execution_mode = "cache"  # notebooks are stored without results
nb_execution_in_temp = True  # they write files
nb_execution_raise_on_error = True
nb_execution_timeout = 300

html_theme = "furo"
html_title = f"crashcover {release}"
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sphinx = False

autodoc_typehints = "none"  # numpydoc states types, shapes and units
numpydoc_show_class_members = False
