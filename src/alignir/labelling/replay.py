"""Replay: labels that somebody already has, with the answers behind them where a file has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from alignir.data import judgements
from alignir.data.judgements import DUPLICATES, Judged
from alignir.data.lines import existing
from alignir.data.scales import Meaning, Scale, meaning
from alignir.data.spellings import BY_IDS
from alignir.errors import InputError, one_of
from alignir.frames import PAIR
from alignir.labelling.answers import FORMS, read
from alignir.progress import in_words


@dataclass(frozen=True)
class Replay:
    """Labels that somebody already has, from a file in any of the forms of `qrel_forms`; .gz too.

    What its values mean is said by `scale` (grades, relevant_from), `grades` (the grade of a value) and `cut`
    (thresholds), else by the values, as `judgements.scale_beside` takes them. A pair that it lacks is `absent`. Where
    it names queries, or passages too, by their text, the pairs with exactly this text are meant. With `reread` the
    answers that it keeps are read again, strictly, in the `form` that they were asked for.
    """

    labels: str
    duplicates: str = "error"
    family: str | None = None  # of the model that gave the labels: its own systems are left out for comparison
    name: str = "replay"
    scale: Mapping | None = None
    grades: Mapping | None = None
    cut: Sequence[float] | None = None
    reread: bool = False
    form: str | None = None  # of the answers: final_score or last_line
    parameters: float | None = None  # billions of them, of a mixture the active ones; decides no answer

    def __post_init__(self) -> None:
        if self.duplicates not in DUPLICATES:
            raise one_of("duplicates", self.duplicates, DUPLICATES)
        if self.form is not None and self.form not in FORMS:
            raise one_of("form", self.form, FORMS)
        if self.reread and self.form is None:
            raise InputError(f"reread: expected the form that the answers were asked for, form={' or '.join(FORMS)}")
        if self.reread and (self.grades or self.cut):
            raise InputError("reread: what is read again needs no grades and no cut, which are of the file's values")
        _ = self._meaning

    def check(self) -> None:
        """Reads the file, so that a mistake in it is known early."""
        if self.reread and not any(given.response for several in self._judged.pairs.values() for given in several):
            raise InputError(f"{self.labels}: model.reread=true reads answers again, and it has none")

    def scale_beside(self, baseline: Scale) -> Scale:
        """What settings say, else what the file looks like; the baseline's where answers are read again."""
        if self.reread:
            relevant_from = self._meaning.relevant_from or baseline.relevant_from
            return self._meaning.scale or baseline._replace(relevant_from=relevant_from)
        return judgements.scale_beside(self._judged, self._meaning, baseline)

    @cached_property
    def _meaning(self) -> Meaning:
        return meaning(self.scale, self.grades, self.cut)

    @cached_property
    def _judged(self) -> Judged:
        file = existing(self.labels, "file of labels (model.labels=FILE)")
        return judgements.read_values(file, self.duplicates, self._meaning)

    @cached_property
    def _graded(self) -> dict[Scale, pd.DataFrame]:
        """relevance, status, response and finish_reason by the file's names, on each scale that was asked for."""
        return {}

    def grade(self, pairs: pd.DataFrame, scale: Scale) -> pd.Series:
        """A grade for each row of `pairs`, <NA> where the file has none."""
        return self.found(pairs, scale)["relevance"]

    def found(self, pairs: pd.DataFrame, scale: Scale) -> pd.DataFrame:
        """relevance, status, response, finish_reason for each row of `pairs`; at least one has a grade."""
        labels = self._on(scale).reindex(names_of(pairs, self._judged)).set_axis(pairs.index)
        labels = labels.fillna({"status": "absent", "response": "", "finish_reason": ""})
        if labels["relevance"].isna().all():
            statuses = in_words(labels["status"].value_counts().to_dict())
            nothing = f"has a label of {scale.text} for none of the {len(pairs)} pairs of the dataset: {statuses}"
            raise InputError("; ".join([f"{self.labels}: {nothing}", *self.unjoined(pairs)]))
        return labels

    def unjoined(self, pairs: pd.DataFrame) -> list[str]:
        """How many labels belong to no pair, where a file names queries by their text: a letter may be another."""
        if self._judged.by == BY_IDS:
            return []
        known = set(names_of(pairs, self._judged))
        lost = [pair for pair in self._judged.pairs if pair not in known]
        if not lost:
            return []
        queries = {query for query, _ in known}
        strange = [query for query, _ in lost if query not in queries]
        beside = len(lost) - len(strange)
        why = [f"{len(strange):,} of other queries, such as {strange[0][:80]!r}"] if strange else []
        why += [f"{beside:,} of other passages of these queries"] if beside else []
        return [
            f"{self.labels}: {len(lost):,} of {len(self._judged.pairs):,} labels are of no pair here: {', '.join(why)}"
        ]

    def _on(self, scale: Scale) -> pd.DataFrame:
        """relevance, status, response and finish_reason by the file's names of query and passage."""
        if scale not in self._graded:
            labels = judgements.graded(self._judged, self.duplicates, self._meaning, scale).set_index(PAIR)
            self._graded[scale] = _read_again(labels, self.form or "", scale) if self.reread else labels
        return self._graded[scale]


def names_of(pairs: pd.DataFrame, judged: Judged) -> pd.MultiIndex:
    """What the file calls the query and the passage of each pair: their ids, or their texts where it has them."""
    sides = []
    for place, (column, of_id) in enumerate(zip(judged.by, PAIR, strict=True)):
        names = pairs[of_id]
        if column != of_id and column in pairs:
            texts, known = pairs[column].astype("string").str.strip(), {pair[place] for pair in judged.pairs}
            names = names.mask(texts.isin(known), texts)
        sides.append(names.astype(object))
    return pd.MultiIndex.from_arrays(sides, names=PAIR)


def _read_again(labels: pd.DataFrame, form: str, scale: Scale) -> pd.DataFrame:
    """The labels with what our reader finds in the answers; where there is no answer, they stay as they are."""
    outcomes = [
        read(row.response, form, row.finish_reason or "stop", scale.grades)
        if row.response
        else (row.relevance, row.status)
        for row in labels.itertuples()
    ]
    return labels.assign(
        relevance=pd.array([grade for grade, _ in outcomes], dtype="Int64"), status=[status for _, status in outcomes]
    )
