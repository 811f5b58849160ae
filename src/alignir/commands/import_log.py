"""Turn a session log into alignir's table, one row a shown result, and say what
is in it.

Forms of logs:
  yandex         lines `session time Q query region url1 url2 ...` and
                 `session time C url`, as PyClick reads them
  trec_session   the XML of TREC's Session Track
  ubi            JSON lines of OpenSearch's User Behavior Insights: ubi_queries,
                 and ubi_events, which may be in a file of their own (--events)
  log            a table session_id, system, query_id, rank, doc_id, clicked,
                 dwell_s; it is checked

examples:
  alignir import-log --form yandex CLICKS.tsv.gz --system live --out log.parquet
  alignir import-log --form trec_session SESSIONS.xml.gz --out sessions.tsv.gz
  alignir import-log --form ubi UBI.jsonl --queries DATA/queries.tsv --out u.csv
  alignir import-log --form log LOG.parquet --out log.csv
"""

from argparse import ArgumentParser
from pathlib import Path

from alignir.commands import options, output

RANKS = 10  # CTR is printed down to here


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="the log to read; with .gz it is gzipped (required)")
    forms = ("log", "yandex", "trec_session", "ubi")
    parser.add_argument("--form", choices=forms, required=True, help="its form (required)")
    output.add_out(parser, "the table, *.parquet, *.csv or *.tsv, perhaps with .gz")
    parser.add_argument(
        "--system",
        help="the system that showed the results (default: the file's name up to a dot; of ubi, what each query says)",
    )
    parser.add_argument(
        "--events",
        type=Path,
        metavar="FILE",
        help="ubi: the events, where FILE has the queries only (default: they are in FILE)",
    )
    parser.add_argument(
        "--field",
        metavar="NAME",
        help="ubi: which of query_attributes names the system (default: search_configuration or search_config)",
    )
    parser.add_argument(
        "--queries",
        type=Path,
        metavar="FILE",
        help="ubi: query ids and their texts, as in a dataset; others are left out (default: the text is the id)",
    )
    parser.add_argument(
        "--clicks",
        metavar="NAME,...",
        help="ubi: the actions that are clicks (default: click,click_through)",
    )
    parser.add_argument(
        "--units-per-second",
        type=float,
        metavar="N",
        help="yandex: how many units of its times are a second (default: 1000, as in CLARA2's log)",
    )
    options.add_format(parser, "how the summary is printed")
    return parser


def run(args) -> int:
    from alignir.tables import table
    from alignir.users.session_log import write_log

    output.check_out(args.out)
    (file,) = output.paths(args.out, "log", ["parquet"])
    log = read(args)
    write_log(log, file)
    print(table.render(summary(log, file), args.format), end="")
    return 0


def read(args):
    """The LOG in the file, by the form that it is in."""
    from alignir.errors import InputError
    from alignir.users.log_forms import read_trec_session, read_yandex
    from alignir.users.session_log import read_log
    from alignir.users.ubi import CLICKS, read_ubi

    if args.units_per_second is not None and args.form != "yandex":
        raise InputError(f"--units-per-second is for --form yandex: times of {args.form} are in s")
    for option in ("events", "field", "queries", "clicks"):
        if getattr(args, option) is not None and args.form != "ubi":
            raise InputError(f"--{option} is for --form ubi")
    if args.form == "ubi":
        return read_ubi(
            [each for each in (args.file, args.events) if each is not None],
            args.system,
            args.field,
            CLICKS if args.clicks is None else args.clicks.split(","),
            None if args.queries is None else _ids_by_text(args.queries),
        )
    if args.form == "log":
        if args.system is not None:
            raise InputError("--system is for the other forms: a log names its systems itself")
        return read_log(args.file)
    system = args.system if args.system is not None else args.file.name.split(".")[0]
    if args.form == "trec_session":
        return read_trec_session(args.file, system)
    units = {} if args.units_per_second is None else {"units_per_second": args.units_per_second}
    return read_yandex(args.file, system, **units)


def _ids_by_text(path: Path) -> dict[str, str]:
    from alignir.data.lines import existing
    from alignir.data.texts import read_queries

    texts = read_queries(existing(path, "file of queries (--queries FILE)")).main
    return dict(zip(texts, texts.index, strict=True))


def summary(log, out: Path) -> list:
    """Two tables with one row a system: what the log has, and CTR by rank."""
    from alignir.frames import PAGE
    from alignir.tables.table import Table
    from alignir.users.session_log import ctr_by_rank

    counts, shares, deepest = [], [], 0
    for system, rows in log.groupby("system"):
        pages = rows.groupby(PAGE, sort=False).agg(results=("rank", "count"), clicked=("clicked", "sum"))
        dwell = rows["dwell_s"].dropna()
        counts.append(
            [
                system,
                f"{rows['query_id'].nunique():,}",
                f"{len(pages):,}",
                f"{(pages['results'] == 0).sum():,}",
                f"{(pages['clicked'] == 0).sum():,}",
                f"{pages['results'].sum():,}",
                f"{pages['clicked'].sum():,}",
                f"{len(dwell):,}",
                f"{dwell.median():.1f}" if len(dwell) else "–",
            ]
        )
        ctr = ctr_by_rank(rows)
        deepest = max(deepest, ctr.index.max() if len(ctr) else 0)
        shares.append([system, *(f"{ctr[rank]:.3f}" if rank in ctr else "–" for rank in range(1, RANKS + 1))])
    columns = ["system", "queries", "pages", "empty", "no click", "results", "clicked", "dwell known", "median, s"]
    notes = []
    if "clicks" in log.attrs:
        notes.append(f"{log.attrs['clicks']:,} clicks in the file, {log.attrs['dropped_clicks']:,} of them dropped")
    deeper = [f"ranks go down to {deepest}"] if deepest > RANKS else []
    return [
        Table(f"Session log {out}", columns, counts, notes),
        Table("CTR by rank", ["system", *map(str, range(1, RANKS + 1))], shares, deeper),
    ]
