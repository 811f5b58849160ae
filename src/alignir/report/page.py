"""Page: one file of HTML with all that recorded runs say: tables, figures, methods, and how to run them again."""

import shlex
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from alignir.figures.choices import KINDS
from alignir.report import entries as recorded
from alignir.report import methods
from alignir.report.entries import Entry
from alignir.report.methods import Part
from alignir.report.style import PAGE_STYLE, POLICY
from alignir.tables.html import STYLE, escaped, html_table
from alignir.tables.table import Table

TABLES = {
    "baseline": "Alignment with the baseline labels",
    "online": "Alignment with users",
    "judges": "Judges, best first",
    "pairs": "Pairs that users compared",
    "top": "Alignment among the best systems",
    "labels": "Labels",
    "systems": "Systems",
    "compare": "Judges compared",
    "agreement": "Agreement of labels",
    "correlations": "Other correlations",
    "families": "Kinds of systems",
    "judged": "Judged results",
    "quality": "Systems of known order",
    "measures": "Other offline measures",
    "questions": "The study's questions",
    "alignment": "Every tau_b in full",
}
FIGURES = {
    "labels": "Distribution of labels",
    "confusion": "Confusion",
    "calibration": "Calibration",
    "scores": "Scores of systems",
    "ranks": "Ranks of systems",
    "top": "tau among the best systems",
    "cost": "tau over cost",
    "size": "tau over size",
    "online": "Online metrics",
    "tau": "Every tau",
}
LONG = 30  # rows from which a table is folded: there for a doubt, not to be read from top to bottom
PRINTED = 1000  # letters of one point side by side on a printed page
NAMES = 20  # letters of a name that stand on one line there


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
    tables: dict[str, list[Table]],
    pictures: list[Picture],
    entries: list[Entry],
    commands: dict[int, Command],
) -> str:
    """The page; `tables` by kind, `commands` by the entries' number. Tables without rows are left out."""
    tables = {kind: [table for table in some if table.rows] for kind, some in tables.items()}
    chapters = [
        ("runs", "Runs", {"": _one_table(recorded.runs_table(entries), "runs")}),
        ("tables", "Tables", {TABLES[kind]: "\n".join(map(_one_table, some)) for kind, some in tables.items() if some}),
        ("figures", "Figures", _figures(pictures)),
        ("methods", "Methods", {part.title: _part(part) for part in methods.parts(entries)}),
        ("environment", "Environment", {"": _part(methods.environment(entries))}),
        ("again", "How to run each cell again", {"": _commands(entries, commands)}),
        ("notes", "Notes and warnings of the runs", {"": _notes(recorded.notes(entries))}),
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>alignir report: {escaped(experiment)}</title>
<style>
{STYLE}{PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>alignir report</h1>
<p>{escaped(_headline(experiment, entries))}</p>
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


def _headline(experiment: str, entries: list[Entry]) -> str:
    """How many runs, of what, and when."""
    runs = [entry.run for entry in entries]
    counts: dict[str, set] = {
        "model": {(run.judge.model, run.judge.of_model) for run in runs},
        "prompt": {(run.judge.prompt, run.judge.version) for run in runs if run.reads_prompt},
        "dataset": {(run.labelled.dataset, run.labelled.apart) for run in runs},
        "user model": {run.users for run in runs},
    }
    of = ", ".join(f"{len(found)} {name}{'s' * (len(found) > 1)}" for name, found in counts.items() if found)
    days = sorted({f"{run.started:%Y-%m-%d}" for run in runs if run.started})
    when = f" of {days[0]}" + (f" to {days[-1]}" if days[-1] != days[0] else "") if days else ""
    return f"Experiment {experiment}, {len(runs)} run{'s' * (len(runs) > 1)}{when}: {of}."


def _content(anchor: str, title: str, sections: dict[str, str]) -> str:
    below = [f'<li><a href="#{anchor}-{place}">{escaped(name)}</a></li>' for place, name in enumerate(sections) if name]
    return f'<li><a href="#{anchor}">{title}</a>{"<ol>" + "".join(below) + "</ol>" if below else ""}</li>\n'


def _chapter(anchor: str, title: str, sections: dict[str, str]) -> str:
    parts = [f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{title}</h2>']
    for place, (name, content) in enumerate(sections.items()):
        parts += [f'<h3 id="{anchor}-{place}">{escaped(name)}</h3>'] if name else []
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
    what = f"{len(table.rows):,} rows: {escaped(table.title)}"
    return f"<details>\n<summary>{what}</summary>\n{drawn}\n</details>"


def _figures(pictures: list[Picture]) -> dict[str, str]:
    sections: dict[str, str] = {}
    for number, picture in enumerate(pictures, 1):
        kind = picture.name.partition("-")[0]
        about = KINDS[kind][0].upper() + KINDS[kind][1:]
        sections.setdefault(FIGURES[kind], f'<p class="about">{escaped(about)}.</p>\n')
        sections[FIGURES[kind]] += _picture(number, picture)
    return sections


def _picture(number: int, picture: Picture) -> str:
    data = b64encode(picture.svg).decode("ascii")
    return (
        f'<figure class="drawing">\n<div class="scroll" role="region" tabindex="0" aria-label="Figure {number}">\n'
        f'<img alt="{escaped(picture.title)}" src="data:image/svg+xml;base64,{data}">\n</div>\n'
        f"<figcaption>Figure {number}. {escaped(picture.title)} ({escaped(picture.name)})</figcaption>\n</figure>\n"
    )


def _part(part: Part) -> str:
    sentences = [f"<p>{escaped(' '.join(part.sentences))}</p>"] if part.sentences else []
    texts = [f"<h4>{escaped(title)}</h4>\n<pre>{_lines(text)}</pre>" for title, text in part.texts]
    return "\n".join([*sentences, *texts, *(_one_table(table, "settings") for table in part.tables)])


def _commands(entries: list[Entry], commands: dict[int, Command]) -> str:
    parts = [
        "<p>Each command composes the settings that the run recorded: that was tried when this page was made. Paths "
        "are relative to the folder that the run was started in.</p>"
    ]
    for entry in entries:
        command, title = commands[entry.number], " · ".join(filter(None, _names(entry)))
        what = (
            f"<p>No command is known to give these settings: {escaped(command.why_not)}</p>"
            if command.why_not
            else f"<pre>{_lines(shlex.join(['alignir', *command.arguments]))}</pre>"
        )
        parts.append(f'<div class="together">\n<h4>Run {entry.number}: {escaped(title)}</h4>\n{what}\n</div>')
    return "\n".join(parts)


def _names(entry: Entry) -> tuple[str, ...]:
    return entry.run.judge.model, entry.run.judge.prompt, entry.run.setting.dataset


def _notes(found: Iterable[str]) -> str:
    notes = [f"<li>{escaped(note)}</li>" for note in found]
    return "\n".join(["<ul>", *notes, "</ul>"]) if notes else "<p>No run noted anything.</p>"


def _lines(text: str) -> str:
    """A text of several lines, as it is."""
    return "\n".join(map(escaped, text.split("\n")))
