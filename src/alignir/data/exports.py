"""Exports: labels, requests and results in the forms of other tools. `qrel_forms` and `requests` read them again.

A pair without a label is never a 0: where a form has no word for it, it is left out.
"""

import json
from collections.abc import Sequence

import pandas as pd

from alignir.errors import InputError
from alignir.frames import PAIR

UNREAD = 0  # umbrela's result_status of a judgment that stands for no label


def qrels(labels: pd.DataFrame) -> str:
    """`query_id 0 doc_id relevance` lines of the pairs that have a label.

    >>> labels = pd.DataFrame({"query_id": "q", "doc_id": ["a", "b"], "relevance": pd.array([2, None], dtype="Int64")})
    >>> qrels(labels)
    'q 0 a 2\\n'
    """
    for column in PAIR:
        spaced = labels[column][labels[column].str.contains(r"\s")]
        if len(spaced):
            raise InputError(f"the {column} {spaced.iloc[0]!r} has a space, which qrels cannot have: take csv")
    known = labels.dropna(subset="relevance")
    return "".join(f"{row.query_id} 0 {row.doc_id} {row.relevance}\n" for row in known.itertuples())


def csv(labels: pd.DataFrame) -> str:
    """query_id, doc_id, relevance (empty: no label) and status of every pair, below a header."""
    return labels[[*PAIR, "relevance", "status"]].to_csv(index=False, lineterminator="\n")


def umbrela(labels: pd.DataFrame, texts: pd.DataFrame, prompts: Sequence[str], model: str) -> str:
    """umbrela's judgments, a JSON line a pair; with qid, docid, status and finish_reason beside its own fields.

    `texts` (query, passage) and `prompts` are by row. Without a label `judgment` is null, and `result_status` 0.
    """
    rows = zip(labels.itertuples(), texts["query"], texts["passage"], prompts, strict=True)
    return "".join(
        _line(
            {
                "model": model,
                "qid": row.query_id,
                "docid": row.doc_id,
                "query": query,
                "passage": passage,
                "prompt": prompt,
                "prediction": row.response,
                "judgment": None if pd.isna(row.relevance) else int(row.relevance),
                "result_status": UNREAD if pd.isna(row.relevance) else 1,
                "status": row.status,
                "finish_reason": row.finish_reason,
            }
        )
        for row, query, passage, prompt in rows
    )


def opensearch(labels: pd.DataFrame, queries: pd.Series, name: str, description: str) -> str:
    """The body of a request that imports judgments into OpenSearch's Search Relevance Workbench.

    It knows queries by their texts, here `queries` by row of `labels`; of one without any label nothing is said.
    """
    known = labels["relevance"].notna()
    ratings: dict[str, list[dict[str, str]]] = {}
    for row, query in zip(labels[known].itertuples(), queries[known.to_numpy()], strict=True):
        ratings.setdefault(query, []).append({"docId": row.doc_id, "rating": str(float(row.relevance))})
    judged = [{"query": query, "ratings": of_query} for query, of_query in ratings.items()]
    body = {"name": name, "description": description, "type": "IMPORT_JUDGMENT", "judgmentRatings": judged}
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def requests(pairs: pd.DataFrame) -> str:
    """umbrela's requests, a JSON line a query with its candidates, from query_id, doc_id, query and passage."""
    lines = []
    for query_id, of_query in pairs.groupby("query_id", sort=False):
        candidates = [{"docid": row.doc_id, "doc": {"segment": row.passage}} for row in of_query.itertuples()]
        query = {"qid": query_id, "text": of_query["query"].iloc[0]}
        lines.append(_line({"query": query, "candidates": candidates}))
    return "".join(lines)


def results(scores: pd.DataFrame) -> str:
    """`run topic measure value` lines with tabs, from SCORES; a topic without any label has no value, and no line.

    >>> results(pd.DataFrame([["bm25", "q1", "P_10", 0.25]], columns=["system", "query_id", "measure", "value"]))
    'bm25\\tq1\\tP_10\\t0.25\\n'
    """
    known = scores.dropna(subset="value")
    return "".join(f"{row.system}\t{row.query_id}\t{row.measure}\t{row.value!r}\n" for row in known.itertuples())


def _line(fields: dict) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"
