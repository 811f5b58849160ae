"""The shortest text that tells others apart."""

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from alignir.tracking.shapes import KINDS, name_of
from alignir.tracking.shortest import shortest


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a/gpt4.qrels.gz", "a/llama.qrels.gz"], ["gpt4", "llama"]),
        (["gpt4/qrels.txt", "llama/qrels.txt"], ["gpt4", "llama"]),
        (["/x/gpt4/v1/qrels.txt", "/x/llama/v1/qrels.txt"], ["gpt4", "llama"]),
        (["a/x/1.txt", "b/x/1.txt", "a/y/1.txt"], ["a/x/1.txt", "b/x/1.txt", "a/y/1.txt"]),
        (["a/f.txt", "f.txt"], ["a/f.txt", "f.txt"]),
        (["a/f.qrels", "a/f"], ["f.qrels", "f"]),
        (["1", "20"], ["1", "20"]),
        (["['a/b', 'c']", "['a/b', 'd']"], ["['a/b', 'c']", "['a/b', 'd']"]),
    ],
)
def test_a_path_is_said_by_the_part_that_differs(texts, expected):
    assert [shortest(texts)[text] for text in texts] == expected


@given(st.sets(st.one_of(st.text(), st.lists(st.sampled_from("abc"), min_size=1).map("/".join)), min_size=1))
def test_texts_that_differ_are_told_apart(texts):
    assert len(set(shortest(texts).values())) == len(texts)


def test_the_names_of_kinds_are_those_that_ship():
    for group, kinds in KINDS.items():
        names = {file.stem: OmegaConf.load(file) for file in (ROOT / "conf" / group).glob("*.yaml")}
        for kind in kinds:
            node = names[kind].get(group, names[kind])
            assert node.get("name", kind) in (kind, "???")
    shipped = {file.stem for file in (ROOT / "conf" / "dataset").glob("*.yaml")}
    assert shipped - {"ir_datasets"} == set(KINDS["dataset"])  # that one is called by its id


@pytest.mark.parametrize(
    ("group", "choice", "name", "reads_prompt", "expected"),
    [
        ("model", "replay", "replay", False, "replay"),
        ("model", "replay", "gpt4", False, "gpt4"),
        ("model", "mine", "replay", False, "mine"),  # a person's own YAML of labels
        ("model", "mine", "GPT 4", False, "GPT 4"),
        ("model", "llama8b", "meta-llama/Llama-3.1-8B-Instruct", True, "llama8b"),
        ("model", "endpoint", "gpt-4o", True, "gpt-4o"),
        ("dataset", "folder", "ours", True, "ours"),
        ("dataset", "mine", "folder", True, "mine"),
        ("dataset", "trec_dl_2019", "trec_dl_2019", True, "trec_dl_2019"),
        ("prompt", "zeshot", "mine", True, "zeshot"),
    ],
)
def test_a_name_that_a_person_gave_is_the_name(group, choice, name, reads_prompt, expected):
    assert name_of(group, choice, {"name": name}, reads_prompt) == expected
