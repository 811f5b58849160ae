"""Fields: what a name in a prompt stands for, among all that a query and a document have beside their main text.

`query` and `passage` are the main texts. `query_X` is the field X of the query, `doc_X` that of the document, always.
Of the other names `description` and `narrative` are the query's, as in TREC's topics, and all the rest the document's.
"""

from collections.abc import Sequence

from alignir.data.texts import DOCUMENTS

MAIN = ("query", "passage")
TOPIC = ("description", "narrative")  # of a query, without a prefix


def of_query(name: str) -> bool:
    """Whether it is the query's.

    >>> [of_query(name) for name in ("query", "narrative", "query_title", "title", "doc_description")]
    [True, True, True, False, False]
    """
    return name in ("query", *TOPIC) or name.startswith("query_")


def spellings(name: str) -> tuple[str, str]:
    """What the field may be called in the data: without the prefix, and as it is named."""
    return name.removeprefix("query_" if of_query(name) else "doc_"), name


def cut_first(names: Sequence[str]) -> int:
    """The place of the document's longest text among the names: what loses its end where a prompt is too long.

    That is the passage, else a field that is mostly the text, else the last that is named; a title only if there is
    nothing else.

    >>> cut_first(["query", "passage", "title"]), cut_first(["query", "title", "doc_body", "url"])
    (1, 2)
    """
    usual = ["passage", *(prefix + text for text in DOCUMENTS.texts for prefix in ("", "doc_"))]
    mains = [place for each in usual for place, name in enumerate(names) if name == each]
    return mains[0] if mains else max((place for place, name in enumerate(names) if not of_query(name)), default=0)
