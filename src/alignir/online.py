"""Online metrics: what one would measure of users, simulated from baseline labels or imported from a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from alignir import trec
from alignir.errors import InputError, one_of
from alignir.frames import GRADES, ONLINE
from alignir.user_models import DBN

METRICS = ("clicks", "ctr", "adt", "ssr", "sar", "zrr")
NAMES = {"clicks": "Clicks", "ctr": "CTR", "adt": "ADT", "ssr": "SSR", "sar": "SAR", "zrr": "ZRR"}
LOWER_IS_BETTER = ("sar", "zrr")
ZERO_RESULT = ("no_relevant", "no_results", "no_click")


@dataclass(frozen=True)
class Simulated:
    """Users who follow a click model on each system's ranking. They act on the baseline labels: what is relevant.

    clicks  expected clicks in a session
    ctr     clicks / results shown
    adt     average dwell time, s: expected dwell of the clicks / expected clicks
    ssr     session success rate: P(at least one satisfying click)
    sar     session abandonment rate: P(no click)
    zrr     zero result rate, by `zero_result`: no_relevant (no shown result has `relevant_from` or more), no_results
            (nothing shown), or no_click (P(no click))

    ctr and adt are undefined (NaN) where nothing is shown, adt also where nothing can be clicked.
    """

    model: DBN
    depth: int  # ranks that users see
    dwell: tuple[float, ...]  # mean dwell time of a click by grade, s
    relevant_from: int
    zero_result: str
    name: str = "dbn"

    def __post_init__(self):
        if self.zero_result not in ZERO_RESULT:
            raise one_of("zero result rate", self.zero_result, ZERO_RESULT)
        if not isinstance(self.depth, int) or self.depth < 1:
            raise InputError(f"user_model.depth: expected a whole number from 1, found {self.depth}")
        if len(self.dwell) != len(GRADES) or min(self.dwell) < 0:
            raise InputError(f"user_model.dwell: expected {len(GRADES)} times in s, one a grade, found {self.dwell}")

    def measure(
        self, qrels: pd.DataFrame, runs: pd.DataFrame, query_ids: list[str], systems: list[str]
    ) -> pd.DataFrame:
        """ONLINE for every system and query; a result that is not judged counts as grade 0."""
        grades = shown_grades(qrels, runs, systems, query_ids, self.depth)
        return online_frame(systems, query_ids, self.metrics(grades))

    def metrics(self, grades: np.ndarray) -> dict[str, np.ndarray]:
        """Each metric on rankings of grades (n, k), -1 = no result shown; each an array (n,)."""
        behaviour = self.model.expect(grades)
        shown = (grades >= 0).sum(axis=1)
        clicks = behaviour.clicks.sum(axis=1)
        seconds = (behaviour.clicks * np.array([*self.dwell, 0.0])[grades]).sum(axis=1)
        zero_result = {
            "no_relevant": (grades < self.relevant_from).all(axis=1).astype(float),
            "no_results": (shown == 0).astype(float),
            "no_click": behaviour.no_click,
        }[self.zero_result]
        return {
            "clicks": clicks,
            "ctr": _ratio(clicks, shown),
            "adt": _ratio(seconds, clicks),
            "ssr": behaviour.satisfied,
            "sar": behaviour.no_click,
            "zrr": zero_result,
        }

    def definitions(self) -> str:
        """How the metrics were made, in a line to print under a table."""
        model = self.model
        by_grade = {"attraction": model.attraction, "satisfaction": model.satisfaction, "dwell in s": self.dwell}
        return (
            f"{type(model).__name__} in closed form on the baseline labels, top {self.depth}; by grade: "
            + ", ".join(f"{name} {_numbers(values)}" for name, values in by_grade.items())
            + f"; continuation {model.continuation:g}; zero result: {self.zero_result}, relevant: {self.relevant_from}+"
        )


@dataclass(frozen=True)
class External:
    """Metrics that somebody measured: a table `system, metric, value`, with `query_id` too if they are by query."""

    path: str
    name: str = "external"

    def measure(
        self, qrels: pd.DataFrame, runs: pd.DataFrame, query_ids: list[str], systems: list[str]
    ) -> pd.DataFrame:
        """ONLINE from the table, for the systems and queries at hand: a metric has all of them, or is refused."""
        table = read_metrics(self.path)
        if "query_id" in table:
            table = table[table["query_id"].isin(query_ids)]
        systems = set(systems)
        unknown = sorted(systems - set(table["system"]))
        if unknown:
            raise InputError(
                f"{self.path}: has no metrics of the systems {', '.join(unknown[:5])} ({len(unknown)} in all); "
                f"it has {', '.join(sorted(table['system'].unique())[:10])}"
            )
        table = table[table["system"].isin(systems)]
        for metric, rows in table.groupby("metric"):
            lacking = sorted(systems - set(rows["system"]))
            if lacking:
                raise InputError(f"{self.path}: the metric {metric} lacks the system {lacking[0]}")
            if "query_id" in rows and len(rows) < len(systems) * len(query_ids):
                counts = rows.groupby("system")["query_id"].nunique()
                raise InputError(
                    f"{self.path}: the metric {metric} has {counts.min()} of {len(query_ids)} queries for the system "
                    f"{counts.idxmin()}: means over different queries cannot be compared"
                )
        if "query_id" not in table:
            table = table.assign(query_id="all")  # one value for all queries together
        return table[ONLINE].reset_index(drop=True)

    def definitions(self) -> str:
        """How the metrics were made, in a line to print under a table."""
        return f"imported from {Path(self.path).name}"


def read_metrics(path: str | Path) -> pd.DataFrame:
    """A table `system, metric, value` (csv, tsv or parquet), perhaps with `query_id`; metric names in lower case."""
    path = trec.existing(path, "table of online metrics (user_model.path=FILE)")
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep="\t" if ".tsv" in path.suffixes else ",", dtype=str)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not {"system", "metric", "value"} <= set(table.columns):
        raise InputError(f"{path}:1: expected the columns system, metric, value, found {', '.join(table.columns)}")
    values = pd.to_numeric(table["value"], errors="coerce")
    strange = table["metric"].dropna().astype(str).str.extract(r"([^\w.\- /])")[0].dropna()
    if len(strange):
        row = strange.index[0]
        raise InputError(
            f"{path}:{row + 2}: the metric {table.loc[row, 'metric']!r} cannot be recorded: "
            "use letters, digits and _.-/ only"
        )
    wrong = ~np.isfinite(values) | table["system"].isna() | table["metric"].isna()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}:{row + 2}: expected a system, a metric and a finite value, found {_plain(table.iloc[row])}"
        )
    keys = [column for column in ("system", "query_id", "metric") if column in table]
    table = table.assign(value=values, metric=table["metric"].str.lower())
    table[keys] = table[keys].astype(str)
    repeated = table.duplicated(keys)
    if repeated.any():
        row = int(np.argmax(repeated))
        raise InputError(f"{path}:{row + 2}: {_plain(table.iloc[row][keys])} is there twice")
    if table.empty:
        raise InputError(f"{path}: expected rows of metrics, found none")
    return table


def shown_grades(
    qrels: pd.DataFrame, runs: pd.DataFrame, systems: list[str], query_ids: list[str], depth: int
) -> np.ndarray:
    """Grades (systems x queries, depth) of what each system shows, system by system; 0 unjudged, -1 no result."""
    top = runs[(runs["rank"] <= depth) & runs["query_id"].isin(query_ids)]
    top = top.merge(qrels, on=["query_id", "doc_id"], how="left")
    grades = np.full((len(systems), len(query_ids), depth), -1)
    row = top["system"].map({system: i for i, system in enumerate(systems)})
    column = top["query_id"].map({query_id: i for i, query_id in enumerate(query_ids)})
    grades[row, column, top["rank"] - 1] = top["relevance"].fillna(0).astype(int)
    return grades.reshape(-1, depth)


def online_frame(systems: list[str], query_ids: list[str], metrics: dict[str, np.ndarray]) -> pd.DataFrame:
    """ONLINE from arrays (systems x queries,) by metric."""
    cells = pd.MultiIndex.from_product([systems, query_ids], names=["system", "query_id"]).to_frame(index=False)
    return pd.concat([cells.assign(metric=metric, value=values) for metric, values in metrics.items()])[
        ONLINE
    ].reset_index(drop=True)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _numbers(values) -> str:
    return "/".join(f"{value:g}" for value in values)


def _plain(row: pd.Series) -> str:
    return ", ".join(map(str, row.tolist()))
