"""HTML: tables as a page that needs no other file, or as a part of one."""

import html
from typing import TYPE_CHECKING

from alignir.formatting import visible
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
    body = "\n".join(map(html_table, shown))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(shown[0].title if shown else 'No table')}</title>\n<style>\n{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def html_table(table: Table) -> str:
    """The table with its caption and notes as a `figure`, for STYLE; a wide one scrolls inside of it."""
    title = escaped(table.title)
    head = _row(table.columns, '<th scope="col">{}</th>')
    rows = [_row(row, "<td>{}</td>") for row in table.without_repeats()]
    lines = [
        '<figure class="table">',
        f"<figcaption>{title}</figcaption>",
        f'<div class="scroll" role="region" tabindex="0" aria-label="{title}">',
        "<table>",
        f"<thead>{head}</thead>",
        "<tbody>",
        *rows,
        "</tbody>",
        "</table>",
        "</div>",
    ]
    notes = [f"<li>{escaped(note)}</li>" for note in table.notes]
    return "\n".join([*lines, *(["<ul>", *notes, "</ul>"] if notes else []), "</figure>"])


def templates(package: str) -> "Environment":
    """The templates that a package ships. What stands in a text is shown, never done: every value is escaped.

    `tojson` writes data for a script block: no NaN, and neither `<` nor `&` nor a line separator as it is.

    >>> templates("alignir.explore").from_string("{{ name }}: {{ {'a': '</script>'} | tojson }}").render(name="<b>")
    '&lt;b&gt;: {"a":"\\u003c/script\\u003e"}'
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader(package), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return found


def escaped(text: str) -> str:
    return html.escape(visible(text))


def _row(cells: list[str], form: str) -> str:
    return f"<tr>{''.join(form.format(escaped(cell)) for cell in cells)}</tr>"
