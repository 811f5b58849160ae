"""Show what became of a prompt's versions, or what one of them changed against
another.

A changed text is a new version. What `diff` compares are versions (zeshot@1),
the starts of two runs' ids, or prompts by name, for their newest versions. No
model is asked. alignir prompts diff --help says more.

examples:
  alignir -m model=scripted prompt=zeshot,basic
  alignir prompts log
  alignir prompts log zeshot --model scripted
  alignir prompts diff zeshot@1 basic@1 --model scripted
"""

from argparse import ArgumentParser
from dataclasses import replace
from itertools import product
from pathlib import Path

from alignir.commands import options
from alignir.tables.prompts import between, day, effect_table, flow_table, number, pairs_table

CHOICES = ("model", "dataset", "systems", "queries")
TAU = "ndcg_cut_10/baseline"
# Two runs can be compared where these settings agree, all those of systems and queries, and what was judged.
MUST_AGREE = ("model", "model.name", "pool", "missing", "reader", "without_text")
NAMES_OF_TEXTS = ("prompt", "prompt.name", "prompt.file")


def arguments(prog: str) -> ArgumentParser:
    shared = options.Parser(add_help=False)
    options.add_format(shared)
    options.add_runs(shared)
    for name in CHOICES:
        shared.add_argument(f"--{name}", metavar="CHOICE", help=f"only runs with this choice of {name}= (default: all)")
    parser = options.parser(prog, __doc__)
    commands = parser.add_subparsers(dest="command", metavar="log|diff", required=True)
    about = "The versions of all prompts, or of one, with what their runs found"
    log = commands.add_parser("log", parents=[shared], help=about, description=about)
    log.add_argument("name", nargs="?", metavar="PROMPT", help="the prompt's name (default: all prompts)")
    about = "What one version changed against another: its text, the labels that moved, kappa and tau_b"
    diff = commands.add_parser("diff", parents=[shared], help=about, description=about)
    for side in ("before", "after"):
        diff.add_argument(
            side,
            metavar=side.upper(),
            help="zeshot@1, the start of a run's id, or a prompt's name for its newest version (required)",
        )
    diff.add_argument(
        "--pairs", type=int, default=5, metavar="N", help="how many of the pairs that moved are shown (default: 5)"
    )
    return parser


def run(args) -> int:
    from alignir.tables import table

    runs = judgements(args)
    shown = [log_table(args, runs)] if args.command == "log" else diff_tables(*comparable(args, runs), args)
    table.show(shown, args.format)
    return 0


def judgements(args) -> list:
    """The recorded runs of models that read a prompt; of those that differ in their users only, the newest."""
    from alignir.errors import InputError
    from alignir.tracking.runs import read_runs

    newest = {}
    for run in read_runs(args.tracking_uri, args.experiment):
        params = {key: value for key, value in run.params.items() if not key.startswith("user_model")}
        chosen = all(getattr(args, name) in (None, params[name]) for name in CHOICES)
        if run.prompt_version and chosen:
            named = replace(run, params={**params, "prompt": run.prompt_version, "user_model": ""})
            newest[frozenset({**params, "prompt.sha256": run.tags["prompt.sha256"]}.items())] = named
    if not newest:
        chosen = "".join(f", {name}={getattr(args, name)}" for name in CHOICES if getattr(args, name))
        raise InputError(
            f"the experiment {args.experiment!r}{chosen} has no finished run of a model that reads a prompt"
        )
    return list(newest.values())


def log_table(args, runs: list):
    """A row a version and cell."""
    from alignir.errors import one_of
    from alignir.tables.table import Table
    from alignir.tracking.runs import read_prompts, told_apart

    runs = told_apart(runs)
    versions = read_prompts(args.tracking_uri)
    if args.name:
        names = sorted({version.name for version in versions})
        if args.name not in names:
            raise one_of("prompt", args.name, names)
        versions = [version for version in versions if version.name == args.name]
    lines = []
    for version in versions:
        of_version = [run for run in runs if run.prompt_version == str(version)]
        lines += [log_line(run) for run in of_version]
        if not of_version and not any(getattr(args, name) for name in CHOICES):
            lines.append([str(version), *["–"] * 9, day(version.created)])
    columns = ["prompt", "file", "model", "dataset", "systems", "queries", "pairs"]
    notes = [
        "tau_b: of nDCG@10 with the baseline labels, and its 95% interval; kappa: Cohen's, on four grades",
        "unparsed: share of the pairs; no label: that and all other reasons together",
    ]
    return Table("Prompts", [*columns, "tau_b", "kappa", "unparsed", "no label", "date"], lines, notes)


def log_line(run) -> list[str]:
    found = run.metrics
    interval = tuple(found.get(f"{end}/{TAU}", float("nan")) for end in ("ci_low", "ci_high"))
    return [
        run.names["prompt"],
        Path(run.params.get("prompt.file", "")).name,
        run.names["model"],
        run.names["dataset"],
        f"{found['n_systems']:.0f} {run.names['systems']}",
        f"{found['n_queries']:.0f} {run.names['queries']}",
        f"{found['n_pairs']:,.0f}",
        number(found.get(f"tau_b/{TAU}", float("nan"))) + between(*interval),
        number(found.get("agreement/kappa4", float("nan"))),
        f"{found['status/unparsed'] / found['n_pairs']:.1%}",
        f"{1 - found['coverage']:.1%}",
        day(run.started),
    ]


def comparable(args, runs: list) -> tuple:
    """The run before and the run after, of the same model on the same; of several, those that differ least."""
    from alignir.errors import InputError

    sides = [meant(text, runs) for text in (args.before, args.after)]
    pairs = [pair for pair in product(*sides) if pair[0].run_id != pair[1].run_id]
    if not pairs:
        raise InputError(f"{args.before} and {args.after} are the same run, {sides[0][0].run_id}")
    fitting = [pair for pair in pairs if not obstacles(*pair)]
    if not fitting:
        one, other = min(pairs, key=lambda pair: len(obstacles(*pair)))
        raise InputError(
            f"{args.before} and {args.after} have no runs that can be compared; the closest, {one.run_id[:8]} and "
            f"{other.run_id[:8]}, differ in {'; '.join(obstacles(one, other))}"
        )
    least = min(len(differing(*pair)) for pair in fitting)
    closest = [pair for pair in fitting if len(differing(*pair)) == least]
    if len(closest) > 1:
        choices = "".join(
            f"\n  {one.run_id[:8]} {other.run_id[:8]}  {', '.join(one.names[name] for name in CHOICES)}"
            for one, other in closest
        )
        raise InputError(
            f"{args.before} and {args.after} were compared in {len(closest)} ways; choose with --model, --dataset, "
            f"--systems or --queries, or name two runs:{choices}"
        )
    return closest[0]


def meant(text: str, runs: list) -> list:
    """The runs of a version, of a prompt's newest version, or the one run whose id starts so."""
    from alignir.errors import InputError

    versions = sorted({(run.params["prompt.name"], int(run.tags["prompt.version"])) for run in runs})
    newest = {name: f"{name}@{version}" for name, version in versions}
    wanted = newest.get(text, text)
    found = [run for run in runs if run.prompt_version == wanted]
    found = found or [run for run in runs if len(text) >= 4 and run.run_id.startswith(text)]
    if not found:
        known = ", ".join(f"{name}@{version}" for name, version in versions)
        raise InputError(f"no finished run of a prompt {text!r}, nor one whose id starts so; there are: {known}")
    if wanted != found[0].prompt_version and len(found) > 1:
        raise InputError(f"{text}: {len(found)} runs start so: {', '.join(run.run_id for run in found)}")
    return found


def obstacles(one, other) -> list[str]:
    """What keeps two runs from being compared."""
    sides = []
    for run in (one, other):
        dataset = f"{run.names['dataset']} ({run.tags['dataset.fingerprint'][:8]})"
        must = {key: run.params[key] for key in run.params if key in MUST_AGREE or group(key) in ("systems", "queries")}
        sides.append({**must, "dataset": dataset, "model.revision": run.tags.get("model.revision") or "–"})
    return unequal(*sides)


def differing(one, other) -> list[str]:
    """Settings of the model and of the prompt in which two runs differ that can be compared."""
    sides = [
        {key: run.params[key] for key in run.params if group(key) in ("model", "prompt") and key not in NAMES_OF_TEXTS}
        for run in (one, other)
    ]
    return unequal(*sides)


def group(setting: str) -> str:
    return setting.partition(".")[0]


def unequal(left: dict, right: dict) -> list[str]:
    keys = sorted({*left, *right})
    return [f"{key}: {left.get(key, '–')} and {right.get(key, '–')}" for key in keys if left.get(key) != right.get(key)]


def text_lines(before, after, names: list[str]) -> list[str]:
    """A unified diff of what the two runs sent: the system message, where there is one, and the template."""
    from difflib import unified_diff

    sides = []
    for run in (before, after):
        system, text = run.text("prompt_system.txt"), run.text("prompt.txt")
        sides.append([*(f"system: {line}" for line in system.splitlines()), *text.splitlines()])
    return list(unified_diff(*sides, *names, lineterm=""))


def split(line: str) -> list[str]:
    """The sign of a line of a unified diff, and the line."""
    from alignir.tables.table import visible

    return [line[:1], visible(line if line.startswith("@") else line[1:])]


def show_text(lines: list[str]) -> None:
    """Print a unified diff, in colours in a terminal."""
    from rich.console import Console
    from rich.text import Text

    from alignir.tables.table import visible

    console = Console(soft_wrap=True)
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(visible(line), style="bold" if line.startswith(("+++", "---")) else style))
    console.print()


def diff_tables(before, after, args) -> list:
    """What changed in the labels, and in what they say of the systems."""
    from alignir.alignment import prompt_changes
    from alignir.tables.table import Table

    names = [before.prompt_version, after.prompt_version]
    if names[0] == names[1]:
        names = [f"{name} ({run.run_id[:8]})" for name, run in zip(names, (before, after), strict=True)]
    title = f"{' → '.join(names)}, {before.names['model']}, {before.names['dataset']}"
    notes = [f"also different: {difference}" for difference in differing(before, after)]
    lines, shown = text_lines(before, after, names), []
    if not lines:
        same = before.tags["prompt.sha256"] == after.tags["prompt.sha256"]
        notes.append("the texts are the same" if same else "the texts differ in the system message, which was not kept")
    elif args.format == "rich":
        show_text(lines)
    else:
        shown.append(Table(f"Text: {title}", ["", "line"], [split(line) for line in lines[2:]]))
    dataset = judged_dataset(before, args)
    labels = [run.frame("labels.parquet") for run in (before, after)]
    both = prompt_changes.side_by_side(*labels)
    moved = prompt_changes.moved(both)
    shown.append(flow_table(prompt_changes.flow(both), len(moved), names, title, notes))
    shown.append(effect_table(before, after, dataset.qrels, labels, names, title))
    graded = moved["move"].notna()
    for kind, pairs in (("Moved most", moved[graded]), ("Lost or gained a label", moved[~graded])):
        if len(pairs) and args.pairs > 0:
            shown.append(pairs_table(f"{kind}: {title}", pairs, dataset, labels, names, args))
    return shown


def judged_dataset(run, args):
    """The queries, passages and baseline labels that a run was about, as its config names them."""
    import tempfile

    from alignir.config import recorded_cell
    from alignir.errors import InputError
    from alignir.tracking.runs import artifact

    with tempfile.TemporaryDirectory() as folder:
        everything = recorded_cell(artifact(args.tracking_uri, run, "config.yaml", folder), run.names).dataset()
    dataset = everything.of(run.frame("scores.parquet")["query_id"].unique())
    if dataset.fingerprint != run.tags["dataset.fingerprint"]:
        raise InputError(f"the dataset {dataset.name} is not what it was when run {run.run_id[:8]} was recorded")
    return dataset
