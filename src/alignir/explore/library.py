"""Library: DataTables, with which the page sorts and filters, as the package itables ships it."""

import re
from importlib.metadata import version
from importlib.resources import files
from typing import NamedTuple

from alignir.errors import InputError

EXPORTS = r"export\{(?:.*,)?(\w+) as default,.*?\};"  # of the module: its default is DataTables


class Library(NamedTuple):
    """What is inlined; its licences (MIT) stand at the end of the script."""

    script: str  # sets window.DataTable
    style: str


def library() -> Library:
    """Read from the package, without Jupyter. A page has no address to import a module from, so its export is replaced.

    >>> "window.DataTable=" in library().script
    True
    """
    folder = files("itables") / "html"
    script, style = ((folder / f"dt_bundle.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    found = re.search(EXPORTS, script)
    if found is None or "</script" in script.lower():
        raise InputError(
            f"itables {version('itables')} ships DataTables in another form than this version of alignir inlines: "
            "pip install 'itables>=2.9,<2.10'"
        )
    return Library(script.replace(found[0], f"window.DataTable={found[1]};"), style)
