"""How Sphinx builds the documentation: Markdown (MyST), the Furo theme, nothing fetched."""

from importlib.metadata import version as version_of

project = "claimledger"
author = "The claimledger authors"
copyright = f"2026, {author}"
release = version = version_of("claimledger")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_extra_path = ["reference/jsonl.schema.json"]
source_suffix = {".md": "markdown"}

html_theme = "furo"
html_title = f"claimledger {release}"
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "literal"  # one backtick in a docstring is a word of the code

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_numpy_docstring = False
