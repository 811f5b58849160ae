"""Apart: what tells recorded runs of the same names from each other, said in as few letters as do.

No two runs that differ in anything that decides a number may share a row and a column of a table. What decides labels
is said of the judge; what decides that which they are compared with (the first relevant grade and the resamples of an
interval, too) of the setting; what decides online metrics of the users.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from pathlib import Path

from alignir.tracking.runs import Recorded
from alignir.tracking.settings import DATA, below, content_of, kind_of, read_of, text_of
from alignir.tracking.shapes import KINDS, Apart
from alignir.tracking.shortest import shortest

OF_LABELS = ("dataset", "queries")  # of DATA: what decides which pairs are labelled in a pool
Key = Callable[[Recorded], Hashable]


def told_apart(runs: Iterable[Recorded]) -> list[Recorded]:
    """The runs, each with what distinguishes it from the others."""
    found = _joined(runs)
    twins = _twins(found)
    apart = {
        run.run_id: run.apart._replace(version=version) for run, version in zip(found, _versions(found), strict=True)
    }

    def say(part: str, some: list[Recorded], texts: list[str]) -> None:
        for run, text in zip(some, texts, strict=True):
            apart[run.run_id] = apart[run.run_id]._replace(**{part: text})

    for some in _grouped(found, lambda run: run.judge):
        say("of_model", some, _said(some, ("model", "judge"), twins, _where_judges_meet))
        say("of_prompt", some, _said(some, ("prompt",), twins, lambda *_: None))
    for some in _grouped(found, lambda run: run.setting):
        say("of_setting", some, _said_of_data(some, DATA, twins, lambda name: kind_of(name) == "condition"))
    for some in _grouped(found, lambda run: run.labelled):
        say("of_labelled", some, _said_of_data(some, OF_LABELS, twins, lambda _: False))
    found = [replace(run, apart=apart[run.run_id]) for run in found]
    for some in _grouped(found, lambda run: run.users):
        say("of_users", some, _said(some, ("user_model",), twins, lambda run, _: run.setting))
    return [replace(run, apart=apart[run.run_id]) for run in found]


def _joined(runs: Iterable[Recorded]) -> list[Recorded]:
    """The runs; those of one dataset, by its fingerprint, call it as the first of them does.

    Unless a judge was recorded under several of its names, which are kept then.
    """
    found, names = list(runs), dict[str, str]()
    for same in _grouped(found, lambda run: run.tags.get("dataset.fingerprint") or run.run_id):
        if all(len({run.dataset for run in some}) == 1 for some in _grouped(same, lambda run: run.judge)):
            names |= {run.run_id: same[0].dataset for run in same}
    return [replace(run, apart=Apart(dataset=names.get(run.run_id, ""))) for run in found]


def _grouped(runs: Iterable[Recorded], key: Key) -> list[list[Recorded]]:
    groups: dict[Hashable, list[Recorded]] = defaultdict(list)
    for run in runs:
        groups[key(run)].append(run)
    return list(groups.values())


def _twins(runs: list[Recorded]) -> set[str]:
    """Settings in which cells differ that come to the same in all else, as two paths to equal files do."""

    def all_else(run: Recorded) -> Hashable:
        known = [name for name in run.params if kind_of(name) not in ("", "data")]
        content = frozenset((name, content_of(run, name)) for name in known)
        return run.judge, run.setting, run.users, read_of(run), run.tags.get("prompt.sha256"), content

    return {
        name
        for some in _grouped(runs, all_else)
        if len({run.cell for run in some}) > 1
        for name in {name for run in some for name in run.params}
        if kind_of(name) and _distinct(some, name, text_of) > 1
    }


def _versions(runs: list[Recorded]) -> list[str]:
    """`@2` for each run whose prompt is not what the file of its name says; empty for all others.

    Where several texts were in that file, each is a version.
    """
    own = defaultdict(set)
    for run in runs:
        if run.reads_prompt and Path(text_of(run, "prompt.file")).stem == run.params.get("prompt.name"):
            own[run.judge.prompt].add(run.tags.get("prompt.sha256"))
    texts = []
    for run in runs:
        name, prompt = run.prompt_version, run.judge.prompt
        plain = own[prompt] == {run.tags.get("prompt.sha256")} or not name
        texts.append("" if plain else name.removeprefix(prompt) if name.startswith(f"{prompt}@") else f" ({name})")
    return texts


def _where_judges_meet(run: Recorded, setting: str) -> Hashable:
    """Where two runs of one judge must not differ in a setting: which labels count may vary between datasets.

    So may the file of labels of a judge that a person named, and a jury's judges.
    """
    named = run.judge.model not in KINDS["model"]
    varies = kind_of(setting) == "judge" or (setting in ("model.labels", "model.judges") and named)
    return run.labelled.dataset if varies else None


def _said(
    runs: list[Recorded],
    kinds: tuple[str, ...],
    twins: set[str],
    where_they_meet: Callable[[Recorded, str], Hashable],
) -> list[str]:
    """The settings of these kinds in which runs of one name differ where they meet, as `labels=gpt4 pool=qrels`."""
    names = []
    for name in _settings(runs, lambda name: kind_of(name) in kinds):
        meeting = _grouped(runs, lambda run: where_they_meet(run, name))  # noqa: B023
        if any(_distinct(some, name, text_of if name in twins else content_of) > 1 for some in meeting):
            names.append(name)
    return _written(runs, names)


def _said_of_data(
    runs: list[Recorded], groups: tuple[str, ...], twins: set[str], condition: Callable[[str], bool]
) -> list[str]:
    """The same of what judges are compared on or label, which is known by what was read; and of `condition`s.

    Where nothing but changed files tells runs apart, the start of a fingerprint does: `dataset@3fa2c1d0`.
    """
    read = [read_of(run, groups) for run in runs]
    names = []
    for name in _settings(runs, lambda name: kind_of(name) == "data" and name.partition(".")[0] in groups):
        moved = _distinct(runs, name, text_of) > 1 and (name in twins or len(set(read)) > 1)
        if moved or _distinct(runs, name, lambda run, name: run.tags.get(f"sha256.{name}", "")) > 1:
            names.append(name)
    names += [name for name in _settings(runs, condition) if _distinct(runs, name, text_of) > 1]
    texts = _written(runs, names)
    if len(set(zip(texts, read, strict=True))) > len(set(texts)):
        changed = [place for place, values in enumerate(zip(*read, strict=True)) if len(set(values)) > 1]
        prints = [" ".join(f"{groups[place]}@{each[place][:8]}" for place in changed) for each in read]
        texts = [" ".join(filter(None, both)) for both in zip(texts, prints, strict=True)]
    return texts


def _settings(runs: list[Recorded], wanted: Callable[[str], bool]) -> list[str]:
    return sorted({name for run in runs for name in run.params if wanted(name)})


def _distinct(runs: Iterable[Recorded], name: str, value: Callable[[Recorded, str], str]) -> int:
    return len({value(run, name) for run in runs})


def _written(runs: list[Recorded], names: list[str]) -> list[str]:
    """The settings of these names, a text for each run; a file that has changed since with the start of its sha256."""
    texts: list[list[str]] = [[] for _ in runs]
    for name in names:
        short = shortest(text_of(run, name) for run in runs)
        changed = _distinct(runs, name, lambda run, name: text_of(run, name) + content_of(run, name)) > len(short)
        for run, found in zip(runs, texts, strict=True):
            sha256 = f"@{content_of(run, name)[:8]}" if changed else ""
            found.append(f"{below(name)}={short[text_of(run, name)]}{sha256}")
    return [" ".join(found) for found in texts]
