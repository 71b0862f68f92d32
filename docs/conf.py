"""Sphinx configuration."""

from pricing.version import VERSION

project = "crashcover"
author = "the crashcover authors"
copyright = "2026, the crashcover authors"  # noqa: A001
release = version = VERSION

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Prices insurance against sudden falls of a token's price", "page_width": "1080px"}

autodoc_typehints = "none"  # numpydoc states types, shapes and units
numpydoc_show_class_members = False
