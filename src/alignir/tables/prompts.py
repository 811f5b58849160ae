"""Tables of prompts: versions, which labels a change moves, and what it does to agreement."""

PASSAGE, ANSWER = 300, 200  # letters shown


def flow_table(flow, n_moved: int, names: list[str], title: str, notes: list[str]):
    """A row a label before, a column a label after."""
    from alignir.tables.table import Table

    states = [str(state) for state in flow.index]
    lines = [
        [state, *(f"{count:,}" for count in row), f"{row.sum():,}"]
        for state, row in zip(states, flow.to_numpy(), strict=True)
    ]
    lines.append(["all", *(f"{count:,}" for count in flow.sum()), f"{flow.to_numpy().sum():,}"])
    columns = [f"{names[0]} ↓ {names[1]} →", *states, "all"]
    return Table(f"Labels, {n_moved:,} of {flow.to_numpy().sum():,} differ: {title}", columns, lines, notes)


def effect_table(before, after, qrels, labels: list, names: list[str], title: str):
    """A row a statistic, before and after, with the difference."""
    from alignir.alignment import prompt_changes
    from alignir.frames import BASELINE
    from alignir.tables.comparison import resampling
    from alignir.tables.table import Table

    resampled = resampling([before, after])
    baseline = scores_of(before, BASELINE)
    scores = [scores_of(run, "model") for run in (before, after)]
    effects = {
        "tau_b": prompt_changes.effect_on_tau(baseline, *scores, resampled),
        "kappa": prompt_changes.effect_on_kappa(qrels, *labels, resampled),
        "kappa ≥ 2": prompt_changes.effect_on_kappa(qrels, *labels, resampled, relevant_from=2),
    }
    lines = [
        [
            name,
            number(effect["before"]),
            number(effect["after"]),
            number(effect["difference"], sign="+"),
            between(effect["ci_low"], effect["ci_high"], sign="+").strip() or "–",
            number(effect["p_value"], 3),
        ]
        for name, effect in effects.items()
    ]
    notes = [
        "tau_b: of nDCG@10 with the baseline labels; kappa: Cohen's, on the pairs that have a label",
        effect_note(resampled),
    ]
    return Table(f"Effect: {title}", ["", *names, "difference", "95% interval", "p"], lines, notes)


def effect_note(resampled) -> str:
    """How the intervals and p-values of an `effect_table` were made."""
    way = f"95% interval and p of the difference: {resampled.text}"
    if not resampled.B:
        return way
    return f"{way}, the same ones on both sides" + ("; kappa's of the queries" if resampled.over == "systems" else "")


def scores_of(run, labels: str):
    """SCORES by nDCG@10 of a recorded run, under its "model"'s labels or the "baseline"'s."""
    from alignir.evaluation.measures import NDCG

    scores = run.frame("scores.parquet")
    return scores[(scores["labels"] == labels) & (scores["measure"] == NDCG)]


def pairs_table(title: str, pairs, dataset, labels: list, names: list[str], args):
    """Pairs with their texts: below each other in a terminal, a column each for a page or a program."""
    from alignir.frames import PAIR
    from alignir.tables.table import Table

    first = pairs.head(args.pairs)
    texts = dataset.pairs(first)
    baseline = first[PAIR].merge(dataset.qrels, on=PAIR, how="left")["relevance"]
    answers = [first[PAIR].merge(side, on=PAIR, how="left")["response"] for side in labels]
    rows = [
        (
            pair.query_id,
            pair.doc_id,
            grade(human),
            grade(pair.before),
            grade(pair.after),
            shortened(query, PASSAGE),
            shortened(passage, PASSAGE),
            *(shortened(answer, ANSWER // 2, ANSWER // 2) for answer in both),
        )
        for pair, human, query, passage, *both in zip(
            first.itertuples(), baseline, texts["query"], texts["passage"], *answers, strict=True
        )
    ]
    notes = [f"{len(rows):,} of {len(pairs):,}; --pairs shows more"] if len(rows) < len(pairs) else []
    columns = ["query_id", "doc_id", "baseline", *names, "query", "passage", *(f"answer, {name}" for name in names)]
    if args.format != "rich":
        return Table(title, columns, [list(row) for row in rows], notes)
    lines = []
    for query_id, doc_id, human, one, other, query, passage, *both in rows:
        lines += [
            [f"{query_id} {doc_id}", f"query: {query}"],
            [f"{one} → {other}", f"passage: {passage}"],
            [f"baseline {human}", f"{names[0]}: {both[0]}"],
            ["", f"{names[1]}: {both[1]}"],
            ["", ""],
        ]
    return Table(title, ["pair", "texts"], lines[:-1], notes)


def grade(label) -> str:
    import pandas as pd

    return "–" if pd.isna(label) else str(int(label))


def shortened(text, head: int, tail: int = 0) -> str:
    """A text on one line, its first and last letters if it is long, safe to print."""
    from alignir.tables.table import visible

    text = visible(" ".join(text.split())) if isinstance(text, str) else "–"
    if len(text) <= head + tail + 3:
        return text
    return f"{text[:head].rstrip()} … {text[len(text) - tail :].lstrip()}".rstrip()


def number(value: float, digits: int = 4, sign: str = "") -> str:
    return "–" if value != value else f"{value:{sign}.{digits}f}"


def between(low: float, high: float, sign: str = "") -> str:
    return "" if low != low else f" [{low:{sign}.2f}, {high:{sign}.2f}]"


def day(time) -> str:
    return f"{time:%Y-%m-%d %H:%M}"
