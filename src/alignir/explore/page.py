"""Page: the explorer as one file of HTML that needs no server and no network, whatever stands in a text."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from typing import Any

from alignir import __version__
from alignir.data.collections import Dataset
from alignir.data.ranked import Runs
from alignir.explore.compared import by_query, compared
from alignir.explore.library import library
from alignir.explore.pairs import pairs_of
from alignir.explore.strings import Strings, within
from alignir.formatting import counted
from alignir.frames import STATUSES
from alignir.tables.html import templates
from alignir.tables.names import headline, setting_titles
from alignir.tables.notes import interval_note, measure_notes
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Setting

SCRIPTS = ("elements", "tables", "overview", "pairs", "grading", "start")  # of templates, in the order that they run in
ANSWERS = 8_000_000  # letters of all answers together that a page keeps
Read = Callable[[Recorded], tuple[Dataset, Runs]]  # a run's dataset and rankings, as they were


def settings_of(recordings: Recordings, dataset: str | None = None) -> list[Setting]:
    """What there is to look into: settings with an order of systems, of this dataset or of all."""
    found = {run.setting for run in recordings if dataset in (None, run.params["dataset"], run.labelled.dataset)}
    return sorted(setting for setting in found if setting.n_systems > 1)


def count(recordings: Recordings, settings: list[Setting]) -> int:
    """How many runs are of these settings."""
    return sum(run.setting in settings for run in recordings)


def page(experiment: str, recordings: Recordings, settings: list[Setting], read: Read) -> str:
    """The page. Texts are data in it, which its script shows as texts; the browser is told to load and send nothing."""
    passages, answers, titles = Strings(), Strings(), setting_titles(settings)
    parts = [
        _of_setting(recordings, each, title, read, passages, answers)
        for each, title in zip(settings, titles, strict=True)
    ]
    said, letters = within(answers.texts, ANSWERS)
    data = {"settings": parts, "passages": passages.texts, "answers": said, "letters": letters, "statuses": STATUSES}
    ours, theirs = files("alignir.explore") / "templates", library()
    script = "\n".join((ours / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return (
        templates("alignir.explore")
        .get_template("explore.html")
        .render(
            experiment=experiment,
            about=", ".join([counted(count(recordings, settings), "run"), *titles]),
            version=__version__,
            policy=policy(theirs.script, script),
            library=theirs,
            style=(ours / "explore.css").read_text(encoding="utf-8"),
            script=script,
            data=data,
        )
    )


def policy(*scripts: str) -> str:
    """What a browser may do with the page: run these scripts and no others; load nothing, send nothing."""
    hashes = " ".join(f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" for each in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _of_setting(
    recordings: Recordings, setting: Setting, title: str, read: Read, passages: Strings, answers: Strings
) -> dict[str, Any]:
    runs = recordings.by_setting()[setting]
    newest = list(runs.values())[-1]
    dataset, rankings = read(newest)
    query_ids = list(dataset.queries.index)
    found = compared(recordings, setting, runs, query_ids)
    labels = [runs[judge].frame("labels.parquet") for judge in found.judges]
    comparable = [line["alike"] for line in found.numbers["judges"]]
    return {
        "title": title,
        "key": dataset.fingerprint[:16],
        "measure": newest.headline,
        "notes": [*measure_notes(runs.values()), interval_note(list(runs.values()))],
        "scale": {"grades": list(dataset.scale.grades), "relevant_from": dataset.scale.relevant_from},
        "systems": found.systems,
        "queries": [{"id": query_id, "text": dataset.queries[query_id]} for query_id in query_ids],
        **found.numbers,
        **by_query(dataset.qrels, labels, comparable, query_ids),
        "pairs": pairs_of(dataset, labels, comparable, rankings, found.systems, headline(newest), passages, answers),
    }
