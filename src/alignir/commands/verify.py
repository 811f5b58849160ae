"""Does alignir compute what others published? Recomputes it from their data, and
prints expected, got and difference.

DATA holds trec-dl-2019/, and perhaps clicks/. The published values are in
  systems.tsv                  nDCG@10 of every system: computed elsewhere, and
                               as published
  reference/nist_official_passages_eval.json
                               NIST's summary: what the first 100 results
                               decide (run files hold no more)
  reference/ndcg10_per_topic.tsv.gz
                               nDCG@10 of every system for every query
  llm_labels/judges.tsv        every judge's kappa, mean absolute error, tau and
                               rho over systems
and in alignir itself: counts and CTR by rank of the session logs, and counts
of the labels.

A value may be off by half of its last published digit, for it was rounded. Two
systems tie exactly, and some published taus have that tie broken; those are
marked and explained under the table. The exit code is 1 where a value is off
or DATA cannot be read, else 0.

examples:
  alignir verify ARCHIVE
  alignir verify ARCHIVE --format markdown
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from alignir.commands import options
from alignir.commands.published import DL19, TWINS, Check, clicks, dl19

LONG = 100  # of a longer table, only what is off and the largest difference of each kind is printed


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    about = f"the folder that holds {DL19}/, and perhaps clicks/ (required)"
    parser.add_argument("data", type=Path, metavar="DATA", help=about)
    options.add_format(parser)
    return parser


def run(args) -> int:
    from alignir.tables.table import show

    checked = {**dl19(args.data), **clicks(args.data)}
    show([*(table(title, checks) for title, checks in checked.items()), summary(checked)], args.format)
    off = [(title, check) for title, checks in checked.items() for check in checks if check.verdict == "OFF"]
    for title, check in off:
        print(
            f"alignir verify: {title}: {check.of}, {check.what} is off: expected "
            f"{check.number(check.expected, more=0)}, got {check.number(check.got)}",
            file=sys.stderr,
        )
    if not (args.data / "clicks").is_dir():
        print(f"alignir verify: no clicks in {args.data.absolute()}, so no session log was checked", file=sys.stderr)
    return 1 if off else 0


def table(title: str, checks: list[Check]):
    """What was expected, what was got and by how much they differ."""
    from alignir.tables.table import Table

    notes = []
    shown = checks
    if len(checks) > LONG:
        fine = sorted((check for check in checks if check.verdict != "OFF"), key=lambda check: abs(check.difference))
        largest = {check.what: check for check in fine}.values()
        shown = [check for check in checks if check.verdict == "OFF" or check in largest]
        notes.append(f"the largest difference of each kind, and all that are off, among {len(checks):,} values")
    ties = [check for check in checks if check.verdict == "tie"]
    if ties:
        notes += [
            f"tie: {' and '.join(TWINS)} show the same top 10 for every query, so they tie exactly under any labels.",
            f"{len(ties)} published values have that tie broken on the judge's side, as rounding in a sum can do; that",
            "lowers tau by about .0004. With it broken, ours (the number after `tie`) is as published, to all digits.",
        ]
    rows = [
        [
            check.of,
            check.what,
            check.number(check.expected, more=0),
            check.number(check.got),
            check.number(check.difference),
            f"{check.allowed:.{check.digits + 1}f}" if check.digits else "0",
            f"tie {check.number(check.tie_broken)}" if check.verdict == "tie" else check.verdict,
        ]
        for check in shown
    ]
    return Table(title, ["of", "what", "expected", "got", "difference", "allowed", ""], rows, notes)


def summary(checked: dict[str, list[Check]]):
    """Counts of values by table and by verdict."""
    from alignir.tables.table import Table

    rows = []
    for title, checks in checked.items():
        verdicts = [check.verdict for check in checks]
        rows.append([title, f"{len(checks):,}", *(f"{verdicts.count(verdict):,}" for verdict in ("ok", "tie", "OFF"))])
    notes = ["tie: as published once an exact tie is broken as it was there; OFF: not as published"]
    return Table("Published values", ["table", "values", "ok", "tie", "OFF"], rows, notes)
