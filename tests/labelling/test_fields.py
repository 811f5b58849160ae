"""A prompt uses the fields that it names; the data must have them, and the ledger knows a pair by what was used."""

import json
import re
from dataclasses import dataclass, field

import pandas as pd
import pytest

from alignir.config import composed_cell
from alignir.data import collections
from alignir.errors import InputError
from alignir.experiment.inputs import read_inputs
from alignir.experiment.keys import key
from alignir.labelling.labels import label
from alignir.labelling.ledger import Ledger, pair_key, pair_keys
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt, read_prompt
from alignir.labelling.vllm_prompts import Tokens

TOPIC = Prompt("topic", "$query_title | $narrative | $title | $text", "final_score", 10)


@pytest.fixture
def titled(tmp_path):
    """A folder whose queries have title, description and narrative, and whose documents title, text and url."""
    folder = tmp_path / "titled"
    (folder / "runs").mkdir(parents=True)
    queries = [
        {"qid": "q1", "title": "apples", "description": "What are apples?", "narrative": "Pears do not count."},
        {"qid": "q2", "title": "pears", "description": "What are pears?"},
    ]
    documents = [
        {"docid": "d1", "title": "Fruit", "text": "Apples are red.", "url": "http://x/1"},
        {"docid": "d2", "title": "", "text": "Pears are green.", "url": "http://x/2"},
    ]
    beyond = [{"docid": "d9", "title": "More", "text": "Nobody judged this."}]
    for name, rows in (("queries", queries), ("documents", documents), ("passages_more", beyond)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "qrels.txt").write_text("q1 0 d1 3\nq1 0 d2 0\nq2 0 d2 2\n")
    for system, order in (("one", "d1 d2"), ("two", "d2 d9")):
        lines = [f"{q} Q0 {d} 0 {9 - place} t\n" for q in ("q1", "q2") for place, d in enumerate(order.split())]
        (folder / "runs" / f"{system}.run").write_text("".join(lines))
    return folder


@dataclass
class Noting:
    """A model that notes the texts it was asked about."""

    name: str = "noting"
    repeats: int = 1
    asked: list = field(default_factory=list)

    def identity(self):
        return {"name": self.name}

    def repeat(self, number):
        return self

    def check(self, prompt):
        pass

    def answer(self, prompt, pairs):
        for index, texts in enumerate(pairs):
            self.asked.append(prompt.render(*texts))
            yield Answer(index, "##final score: 2", "stop", 1, 1)


def made(tmp_path, text, name="own.txt"):
    (tmp_path / name).write_text(text)
    return read_prompt("own", str(tmp_path / name), "final_score", 100)


@pytest.mark.parametrize(
    ("text", "fields", "longest"),
    [
        ("$query $passage", ("query", "passage"), "passage"),
        ("$passage $query", ("query", "passage"), "passage"),
        ("$title: $passage for ${query}", ("query", "passage", "title"), "passage"),
        ("$query_title $narrative: $title $url $body", ("query_title", "narrative", "title", "url", "body"), "body"),
        ("$query $doc_text $doc_title", ("query", "doc_text", "doc_title"), "doc_text"),
        ("$query $abstract", ("query", "abstract"), "abstract"),
        ("$query $title $headings", ("query", "title", "headings"), "headings"),
        ("$description $title costs $$5", ("description", "title"), "title"),
    ],
)
def test_a_prompt_has_the_fields_that_it_names(tmp_path, text, fields, longest):
    prompt = made(tmp_path, text)
    assert prompt.fields == fields
    assert prompt.fields[prompt.longest] == longest
    assert prompt.render(*fields) == re.sub(r"\$\{?(\w+)\}?", r"\1", text)
    shortened = prompt.shortened(fields, "…")
    assert [place for place, text in enumerate(shortened) if text == "…"] == [prompt.longest]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$query $description", "found no passage, only $query, $description"),
        ("$title $passage", "found no query, only $title, $passage"),
        ("$price", "found no query, only $price"),
    ],
)
def test_a_prompt_needs_something_of_the_query_and_of_the_document(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        made(tmp_path, text)
    assert message in str(error.value)


def test_umbrelas_form_takes_fields_too(tmp_path):
    text = 'system_message: ""\nprefix_user: |-\n  {{1}} {query} {query_narrative}s\n  {title} {passage} $3\n'
    prompt = made(tmp_path, text, "own.yaml")
    assert prompt.fields == ("query", "passage", "query_narrative", "title")
    assert prompt.render("Q", "P", "N", "T") == "{1} Q Ns\nT P $3"


def test_nothing_inside_a_field_is_filled_in():
    assert TOPIC.render("$title", "$$", "{text}", "${narrative}") == "$title | $$ | {text} | ${narrative}"


def test_pairs_have_the_fields_of_their_query_and_document(titled):
    dataset = collections.folder("titled", titled)
    pairs = dataset.pairs(fields=("query", "passage", "title", "query_title", "narrative", "doc_url"))
    assert pairs.to_numpy().tolist() == [
        ["q1", "d1", "apples", "Apples are red.", "Fruit", "apples", "Pears do not count.", "http://x/1"],
        ["q1", "d2", "apples", "Pears are green.", "", "apples", "Pears do not count.", "http://x/2"],
        ["q2", "d2", "pears", "Pears are green.", "", "pears", "", "http://x/2"],
    ]
    beyond = pd.DataFrame({"query_id": ["q1", "q1"], "doc_id": ["d9", "nowhere"], "relevance": 0})
    assert dataset.pairs(beyond, ("title", "url"))[["title", "url"]].to_numpy().tolist() == [["More", ""], ["", ""]]
    assert list(dataset.pairs()) == ["query_id", "doc_id", "query", "passage"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("headings", "the documents of titled have no field for $headings: there is title, text, url"),
        ("description", ""),
        ("query_url", "the queries of titled have no field for $query_url: there is title, description, narrative"),
        ("doc_narrative", "the documents of titled have no field for $doc_narrative"),
    ],
)
def test_a_field_that_the_data_lack_is_named(titled, name, message):
    dataset = collections.folder("titled", titled)
    if not message:
        assert dataset.field(name) == name
        return
    with pytest.raises(InputError) as error:
        dataset.pairs(fields=(name,))
    assert message in str(error.value)


def test_where_the_other_side_has_it_the_message_says_so(small):
    (small / "queries.tsv").unlink()
    rows = [{"qid": name, "title": name, "language": "en"} for name in ("q1", "q2")]
    (small / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = collections.folder("small", small)
    with pytest.raises(
        InputError, match=r"documents of small have no field for \$language: .*; \$query_language is there"
    ):
        dataset.field("language")


def test_a_lacking_field_stops_a_cell_before_its_systems_are_read(titled, tmp_path):
    (tmp_path / "own.txt").write_text("$query $headings $passage")
    prompt = [f"prompt.file={tmp_path / 'own.txt'}", "prompt.name=own"]
    settings = ["dataset=folder", f"dataset.path={titled}", "systems.path=/nowhere", *prompt]
    with pytest.raises(InputError, match=r"^prompt=zeshot: the documents of folder have no field for \$headings"):
        read_inputs(composed_cell([*settings, "model=scripted"]))
    with pytest.raises(InputError, match="no folder of run files at /nowhere"):  # nobody reads the prompt
        read_inputs(composed_cell([*settings, "model=lexical"]))


def test_a_cell_labels_what_the_prompt_names(titled, tmp_path):
    (tmp_path / "own.txt").write_text("$query_title $narrative $title $passage")
    prompt = [f"prompt.file={tmp_path / 'own.txt'}", "prompt.name=own"]
    settings = ["dataset=folder", f"dataset.path={titled}", "model=scripted", *prompt]
    cell = composed_cell(settings)
    inputs = read_inputs(cell)
    assert list(inputs.pairs) == ["query_id", "doc_id", "query", "passage", "query_title", "narrative", "title"]
    before = key(cell, inputs)
    file = titled / "documents.jsonl"
    file.write_text(file.read_text().replace("Fruit", "Trees"))
    cell = composed_cell(settings)
    assert key(cell, read_inputs(cell)) != before
    changed = read_inputs(composed_cell([*settings[:2], "model=scripted"]))  # a prompt that names no title
    assert changed.dataset.fingerprint == inputs.dataset.fingerprint


def test_keys_of_query_and_passage_are_those_of_old_ledgers():
    assert pair_key("red apples", "red apples are sweet") == "3ea0fc353c0d95cda0f1f50779665118"
    pairs = pd.DataFrame({"query": ["red apples"], "passage": ["red apples are sweet"], "title": ["Fruit"]})
    assert pair_keys(pairs) == ["3ea0fc353c0d95cda0f1f50779665118"]
    assert pair_keys(pairs, ("query", "passage", "title")) != pair_keys(pairs)
    assert pair_key("a", "bc", "d") != pair_key("ab", "c", "d") != pair_key("a", "b", "cd")


def test_the_ledger_knows_a_pair_by_the_texts_that_were_used(titled, tmp_path):
    model, ledger = Noting(), Ledger(tmp_path / "ledger")
    dataset = collections.folder("titled", titled)
    labels = label(dataset.pairs(fields=TOPIC.fields), TOPIC, model, ledger).labels
    assert labels["relevance"].tolist() == [2, 2, 2]
    assert model.asked == [
        "apples | Pears do not count. | Fruit | Apples are red.",
        "apples | Pears do not count. |  | Pears are green.",
        "pears |  |  | Pears are green.",
    ]
    file = titled / "documents.jsonl"
    file.write_text(file.read_text().replace("http://x", "http://y"))  # a field that the prompt does not name
    assert label(collections.folder("titled", titled).pairs(fields=TOPIC.fields), TOPIC, model, ledger).asked == 0
    file.write_text(file.read_text().replace("Fruit", "Trees"))
    again = label(collections.folder("titled", titled).pairs(fields=TOPIC.fields), TOPIC, model, ledger)
    assert again.asked == 1
    assert model.asked[3:] == ["apples | Pears do not count. | Trees | Apples are red."]


class Words:
    """A tokenizer whose tokens are words; it has no chat template."""

    chat_template = None

    def get_added_vocab(self):
        return {"<end>": 0}

    def encode(self, text, add_special_tokens):
        return text.split()

    def decode(self, tokens):
        return " ".join(tokens)

    def __call__(self, texts):
        return {"input_ids": [text.split() for text in texts]}


@pytest.mark.parametrize(
    "text", ["$query_title $title : $text", "$query_title $text $title", "$query_title $title $passage"]
)
def test_too_long_a_document_loses_the_end_of_its_main_text_and_never_its_title(text):
    prompt = Prompt("own", text, "final_score", 5)
    named = {"query_title": "fruit", "title": "Red <end> apples", "text": "one two three four five six seven eight"}
    texts = tuple(named.get(each, named["text"]) for each in prompt.fields)
    (asked,) = Tokens(Words(), 14).fit("m", {}, prompt, [texts], 5)
    assert asked.cut
    words = " ".join(asked.tokens)
    assert "Red < end> apples" in words  # whole, and with the model's control tokens broken up
    assert "one two" in words
    assert "eight" not in words
    assert len(asked.tokens) <= 9
