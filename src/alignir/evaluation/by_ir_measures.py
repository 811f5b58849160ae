"""Measures that trec_eval lacks, or counts from another grade, as ir_measures computes them."""

import logging
from collections.abc import Sequence

import numpy as np

from alignir.data.ranked import Runs
from alignir.evaluation.names import PROVIDERS, measure_of, title


def by_ir_measures(
    qrels: dict[str, dict[str, int]], runs: Runs, names: Sequence[str], highest: int
) -> dict[str, np.ndarray]:
    """By recorded name: values of shape (systems, queries), 0 for a query that a system returned nothing for.

    Results stand in trec_eval's order also where scores tie, of which ir_measures' own parts make different orders.
    `highest` is the highest grade of the scale, for measures that ask for one (INST, BPM, ...).
    """
    if not names:
        return {}
    import ir_measures

    logging.getLogger("ir_measures.cwl_eval").setLevel("ERROR")  # it warns of labels that do not use the whole scale
    asked = {name: measure_of(title(name), highest) for name in names}
    pipeline = ir_measures.providers.FallbackProvider([ir_measures.providers.registry[each] for each in PROVIDERS])
    evaluator = pipeline.evaluator(list(dict.fromkeys(asked.values())), qrels)
    places = {query_id: place for place, query_id in enumerate(runs.query_ids)}
    found = {measure: np.zeros((len(runs.systems), len(places))) for measure in asked.values()}
    by_system = dict(iter(runs.frame.groupby("system", observed=True)))
    for row, system in enumerate(runs.systems):
        ranking: dict[str, dict[str, float]] = {}
        if system in by_system:
            run = by_system[system].sort_values(["query_id", "rank"])
            heights = (1.0 + run["rank"].max() - run["rank"]).tolist()  # above 0, which Compat takes for not returned
            for query_id, doc_id, height in zip(run["query_id"], run["doc_id"], heights, strict=True):
                ranking.setdefault(query_id, {})[doc_id] = height
        for value in evaluator.iter_calc(ranking):
            if value.query_id in places:
                found[value.measure][row, places[value.query_id]] = value.value
    return {name: found[measure] for name, measure in asked.items()}
