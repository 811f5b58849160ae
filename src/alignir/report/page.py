"""Page: one file of HTML with all that recorded runs say: tables, figures, methods, and how to run them again."""

import shlex
from base64 import b64encode
from dataclasses import dataclass, field

from alignir.figures.choices import KINDS
from alignir.formatting import counted
from alignir.report import entries as recorded
from alignir.report import methods
from alignir.report.answer import Answer
from alignir.report.entries import Entry
from alignir.report.methods import Part
from alignir.report.style import PAGE_STYLE, POLICY
from alignir.tables.html import STYLE, templates
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
    "judges": "Judges",
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
NO_ORDER = "No recorded run has two systems or more, so that there is no order to agree with."
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


@dataclass(frozen=True)
class Shown:
    """A table as it stands on the page: small enough in print to show all of its columns, and folded if it is long."""

    table: Table
    kind: str = "numbers"

    @property
    def letters(self) -> str:
        letters = [max(map(len, column)) + 2 for column in zip(self.table.columns, *self.table.rows, strict=True)]
        if self.kind == "numbers":
            letters[:2] = [min(NAMES, each) for each in letters[:2]]
        return f"{PRINTED / sum(letters):.1f}"

    @property
    def folded(self) -> bool:
        return len(self.table.rows) >= LONG

    @property
    def rows(self) -> str:
        return counted(len(self.table.rows), "row")


@dataclass(frozen=True)
class Section:
    """What stands under one heading, or under that of its chapter where it has no name."""

    name: str = ""
    tables: list[Shown] = field(default_factory=list)
    pictures: list[dict] = field(default_factory=list)
    part: dict | None = None
    commands: list[dict] | None = None
    notes: list[str] | None = None
    answer: Answer | None = None


def page(
    experiment: str,
    tables: dict[str, list[Table]],
    pictures: list[Picture],
    entries: list[Entry],
    commands: dict[int, Command],
    answers: list[Answer],
    explorer: str = "",
) -> str:
    """The page; `tables` by kind, `commands` by the entries' number. Tables without rows are left out.

    Each answer has the picture of its judges: both stand in the same order. `explorer`: where its page is, if it is.
    """
    drawn = _pictures(pictures)
    first = drawn.pop(FIGURES["judges"], [])
    sections = [Section(each.title, pictures=[own], answer=each) for each, own in zip(answers, first, strict=True)]
    shown = {kind: [Shown(table) for table in some if table.rows] for kind, some in tables.items()}
    chapters = [
        ("answer", "The answer", sections or [Section(notes=[NO_ORDER])]),
        ("runs", "Runs", [Section(tables=[Shown(recorded.runs_table(entries), "runs")])]),
        ("tables", "Tables", [Section(TABLES[kind], some) for kind, some in shown.items() if some]),
        ("figures", "Figures", [Section(kind, pictures=some) for kind, some in drawn.items()]),
        ("methods", "Methods", [Section(part.title, part=_part(part)) for part in methods.parts(entries)]),
        ("environment", "Environment", [Section(part=_part(methods.environment(entries)))]),
        ("again", "How to run each cell again", [Section(commands=_commands(entries, commands))]),
        ("notes", "Notes and warnings of the runs", [Section(notes=recorded.notes(entries))]),
    ]
    return (
        templates("alignir.report")
        .get_template("report.html")
        .render(
            experiment=experiment,
            explorer=explorer,
            headline=_headline(experiment, entries),
            policy=POLICY,
            style=STYLE + PAGE_STYLE,
            chapters=[dict(zip(("anchor", "title", "sections"), chapter, strict=True)) for chapter in chapters],
        )
    )


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


def _pictures(pictures: list[Picture]) -> dict[str, list[dict]]:
    """By the title of their kind."""
    sections: dict[str, list[dict]] = {}
    for number, picture in enumerate(pictures, 1):
        kind = picture.name.partition("-")[0]
        about = KINDS[kind][0].upper() + KINDS[kind][1:]
        data = b64encode(picture.svg).decode("ascii")
        what = {"number": number, "name": picture.name, "title": picture.title, "about": about, "data": data}
        sections.setdefault(FIGURES[kind], []).append(what)
    return sections


def _part(part: Part) -> dict:
    tables = [Shown(table, "settings") for table in part.tables]
    return {"sentences": part.sentences, "texts": part.texts, "tables": tables}


def _commands(entries: list[Entry], commands: dict[int, Command]) -> list[dict]:
    return [
        {
            "number": entry.number,
            "title": " · ".join(filter(None, _names(entry))),
            "why_not": commands[entry.number].why_not,
            "line": shlex.join(["alignir", *commands[entry.number].arguments]),
        }
        for entry in entries
    ]


def _names(entry: Entry) -> tuple[str, ...]:
    return entry.run.judge.model, entry.run.judge.prompt, entry.run.setting.dataset
