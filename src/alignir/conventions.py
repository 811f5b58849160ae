"""Conventions: what stands under a table so that its numbers can be read without asking."""

from alignir.alignment import smallest_step
from alignir.bounds import LEXICAL, ONE_GRADE, SECOND, SHUFFLED
from alignir.wording import setting_titles


def size_note(settings: list[tuple]) -> str:
    sizes = []
    for title, (_, systems, queries, n_systems, n_queries) in zip(setting_titles(settings), settings, strict=True):
        step = smallest_step(n_systems)
        sizes.append(
            f"{title}: {n_systems} systems ({systems}), {n_queries} queries ({queries}), one swap is {step:.4f}"
        )
    return "; ".join(sizes)


def bound_notes(models: set[str]) -> list[str]:
    """What the BOUNDS among these models are."""
    notes = {
        SECOND: "second: other people's labels",
        LEXICAL: "lexical: grades from the share of the query's terms",
        SHUFFLED: "shuffled: the baseline's grades dealt out anew to its pairs, the mean of several draws",
        ONE_GRADE: "one grade: the same for every judged pair, so that only the number of judged results counts",
    }
    found = [note for name, note in notes.items() if name in models]
    return ["; ".join(found)] if found else []
