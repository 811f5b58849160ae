"""Few-shot prompts: examples come from queries that are not asked about, and are a part of what is asked."""

import pytest

from alignir.config import composed_cell
from alignir.data import collections
from alignir.errors import InputError
from alignir.experiment.inputs import read_inputs
from alignir.experiment.keys import key
from alignir.frames import PAIR
from alignir.labelling.examples import with_examples
from alignir.labelling.labels import judge_of, label
from alignir.labelling.ledger import Ledger
from alignir.labelling.prompts import Examples, Prompt, read_prompt
from alignir.labelling.scripted import Scripted

TEXT = "Rate.\n$examples\n\n###\n\nQuery: $query\nPassage: $passage\n"


@pytest.fixture
def labelled():
    dataset = collections.demo("demo")
    return dataset.pairs().merge(dataset.qrels, on=PAIR)


@pytest.fixture
def few_shot(tmp_path, monkeypatch):
    """Settings of a cell of the demo with a few-shot prompt, that compares systems on a sixth of the queries."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.txt").write_text(TEXT)
    return [
        "model=scripted",
        "prompt.file=few.txt",
        "prompt.name=few",
        "queries=random",
        "queries.n=6",
        "queries.seed=1",
    ]


def blocks(text):
    """(query, passage, answer) of each example, and of the pair that is asked about."""
    found = [block.strip().splitlines() for block in text.split("###\n\n")[1:]]
    return [
        (lines[0].removeprefix("Query: "), lines[1].removeprefix("Passage: "), "".join(lines[2:])) for lines in found
    ]


def test_as_many_examples_of_each_grade_as_were_asked_for_the_lower_grades_first(labelled):
    prompt = Prompt("few", TEXT, "final_score", 10, examples=Examples(n=2, seed=3))
    filled = with_examples(prompt, labelled)
    shown = blocks(filled.text)
    assert [answer for _, _, answer in shown] == [
        *(f"##final score: {grade}" for grade in (0, 0, 1, 1, 2, 2, 3, 3)),
        "",
    ]
    grades = labelled.set_index(["query", "passage"])["relevance"]
    assert all(f"##final score: {grades[query, passage]}" == answer for query, passage, answer in shown[:8])
    assert with_examples(prompt, labelled.sample(frac=1, random_state=0)) == filled
    other = with_examples(Prompt("few", TEXT, "final_score", 10, examples=Examples(n=2, seed=4)), labelled)
    assert other.sha256 != filled.sha256
    assert blocks(filled.render("Q", "P"))[8][:2] == ("Q", "P")


def test_an_example_has_the_prompts_own_form_and_nothing_in_it_is_filled_in(labelled):
    prompt = Prompt("few", TEXT, "last_line", 10, examples=Examples())
    hostile = labelled.assign(passage="$query costs $5 ${passage} $$")
    shown = blocks(with_examples(prompt, hostile).render("Q", "P"))
    assert [answer for _, _, answer in shown[:4]] == ["0", "1", "2", "3"]
    assert {passage for _, passage, _ in shown[:4]} == {"$query costs $5 ${passage} $$"}


def test_a_grade_with_too_few_labels_is_named(labelled):
    prompt = Prompt("few", TEXT, "final_score", 10, examples=Examples(n=3))
    few = labelled[(labelled["relevance"] < 3) | (labelled["query_id"] == labelled["query_id"].iloc[0])]
    with pytest.raises(InputError, match=r"expected 3 of grade 3 among the \d+ pairs of other queries, found [012]"):
        with_examples(prompt, few)


def test_a_cell_shows_no_query_that_it_asks_about(few_shot):
    inputs = read_inputs(composed_cell(few_shot))
    shown = {query for query, _, _ in blocks(inputs.prompt.text)[:-1]}
    everything = set(collections.demo("demo").queries)
    assert shown <= everything - set(inputs.dataset.queries)
    assert len(inputs.dataset.queries) == 6
    note = "few: 4 examples in the prompt, 1 of each grade, drawn from 30 other queries with seed 0"
    assert note in inputs.notes
    cells = [composed_cell([*few_shot, f"+prompt.examples={{n: 1, seed: {seed}}}"]) for seed in (1, 2)]
    judges = [read_inputs(cell) for cell in cells]
    assert judges[0].prompt.sha256 != judges[1].prompt.sha256
    assert key(cells[0], judges[0]) != key(cells[1], judges[1])
    assert judge_of(cells[0].llm, judges[0].prompt) != judge_of(cells[1].llm, judges[1].prompt)


def test_where_every_query_is_asked_about_examples_come_from_another_folder(few_shot, small):
    with pytest.raises(InputError, match=r"every query of demo is asked about, .* \+prompt\.examples\.path=FOLDER"):
        read_inputs(composed_cell([*few_shot[:3]]))
    with open(small / "queries.tsv", "a") as file:
        file.write(f"q3\t{collections.demo('demo').queries.iloc[0]}\n")
    with open(small / "qrels.txt", "a") as file:
        file.write("q3 0 d1 1\n")
    inputs = read_inputs(composed_cell([*few_shot[:3], f"+prompt.examples.path={small}"]))
    shown = blocks(inputs.prompt.text)[:-1]
    assert {query for query, _, _ in shown} <= {"red apples", "green pears"}  # the third is a query of the demo
    assert [answer[-1] for _, _, answer in shown] == ["0", "1", "2", "3"]


def test_labels_of_another_scale_are_no_examples(few_shot, small):
    (small / "qrels.txt").write_text("q1 0 d1 1\nq1 0 d2 0\nq2 0 d3 4\n")
    with pytest.raises(InputError, match="are no examples for a prompt of"):
        read_inputs(composed_cell([*few_shot, f"+prompt.examples.path={small}"]))


def test_a_prompt_whose_examples_nobody_filled_in_is_not_asked(labelled, tmp_path):
    prompt = Prompt("few", TEXT, "final_score", 10, examples=Examples())
    with pytest.raises(InputError, match=r"the prompt few has \$examples, which only a cell of the grid fills in"):
        label(labelled, prompt, Scripted(), Ledger(tmp_path))


@pytest.mark.parametrize(
    ("text", "examples", "message"),
    [
        (TEXT, {"k": 1}, "examples: expected the settings n, seed, path, found k"),
        (TEXT, {"n": 0}, "examples: expected whole numbers, n from 1 and seed from 0, found 0 and 0"),
        ("$query $passage", {"n": 1}, "expected $examples in the prompt, for prompt.examples={'n': 1}"),
        ("$examples $query", None, "found no passage"),
    ],
)
def test_wrong_settings_of_examples_are_named(tmp_path, text, examples, message):
    (tmp_path / "few.txt").write_text(text)
    with pytest.raises(InputError) as error:
        read_prompt("few", str(tmp_path / "few.txt"), "final_score", 9, examples=examples)
    assert message in str(error.value)
