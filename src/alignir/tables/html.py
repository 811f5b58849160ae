"""HTML: tables as a page that needs no other file, or as a part of one."""

from functools import cache
from typing import TYPE_CHECKING, Any

from alignir.formatting import is_best, visible
from alignir.tables.table import Table

if TYPE_CHECKING:
    from jinja2 import Environment

TABLE_STYLE = """\
figure.table { margin: 0 0 2.5rem; }
figure.table figcaption { font-weight: 600; margin-bottom: .5rem; }
figure.table .scroll { overflow-x: auto; }
figure.table table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid;
  font-variant-numeric: tabular-nums; }
figure.table th, figure.table td { padding: .25rem .75rem; white-space: nowrap; text-align: left; }
figure.table th:nth-child(n+3), figure.table td:nth-child(n+3) { text-align: right; }
figure.table td.best { font-weight: 600; }
figure.table thead tr { border-bottom: 1px solid; }
figure.table tbody tr:hover { background: #8882; }
figure.table ul { list-style: none; margin: .5rem 0 0; padding: 0; font-size: .85rem; max-width: 60rem; }
figure.table li { overflow-wrap: anywhere; margin-bottom: .2rem; }
"""
STYLE = f"""\
{TABLE_STYLE}:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.45 system-ui, sans-serif; margin: 1.5rem; }}
@media print {{ figure.table {{ break-inside: avoid; }} figure.table .scroll {{ overflow: visible; }} }}
"""


def page(shown: list[Table]) -> str:
    """A page that needs nothing else; `html_table` is what another page takes."""
    return templates("alignir.tables").get_template("tables.html").render(tables=shown, style=STYLE)


def html_table(table: Table) -> str:
    """The table with its caption and notes as a `figure`, for STYLE; a wide one scrolls inside of it."""
    macros: Any = templates("alignir.tables").get_template("figure.html").module
    return str(macros.figure(table))


@cache
def templates(package: str) -> "Environment":
    """The templates that a package ships, with those of tables. What stands in a text is shown, never done.

    Every value is escaped, and written out where it is not visible. `tojson` writes data for a script block: no NaN,
    and neither `<` nor `&` nor a line separator as it is.

    >>> template = templates("alignir.tables").from_string("{{ name }} {{ data | tojson }}")
    >>> print(template.render(name="<b>", data="</script>"))
    &lt;b&gt; "\\u003c/script\\u003e"
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("alignir.tables")]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.tests["best"] = is_best
    found.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return found
