"""Dossier: one page of HTML with all that recorded runs say: tables, figures, methods, and how to run them again."""

import html
import shlex
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from alignir.figures.choices import KINDS
from alignir.report import methods
from alignir.report.methods import Entry, Part
from alignir.tables.table import STYLE, Table, html_table, visible
from alignir.tracking.runs import Recorded

TABLES = {
    "baseline": "Alignment with the baseline labels",
    "online": "Alignment with users",
    "labels": "Labels",
    "compare": "Judges compared",
    "agreement": "Agreement of labels",
    "correlations": "Other correlations",
    "judged": "Judged results",
    "measures": "Other offline measures",
    "alignment": "Every tau_b in full",
}
FIGURES = {
    "labels": "Distribution of labels",
    "confusion": "Confusion",
    "calibration": "Calibration",
    "scores": "Scores of systems",
    "ranks": "Ranks of systems",
    "online": "Online metrics",
    "tau": "Every tau",
}
LONG = 30  # rows from which a table is folded: there for a doubt, not to be read from top to bottom
PRINTED = 1000  # letters of one point side by side on a printed page
NAMES = 20  # letters of a name that stand on one line there
# Nothing is loaded, nothing runs and nothing is sent, whatever stands in a name or a text.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
PAGE_STYLE = """\
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 80rem; overflow-wrap: anywhere; }
p, li { max-width: 60rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid; padding-bottom: .25rem; }
h3 { margin-top: 2.25rem; }
h4 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
nav ol { padding-left: 1.25rem; }
nav > ol > li { margin-bottom: .5rem; }
summary { cursor: pointer; font-weight: 600; margin-bottom: 1rem; }
nav ol ol { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; list-style: none; padding: 0; }
figure { margin: 0 0 2rem; }
figure.table { font-size: .9rem; }
figure.drawing .scroll { overflow-x: auto; }
figure.drawing img { display: block; background: white; }
figure.drawing figcaption { font-size: .85rem; margin-top: .25rem; }
.runs figure.table, .settings figure.table { font-size: .85rem; }
.runs figure.table th, .runs figure.table td { text-align: left; }
.settings figure.table th, .settings figure.table td { text-align: left; vertical-align: top; white-space: normal;
  overflow-wrap: normal; max-width: 40rem; }
.settings figure.table td:first-child { white-space: nowrap; }
pre { white-space: pre-wrap; font-size: .85rem; background: #8881; border: 1px solid #8886; padding: .75rem;
  margin: 0 0 1rem; }
@media print, (max-width: 40rem) {
  .numbers th.text, .numbers td.text { white-space: normal; overflow-wrap: anywhere; min-width: 6rem; }
  figure.table th, figure.table td { padding: .15rem .4rem; }
}
@media (max-width: 40rem) { figure.table, .settings figure.table, .runs figure.table { font-size: .8rem; } }
@page { size: A4; margin: 15mm; }
@media print {
  :root { font-size: 9.5pt; }
  body { max-width: none; padding: 0; }
  h1, h2, h3, h4, .about, figure.table figcaption { break-after: avoid; }
  h2 { margin-top: 2rem; }
  figure.drawing, tr, .together { break-inside: avoid; }
  figure.drawing img { max-width: 100%; max-height: 230mm; margin: 0 auto; }
  details figure.table { break-inside: auto; }
  figure.table table { font-size: min(8.5pt, calc(var(--print, 8.5) * 1pt)); }
  .scroll { overflow: visible; }
}
"""


@dataclass(frozen=True)
class Picture:
    """A drawn figure."""

    name: str  # as gallery.drawings has it: its kind first
    title: str
    svg: bytes


@dataclass(frozen=True)
class Command:
    """How a recorded run is made again, or why that is not known."""

    arguments: tuple[str, ...] = ()
    why_not: str = ""


def page(
    experiment: str,
    recorded: list[Recorded],
    tables: dict[str, list[Table]],
    pictures: list[Picture],
    entries: list[Entry],
    commands: dict[int, Command],
) -> str:
    """The page; `tables` by kind, `commands` by the entries' number. Tables without rows are left out."""
    tables = {kind: [table for table in some if table.rows] for kind, some in tables.items()}
    chapters = [
        ("runs", "Runs", {"": _one_table(methods.runs_table(entries), "runs")}),
        ("tables", "Tables", {TABLES[kind]: "\n".join(map(_one_table, some)) for kind, some in tables.items() if some}),
        ("figures", "Figures", _figures(pictures)),
        ("methods", "Methods", {part.title: _part(part) for part in methods.parts(entries)}),
        ("environment", "Environment", {"": _part(methods.environment(entries))}),
        ("again", "How to run each cell again", {"": _commands(entries, commands)}),
        ("notes", "Notes and warnings of the runs", {"": _notes(methods.notes(entries))}),
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>alignir report: {_escaped(experiment)}</title>
<style>
{STYLE}{PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>alignir report</h1>
<p>{_escaped(_headline(experiment, recorded))}</p>
</header>
<nav aria-labelledby="contents">
<h2 id="contents">Contents</h2>
<ol>
{"".join(_content(*chapter) for chapter in chapters)}</ol>
</nav>
<main>
{"".join(_chapter(*chapter) for chapter in chapters)}</main>
</body>
</html>
"""


def _headline(experiment: str, recorded: list[Recorded]) -> str:
    """How many runs, of what, and when."""
    counts = [
        (len({run.params[group] for run in recorded}), name)
        for group, name in (
            ("model", "model"),
            ("prompt", "prompt"),
            ("dataset", "dataset"),
            ("user_model", "user model"),
        )
    ]
    of = ", ".join(f"{count} {name}{'s' * (count > 1)}" for count, name in counts)
    days = sorted({f"{run.started:%Y-%m-%d}" for run in recorded if run.started})
    when = f" of {days[0]}" + (f" to {days[-1]}" if days[-1] != days[0] else "") if days else ""
    return f"Experiment {experiment}, {len(recorded)} run{'s' * (len(recorded) > 1)}{when}: {of}."


def _content(anchor: str, title: str, sections: dict[str, str]) -> str:
    below = [
        f'<li><a href="#{anchor}-{place}">{_escaped(name)}</a></li>' for place, name in enumerate(sections) if name
    ]
    return f'<li><a href="#{anchor}">{title}</a>{"<ol>" + "".join(below) + "</ol>" if below else ""}</li>\n'


def _chapter(anchor: str, title: str, sections: dict[str, str]) -> str:
    parts = [f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{title}</h2>']
    for place, (name, content) in enumerate(sections.items()):
        parts += [f'<h3 id="{anchor}-{place}">{_escaped(name)}</h3>'] if name else []
        parts.append(content)
    return "\n".join([*parts, "</section>\n"])


def _one_table(table: Table, kind: str = "numbers") -> str:
    """A table, small enough in print to show all of its columns, and folded if it is long."""
    letters = [max(map(len, column)) + 2 for column in zip(table.columns, *table.rows, strict=True)]
    if kind == "numbers":
        letters[:2] = [min(NAMES, each) for each in letters[:2]]
    drawn = f'<div class="{kind}" style="--print: {PRINTED / sum(letters):.1f}">\n{html_table(table)}\n</div>'
    if len(table.rows) < LONG:
        return drawn
    what = f"{len(table.rows):,} rows: {_escaped(table.title)}"
    return f"<details>\n<summary>{what}</summary>\n{drawn}\n</details>"


def _figures(pictures: list[Picture]) -> dict[str, str]:
    sections: dict[str, str] = {}
    for number, picture in enumerate(pictures, 1):
        kind = picture.name.partition("-")[0]
        about = KINDS[kind][0].upper() + KINDS[kind][1:]
        sections.setdefault(FIGURES[kind], f'<p class="about">{_escaped(about)}.</p>\n')
        sections[FIGURES[kind]] += _picture(number, picture)
    return sections


def _picture(number: int, picture: Picture) -> str:
    data = b64encode(picture.svg).decode("ascii")
    return (
        f'<figure class="drawing">\n<div class="scroll" role="region" tabindex="0" aria-label="Figure {number}">\n'
        f'<img alt="{_escaped(picture.title)}" src="data:image/svg+xml;base64,{data}">\n</div>\n'
        f"<figcaption>Figure {number}. {_escaped(picture.title)} ({_escaped(picture.name)})</figcaption>\n</figure>\n"
    )


def _part(part: Part) -> str:
    sentences = [f"<p>{_escaped(' '.join(part.sentences))}</p>"] if part.sentences else []
    texts = [f"<h4>{_escaped(title)}</h4>\n<pre>{_lines(text)}</pre>" for title, text in part.texts]
    return "\n".join([*sentences, *texts, *(_one_table(table, "settings") for table in part.tables)])


def _commands(entries: list[Entry], commands: dict[int, Command]) -> str:
    parts = [
        "<p>Each command composes the settings that the run recorded: that was tried when this page was made. Paths "
        "are relative to the folder that the run was started in.</p>"
    ]
    for entry in entries:
        groups = ("model", "prompt", "dataset") if entry.prompt else ("model", "dataset")
        command, title = commands[entry.number], " · ".join(entry.run.names[group] for group in groups)
        what = (
            f"<p>No command is known to give these settings: {_escaped(command.why_not)}</p>"
            if command.why_not
            else f"<pre>{_lines(shlex.join(['alignir', *command.arguments]))}</pre>"
        )
        parts.append(f'<div class="together">\n<h4>Run {entry.number}: {_escaped(title)}</h4>\n{what}\n</div>')
    return "\n".join(parts)


def _notes(found: Iterable[str]) -> str:
    notes = [f"<li>{_escaped(note)}</li>" for note in found]
    return "\n".join(["<ul>", *notes, "</ul>"]) if notes else "<p>No run noted anything.</p>"


def _escaped(text: str) -> str:
    return html.escape(visible(text))


def _lines(text: str) -> str:
    """A text of several lines, as it is."""
    return "\n".join(map(_escaped, text.split("\n")))
