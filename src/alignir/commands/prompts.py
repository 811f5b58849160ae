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
from itertools import product

from alignir.commands import options

CHOICES = ("model", "dataset", "systems", "queries")
# Two runs can be compared where these settings agree, all those of systems and queries, and what was judged.
MUST_AGREE = ("model", "model.name", "pool", "missing", "reader", "without_text", "headline", "unjudged")
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
    if args.command == "log":
        shown = log_tables(args, runs)
    else:
        before, after = comparable(args, runs)
        shown = diff_tables(before, after, args)
    table.show(shown, args.format)
    return 0


def log_tables(args, runs: list) -> list:
    """The versions of all prompts, or of the one that was asked for."""
    from alignir.errors import one_of
    from alignir.tables.prompts import log_table
    from alignir.tracking.recordings import Recordings
    from alignir.tracking.runs import read_prompts

    versions = read_prompts(args.tracking_uri)
    names = sorted({version.name for version in versions})
    if args.name and args.name not in names:
        raise one_of("prompt", args.name, names)
    wanted = [version for version in versions if args.name in (None, version.name)]
    return [log_table(Recordings(runs), wanted, unused=not any(getattr(args, name) for name in CHOICES))]


def judgements(args) -> list:
    """The recorded runs of models that read a prompt; of those that differ in their users only, the newest."""
    from alignir.errors import InputError
    from alignir.tracking.runs import read_runs

    newest = {}
    for run in read_runs(args.tracking_uri, args.experiment):
        params = {key: value for key, value in run.params.items() if group(key) not in ("user_model", "assumption")}
        chosen = all(getattr(args, name) in (None, params[name]) for name in CHOICES)
        if run.reads_prompt and chosen:
            newest[frozenset({**params, "prompt.sha256": run.tags["prompt.sha256"]}.items())] = run
    if not newest:
        asked = "".join(f", {name}={getattr(args, name)}" for name in CHOICES if getattr(args, name))
        raise InputError(
            f"the experiment {args.experiment!r}{asked} has no finished run of a model that reads a prompt"
        )
    return list(newest.values())


def comparable(args, runs: list) -> tuple:
    """The run before and the run after, of the same model on the same; of several, those that differ least."""
    from alignir.errors import InputError

    before, after = (meant(text, runs) for text in (args.before, args.after))
    pairs = [(one, other) for one, other in product(before, after) if one.run_id != other.run_id]
    if not pairs:
        raise InputError(f"{args.before} and {args.after} are the same run, {before[0].run_id}")
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
    return list(unified_diff(sides[0], sides[1], names[0], names[1], lineterm=""))


def split(line: str) -> list[str]:
    """The sign of a line of a unified diff, and the line."""
    from alignir.formatting import visible

    return [line[:1], visible(line if line.startswith("@") else line[1:])]


def show_text(lines: list[str]) -> None:
    """Print a unified diff, in colours in a terminal."""
    from rich.console import Console
    from rich.text import Text

    from alignir.formatting import visible

    console = Console(soft_wrap=True)
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(visible(line), style="bold" if line.startswith(("+++", "---")) else style))
    console.print()


def diff_tables(before, after, args) -> list:
    """What changed in the labels, and in what they say of the systems."""
    from alignir.alignment import prompt_changes
    from alignir.tables.prompts import below_each_other, effect_table, flow_table, pairs_table
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
    dataset = judged_dataset(before)
    labels = [run.frame("labels.parquet") for run in (before, after)]
    both = prompt_changes.side_by_side(*labels)
    moved = prompt_changes.moved(both)
    shown.append(flow_table(prompt_changes.flow(both, after.scale), len(moved), names, title, notes))
    shown.append(effect_table(before, after, dataset.qrels, labels, names, title))
    graded = moved["move"].notna()
    for kind, pairs in (("Moved most", moved[graded]), ("Lost or gained a label", moved[~graded])):
        if len(pairs) and args.pairs > 0:
            table = pairs_table(f"{kind}: {title}", pairs, dataset, labels, names, args.pairs)
            shown.append(below_each_other(table, names) if args.format == "rich" else table)
    return shown


def judged_dataset(run):
    """The queries, passages and baseline labels that a run was about, as its config names them."""
    from alignir.config import recorded_dataset
    from alignir.experiment.as_recorded import dataset_of

    return dataset_of(run, recorded_dataset(run.file("config.yaml"), run.params["dataset"]))
