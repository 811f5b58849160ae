"""Prompts: nothing in a passage is filled in, and a prompt that cannot work is refused."""

import pytest

from alignir.errors import InputError
from alignir.files import shipped
from alignir.labelling.answers import read
from alignir.labelling.prompts import Examples, read_prompt


def made(tmp_path, text, name="own.txt", form="final_score"):
    (tmp_path / name).write_text(text)
    return read_prompt("own", str(tmp_path / name), form, 100)


@pytest.mark.parametrize("file", sorted(shipped("prompts").glob("*.txt")), ids=lambda file: file.name)
def test_every_shipped_prompt_holds_the_whole_scale(file):
    prompt = read_prompt(file.stem, file.name, "final_score", 100)
    for meaning in (
        "nothing to do with the query",
        "does not answer it",
        "hidden amongst extraneous",
        "the exact answer",
    ):
        assert meaning in prompt.text
    assert "What is tea?" in prompt.render("What is tea?", "A drink.")


def test_a_prompts_own_text_is_not_read_as_an_answer():
    assert read(read_prompt("zeshot", "zeshot.txt", "final_score", 100).text, "final_score")[0] is None


def test_what_looks_like_a_field_in_a_passage_stays_as_it_is(tmp_path):
    prompt = made(tmp_path, "Q: $query P: ${passage} costs $5")
    assert prompt.render("$passage", "$query {query} %s ${x}") == "Q: $passage P: $query {query} %s ${x} costs $5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Passage: $passage", "expected $query and $passage in the prompt, found no query"),
        ("Query: $query", "found no passage"),
        ("Query: $querypassage", "found no query, only $querypassage"),
        ("nothing", "found no query and no passage"),
    ],
)
def test_a_prompt_without_its_fields_is_refused(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        made(tmp_path, text)
    assert message in str(error.value)


UMBRELA = """method: "own"
system_message: "You judge."
prefix_user: |-
  It costs $5 and has a {{brace}}.
  Query: {query}
  Passage: {passage}
"""


def test_umbrelas_yaml_form_is_read(tmp_path):
    prompt = made(tmp_path, UMBRELA, "own.yaml")
    assert prompt.system == "You judge."
    assert (
        prompt.render("a {passage}", "b $query")
        == "It costs $5 and has a {brace}.\nQuery: a {passage}\nPassage: b $query"
    )


def test_umbrelas_few_shot_form_is_read(tmp_path):
    prompt = made(tmp_path, UMBRELA.replace("Query:", "{examples} Query:"), "own.yaml")
    assert (prompt.examples, prompt.fields) == (Examples(n=1, seed=0), ("query", "passage"))
    filled = prompt.filled("two $query {passage} $5")
    assert filled.examples is None
    assert "{brace}.\ntwo $query {passage} $5 Query: Q" in filled.render("Q", "P")


def test_what_cannot_be_filled_in_is_named(tmp_path):
    with pytest.raises(InputError, match="2nd cannot be filled in"):
        made(tmp_path, UMBRELA.replace("Query:", "{2nd} Query:"), "own.yaml")


def test_a_yaml_of_another_form_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a YAML prompt with system_message and prefix_user"):
        made(tmp_path, "user: $query $passage", "own.yaml")


def test_the_working_folders_prompts_come_before_the_shipped_ones(tmp_path, monkeypatch):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "zeshot.txt").write_text("mine: $query $passage")
    monkeypatch.chdir(tmp_path)
    assert read_prompt("zeshot", "zeshot.txt", "final_score", 100).text == "mine: $query $passage"


def test_unknown_files_and_forms_name_the_choices(tmp_path):
    with pytest.raises(InputError, match=r"no prompt file nope\.txt.*Shipped: basic\.txt, prefix\.txt, zeshot\.txt"):
        read_prompt("x", "nope.txt", "final_score", 100)
    with pytest.raises(InputError, match="form=json: expected one of final_score, last_line"):
        made(tmp_path, "$query $passage", form="json")


def test_a_byte_order_mark_is_no_part_of_a_prompt(tmp_path):
    (tmp_path / "own.txt").write_bytes("\ufeffRate.\r\n$query $passage ü".encode())
    assert read_prompt("own", str(tmp_path / "own.txt"), "final_score", 9).text == "Rate.\n$query $passage ü"
    (tmp_path / "own.yaml").write_bytes(b"\xef\xbb\xbf" + UMBRELA.encode())
    assert read_prompt("own", str(tmp_path / "own.yaml"), "final_score", 9).system == "You judge."


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_prompt_in_another_encoding_is_named_in_a_line(tmp_path, encoding):
    (tmp_path / "own.txt").write_bytes("Rate.\nGröße $query $passage".encode(encoding))
    with pytest.raises(InputError) as error:
        read_prompt("own", str(tmp_path / "own.txt"), "final_score", 9)
    line, name = {"cp1252": (2, "cp1252"), "utf-16": (1, "UTF-16")}[encoding]
    assert f"own.txt:{line}: expected UTF-8 text, found" in str(error.value)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["my prompt", "größe", "a/b", "", "a\n"])
def test_a_name_that_mlflow_refuses_is_refused_at_once(name):
    from mlflow.prompt.constants import PROMPT_NAME_RULE

    assert not PROMPT_NAME_RULE.match(name) or name.endswith("\n")
    with pytest.raises(InputError, match=r"name: expected letters \(A to Z\), digits, '_', '\.' and '-', found"):
        read_prompt(name, "zeshot.txt", "final_score", 9)


def test_the_collected_prompts(cases):
    def rendered(file):
        return read_prompt("own", str(cases / "prompts" / file), "final_score", 9).render("Q", "P {query} $query")

    assert rendered("bom.txt").startswith("Rate.\nQ\n")
    assert 'Give {"score": N}. It costs $5, Q.' in rendered("json.txt")
    assert rendered("braces.yaml") == '[Q] as {"score": 0} or {"score": 1} $5\nP {query} $query'
    with pytest.raises(InputError, match=r"cp1252\.txt:1: expected UTF-8 text, .*cp1252"):
        rendered("cp1252.txt")
