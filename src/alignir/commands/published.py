"""Published values: what alignir's numbers on real data are compared with, and how each came out."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignir.data.collections import Dataset
    from alignir.data.ranked import Runs

DL19 = "trec-dl-2019"
CLARA2 = {
    "pages": 31564,
    "sessions": 18522,
    "queries": 1951,
    "clicks": 11613,
    "clicks on what the page did not show": 724,
    "pages with 0 clicked results": 23527,
    "pages with 1 clicked results": 6960,
    "pages with 2 clicked results": 904,
    "pages with 3 or more clicked results": 173,
}
CLARA2_CTR = (0.151, 0.062, 0.031, 0.017, 0.013, 0.007, 0.005, 0.004, 0.003, 0.003)  # rank 1 to 10
LABELS = {
    "queries": 43,
    "passages": 9139,
    "pairs": 9260,
    "grade 0": 5158,
    "grade 1": 1601,
    "grade 2": 1804,
    "grade 3": 697,
}
SESSIONS = {"sessions": 133, "pages": 401, "clicks": 586}  # TREC Session Track 2013
GRADED = ("ndcg_cut_10", "ndcg_cut_100")
BINARY = ("P_10", "P_100", "recall_10", "recall_100")  # relevant from grade 2, as NIST counts
RELEVANT = {"0-3": 2, "0-1": 1, "0-5": 4}  # the lowest grade of a judge's scale that says "relevant"
TWINS = ["rankllm_bm25", "bm25base_p"]  # the same top 10 for every query
OUTLIER = "UNH_exDL_bm25"  # tau_official36 is without it


@dataclass(frozen=True)
class Check:
    """A published value beside ours; NaN where one of them is not there."""

    of: str
    what: str
    expected: float
    got: float
    digits: int  # that were published after the point
    tie_broken: float = math.nan  # ours with the tie of the twins broken on the judge's side

    @property
    def allowed(self) -> float:
        """Half of the last published digit."""
        return 0.5 * 10**-self.digits

    @property
    def difference(self) -> float:
        return self.got - self.expected

    @property
    def verdict(self) -> str:
        """ok, tie (only the value with the tie broken is as published) or OFF."""
        for value, verdict in ((self.got, "ok"), (self.tie_broken, "tie")):
            if abs(value - self.expected) <= self.allowed + 1e-9:  # for decimals that binary numbers only come near to
                return verdict
        return "OFF"

    def number(self, value: float, more: int = 2) -> str:
        """With that many more digits than were published; a count as it is."""
        return "–" if math.isnan(value) else f"{value:,.{self.digits + more if self.digits else 0}f}"


def dl19(data: Path) -> dict[str, list[Check]]:
    """The checks of TREC DL 2019 by the title of their table."""
    from alignir.data import collections
    from alignir.data.lines import existing
    from alignir.evaluation import scores
    from alignir.evaluation.measures import NDCG
    from alignir.retrieval import run_files

    folder = existing(existing(data, "folder of published data") / DL19, "folder of TREC DL 2019")
    dataset = collections.folder(DL19, folder)
    runs = run_files.run_files(dataset)

    def evaluate(labels, measures=(NDCG,)):
        return scores.evaluate(labels, runs, measures)

    graded = evaluate(dataset.qrels, (*GRADED, *BINARY))
    means = scores.means(graded)
    nist = official(folder / "reference" / "nist_official_passages_eval.json")
    return {
        "TREC DL 2019": collection(dataset, runs),
        "systems.tsv": of_systems(folder / "systems.tsv", means),
        "NIST's summary": of_nist(nist, means),
        "nDCG@10 by query": by_query(folder / "reference" / "ndcg10_per_topic.tsv.gz", graded),
        "judges.tsv": of_judges(folder / "llm_labels", dataset.qrels, means[NDCG], evaluate, set(nist)),
    }


def collection(dataset: "Dataset", runs: "Runs") -> list[Check]:
    from alignir.evaluation.agreement import distribution

    found = [
        len(dataset.queries),
        len(dataset.passages),
        len(dataset.qrels),
        *distribution(dataset.qrels, dataset.scale),
    ]
    top = runs.top(10).plain
    tops = (
        top[top["system"].isin(TWINS)]
        .groupby(["query_id", "system"])["doc_id"]
        .agg(tuple)
        .unstack()
        .reindex(columns=TWINS)
    )
    same = (tops[TWINS[0]] == tops[TWINS[1]]).sum()
    twins = Check(" and ".join(TWINS), "queries with the same top 10", LABELS["queries"], same, 0)
    return [*counts("DL19", LABELS, found), twins]


def of_systems(path: Path, means) -> list[Check]:
    """nDCG@10 of every system that is in systems.tsv or among the runs."""
    from alignir.evaluation.measures import NDCG

    listed = read(path, ["system", "ndcg10", "published", "published_source"]).set_index("system")
    checks = []
    for system, row in listed.reindex(listed.index.union(means.index), fill_value="").iterrows():
        got, where = means[NDCG].get(system, math.nan), f"{path}, {system}"
        checks.append(Check(system, "nDCG@10", number(row["ndcg10"], where), got, 4))
        if row["published"]:
            digits = 3 if "(3 decimals)" in row["published_source"] else 4
            checks.append(Check(system, "nDCG@10, published", number(row["published"], where), got, digits))
    return checks


def of_nist(nist: dict[str, dict[str, float]], means) -> list[Check]:
    """What the first 100 results decide of NIST's summary, for the official submissions."""
    return [
        Check(system, measure, published.get(measure, math.nan), means[measure].get(system, math.nan), 4)
        for system, published in nist.items()
        for measure in (*GRADED, *BINARY)
    ]


def by_query(path: Path, graded) -> list[Check]:
    """nDCG@10 of every system and query that are in the file or among the scores."""
    from alignir.evaluation.measures import NDCG

    listed = read(path, ["system", "qid", NDCG]).rename(columns={"qid": "query_id"})
    both = listed.merge(graded[graded["measure"] == NDCG], on=["system", "query_id"], how="outer")
    checks = []
    for row in both.itertuples():
        of = f"{row.system}, query {row.query_id}"
        checks.append(Check(of, "nDCG@10", number(row.ndcg_cut_10, f"{path}, {of}"), row.value, 6))
    return checks


def of_judges(folder: Path, qrels, baseline, evaluate, nist: set[str]) -> list[Check]:
    """kappa, mean absolute error, tau and rho of every judge with the `baseline` nDCG@10 of systems."""
    from alignir.alignment.correlations import spearman
    from alignir.alignment.tau import tau_b
    from alignir.data import trec
    from alignir.errors import one_of
    from alignir.evaluation import agreement, scores
    from alignir.evaluation.measures import NDCG

    path = folder / "judges.tsv"
    numbers = ["kappa4", "kappa_bin", "mae", "tau_official37", "tau_official36", "tau_all46", "rho_all46"]
    official = baseline[baseline.index.isin(nist)]
    checks = []
    for judge in read(path, ["judge", "scale", *numbers]).to_dict("records"):
        if judge["scale"] not in RELEVANT:
            raise one_of(f"{path}: scale", judge["scale"], RELEVANT)
        labels = trec.read_qrels(folder / f"{judge['judge']}.qrels.gz")
        both = agreement.joined(qrels, labels)
        judged = scores.means(evaluate(labels))[NDCG]
        nudged = judged + 1e-12 * (judged.index == TWINS[0])
        got = {
            "kappa4": agreement.kappa(both),
            "kappa_bin": agreement.kappa(both, relevant_from=(RELEVANT["0-3"], RELEVANT[judge["scale"]])),
            "mae": agreement.agreement(qrels, labels)["mae"],
            "tau_official37": tau_b(judged, official)[0],
            "tau_official36": tau_b(judged, official.drop(OUTLIER, errors="ignore"))[0],
            "tau_all46": tau_b(judged, baseline)[0],
            "rho_all46": spearman(judged, baseline),
        }
        tie_broken = {"tau_all46": tau_b(nudged, baseline)[0], "rho_all46": spearman(nudged, baseline)}
        if judge["scale"] != "0-3":
            del got["kappa4"], got["mae"]  # not published: they compare grades of one scale
        for name, value in got.items():
            expected = number(judge[name], f"{path}, {judge['judge']}")
            checks.append(Check(judge["judge"], name, expected, value, 4, tie_broken.get(name, math.nan)))
    return checks


def clicks(data: Path) -> dict[str, list[Check]]:
    """The checks of the session logs by the title of their table; none where there is no folder of them."""
    from alignir.users.log_forms import read_trec_session, read_yandex
    from alignir.users.session_log import ctr_by_rank

    folder = data / "clicks"
    if not folder.is_dir():
        return {}
    log = read_yandex(folder / "clara2_search_log.tsv.gz", "clara2")
    clicked = log.groupby("session_id")["clicked"].sum().clip(upper=3).value_counts()
    found = [len(set(log["session_id"])), sessions(log), log["query_id"].nunique()]
    found += [log.attrs["clicks"], log.attrs["dropped_clicks"], *(clicked.get(results, 0) for results in range(4))]
    ctr = ctr_by_rank(log)
    by_rank = [
        Check("CLARA2", f"CTR at rank {rank}", expected, ctr.get(rank, math.nan), 3)
        for rank, expected in enumerate(CLARA2_CTR, 1)
    ]
    clara2 = [*counts("CLARA2", CLARA2, found), *by_rank]
    log = read_trec_session(folder / "trec_session2013.xml.gz", "track")
    found = [sessions(log), log["session_id"].nunique(), log.attrs["clicks"]]
    return {"CLARA2's search log": clara2, "TREC Session Track": counts("2013", SESSIONS, found)}


def counts(of: str, expected: dict[str, int], found: list[int]) -> list[Check]:
    return [Check(of, what, number, got, 0) for (what, number), got in zip(expected.items(), found, strict=True)]


def sessions(log) -> int:
    """How many sessions a log's pages, called `session.page`, belong to."""
    return log["session_id"].str.partition(".")[0].nunique()


def read(path: Path, columns: list[str]):
    """The texts of a table of tab-separated columns, an empty one as an empty string."""
    import pandas as pd

    from alignir.data.lines import existing, lines
    from alignir.errors import InputError

    cells = [line.split("\t") for _, line in lines(existing(path, "table of published values"))]
    try:
        header, *rows = cells
        table = pd.DataFrame(rows, columns=header).fillna("")
    except ValueError as error:
        raise InputError(f"{path}: expected tab-separated columns under a header: {error}") from error
    if not set(columns) <= set(table.columns):
        raise InputError(f"{path}: expected the columns {', '.join(columns)}, found {', '.join(table.columns)}")
    return table[columns]


def number(text: str | float, where: str) -> float:
    """The published number; NaN where there is none."""
    from alignir.errors import InputError

    try:
        return float(text or math.nan)
    except ValueError:
        raise InputError(f"{where}: expected a number, found {text!r}") from None


def official(path: Path) -> dict[str, dict[str, float]]:
    """NIST's summary: the value of each measure by system."""
    from alignir.data.lines import existing
    from alignir.errors import InputError

    content = existing(path, "NIST summary").read_bytes()
    try:
        summary = json.loads(content)
        return {system: {name: float(value) for name, value in row.items()} for system, row in summary.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: expected measures by system: {error}") from error
