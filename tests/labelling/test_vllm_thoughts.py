"""Thoughts under vLLM are never answers: with a model that says, token by token, what it is made to say.

Each token of the model has one that follows it, and the chat template ends with the token from which it goes on
(`model.chat.ends`), so a test chooses what is said; everything between the prompt and the label is the real engine's.
"""

import re
import shutil
import sys

import pytest

from alignir.errors import InputError
from alignir.labelling.answers import read, unknown_finish_reason
from alignir.labelling.prompts import Prompt

pytest.importorskip("vllm", reason="needs vLLM: bash scripts/setup.sh")
from alignir.labelling import vllm as engine

pytestmark = pytest.mark.vllm

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{{ ends }}{% endif %}"
)
SPECIAL = [
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "[THINK]",
    "[/THINK]",
    "<think>",
    "</think>",
    "<|note|>",
    "[TOOL_CALLS]",
]
WORDS = ["##final score: 1, perhaps. ", "##final score: 2", " ##final score: 3", "Hm. ##final score: 0 or so. "]
WORDS += ["Sure: ##final score: 1. "]
FOLLOWS = {
    "<|assistant|>": "[THINK]",
    "[THINK]": "##final score: 1, perhaps. ",
    "##final score: 1, perhaps. ": "[/THINK]",
    "[/THINK]": "##final score: 2",
    "##final score: 2": "<|end|>",
    "<think>": "Hm. ##final score: 0 or so. ",  # and so on: a thought without an end
    "Hm. ##final score: 0 or so. ": "Hm. ##final score: 0 or so. ",
    "?": "Sure: ##final score: 1. ",
    "Sure: ##final score: 1. ": "</think>",
    "</think>": " ##final score: 3",
    " ##final score: 3": "<|note|>",
    "<|note|>": "<|end|>",
    "*": "##final score: 2",
}
PROMPT = Prompt("tiny", "Query: $query\nPassage: $passage", "final_score", 12)
PAIR = ("query", "passage")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights without attention and layers: what follows a token is written in the last matrix."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("parrot")
    letters = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = Tokenizer(models.BPE({letter: place for place, letter in enumerate(sorted(letters))}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(word, special=False, normalized=False) for word in WORDS])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=512, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=32, max_position_embeddings=512, eos_token_id=fast.eos_token_id,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.model.norm.weight.fill_(1)
        for token in range(len(fast)):
            model.model.embed_tokens.weight[token, token] = 1
        for token, following in FOLLOWS.items():
            model.lm_head.weight[fast.convert_tokens_to_ids(following), fast.convert_tokens_to_ids(token)] = 1
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def say(folder):
    """What the model says, and its finish reason, after a chat template that ends with this."""
    settings = {"max_model_len": 256, "max_num_seqs": 4, "dtype": "float32", "seed": 0}

    def said(ends: str, prompt: Prompt = PROMPT, pair=PAIR, **more) -> tuple[str, str]:
        model = engine.VLLM(name=str(folder), engine=settings, **{"chat": {"ends": ends}, **more})
        model.check(prompt)
        (answer,) = model.answer(prompt, [pair])
        return answer.response, answer.finish_reason

    yield said
    engine.close()


def test_marks_of_thoughts_that_are_special_tokens_are_kept_and_the_token_that_ends_the_turn_is_not(say):
    said, reason = say("")
    assert said == "[THINK]##final score: 1, perhaps. [/THINK]##final score: 2"
    assert (reason, read(said, "final_score", reason)) == ("stop", (2, "ok"))


def test_every_finish_reason_of_vllm_is_known():
    from vllm.v1.engine import FINISH_REASON_STRINGS

    assert not [reason for reason in FINISH_REASON_STRINGS if unknown_finish_reason(reason)]


def test_a_special_token_behind_the_answer_does_not_hide_it(say):
    said, reason = say("</think>")
    assert said == " ##final score: 3<|note|>"
    assert read(said, "final_score", reason) == (3, "ok")


def test_a_thought_that_the_template_opens_and_nobody_closes_is_no_answer(say):
    said, reason = say("<think>")
    assert said == "<think>" + "Hm. ##final score: 0 or so. " * 12
    assert read(said, "final_score", reason) == (None, "truncated")
    assert read(said.removeprefix("<think>"), "final_score", reason)[1] != "truncated"  # as it was read before


def test_a_thought_that_the_template_opens_and_the_model_closes_is_dropped(say):
    said, reason = say("<think>\n?")
    assert said == "<think>\n?Sure: ##final score: 1. </think> ##final score: 3<|note|>"
    assert read(said, "final_score", reason) == (3, "ok")


def test_a_thought_that_the_template_opens_and_closes_is_none_of_the_answers(say):
    assert say("<think>\n\n</think>\n\n*") == ("##final score: 2", "stop")


def test_what_a_user_or_a_passage_opens_is_not_the_templates(say):
    assert say("*", pair=("query <think>", "passage <|assistant|><think>"))[0] == "##final score: 2"
    assert say("*", Prompt("open", PROMPT.text + " <think>", "final_score", 12))[0] == "##final score: 2"


def test_constrained_and_logits_answers_are_a_label_whatever_the_template_opens(say):
    for parser in (None, "deepseek_r1"):
        for form, decoding in (("final_score", "constrained"), ("last_line", "constrained"), ("last_line", "logits")):
            prompt = Prompt("tiny", PROMPT.text, form, 40, decoding=decoding)
            assert re.fullmatch(f"{prompt.lead}[0-3]", say("<think>", prompt, reasoning_parser=parser)[0])


@pytest.mark.parametrize(
    ("parser", "ends", "said", "label"),
    [
        ("deepseek_r1", "?", "<think>Sure: ##final score: 1. </think> ##final score: 3<|note|>", (3, "ok")),
        ("deepseek_r1", "<think>?", "<think>Sure: ##final score: 1. </think> ##final score: 3<|note|>", (3, "ok")),
        ("qwen3", "?", "<think>Sure: ##final score: 1. </think> ##final score: 3<|note|>", (3, "ok")),
        ("mistral", "", "<think>##final score: 1, perhaps.</think>##final score: 2", (2, "ok")),
        ("deepseek_r1", "<think>", "<think>" + "Hm. ##final score: 0 or so. " * 12, (None, "truncated")),
        # it takes all for the answer unless chat.thinking is set: what the template leaves open counts
        ("deepseek_v3", "<think>", "<think>" + "Hm. ##final score: 0 or so. " * 12, (None, "truncated")),
        ("deepseek_v3", "*", "##final score: 2", (2, "ok")),
    ],
)
def test_vllms_own_parser_tells_thoughts_from_the_answer(say, parser, ends, said, label):
    response, reason = say(ends, reasoning_parser=parser)
    assert response == said
    assert read(response, "final_score", reason) == label


def test_a_parser_that_takes_all_for_a_thought_gives_no_answer(say):
    response, reason = say("*", reasoning_parser="deepseek_r1")  # without the mark that ends one
    assert (response, reason) == ("<think>##final score: 2", "stop")
    assert read(response, "final_score", reason) == (None, "truncated")


@pytest.mark.parametrize(
    ("parser", "reason"),
    [
        ("minimax_m3", "RuntimeError"),
        ("openai_gptoss", "boundary detection"),
        ("cohere_command3", "TypeError"),
        ("hf", ""),
    ],
)
def test_a_parser_that_cannot_serve_the_model_is_one_message(say, parser, reason):
    with pytest.raises(InputError, match=f"model.reasoning_parser={parser} cannot be used with this model.*{reason}"):
        say("", reasoning_parser=parser)


def test_an_unknown_parser_is_told_with_the_known_ones_before_a_model_is_loaded():
    model = engine.VLLM(name="nowhere", reasoning_parser="qwen33")
    with pytest.raises(InputError, match=r"model\.reasoning_parser=qwen33: expected one of .*deepseek_r1.*qwen3,"):
        model.check(PROMPT)


def test_gpt_oss_has_its_own_way():
    harmony = {"reasoning_effort": "low", "date": "2025-08-05"}
    model = engine.VLLM(name="x", harmony=harmony, reasoning_parser="openai_gptoss")
    with pytest.raises(InputError, match="harmony tells thoughts from answers by itself; leave one of the two out"):
        model.check(PROMPT)


def test_a_parser_makes_another_judge_and_needs_no_other_engine():
    plain, parsed = engine.VLLM(name="x"), engine.VLLM(name="x", reasoning_parser="qwen3")
    assert "reasoning_parser" not in plain.identity()  # answers that were stored before it could be set are found
    assert parsed.identity() == plain.identity() | {"reasoning_parser": "qwen3"}
    assert plain.key() == parsed.key()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": {"temprature": 0}}, "model.sampling={'temprature': 0}: vLLM refuses it: .*temprature"),
        ({"sampling": {"temperature": -1}}, "model.sampling={'temperature': -1}: vLLM refuses it"),
        ({"sampling": {"logprobs": 99}}, "model.sampling={'logprobs': 99}: vLLM refuses it"),
        ({"sampling": {"top_p": "high"}}, "model.sampling={'top_p': 'high'}: vLLM refuses it"),
        ({"chat": {"tokenize": True}}, "chat template refuses the prompt .*tokenize"),
        ({"harmony": {"reasoning_effort": "lowest", "date": "2025-08-05"}}, "expected a reasoning_effort .low, medium"),
        ({"harmony": {"reasoning_effort": "low"}}, "and a date, such as"),
    ],
)
def test_a_mistake_in_the_settings_is_one_message(say, settings, message):
    with pytest.raises(InputError, match=message):
        say("", **settings)


def test_a_broken_vllm_is_one_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", None)
    with pytest.raises(InputError, match=r"vLLM is installed but cannot be imported: \w+: .*vllm\.sampling_params"):
        engine.VLLM(name="nowhere").answer(PROMPT, [PAIR])
    monkeypatch.setitem(sys.modules, "vllm.reasoning", None)
    with pytest.raises(InputError, match=r"vLLM is installed but cannot be imported: \w+: .*vllm\.reasoning"):
        engine.VLLM(name="nowhere", reasoning_parser="qwen3").check(PROMPT)


def test_a_mistake_in_sampling_is_told_before_a_model_is_loaded():
    with pytest.raises(InputError, match=r"model\.sampling="):
        engine.VLLM(name="nowhere", sampling={"temprature": 0}).answer(PROMPT, [PAIR])


def test_a_repository_in_mistrals_own_form_is_asked_by_its_chat_template(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "mistral")
    for name in ("consolidated.safetensors", "tekken.json"):  # what vLLM knows such a repository by
        (copy / name).touch()
    settings = {"max_model_len": 256, "max_num_seqs": 4, "dtype": "float32", "load_format": "dummy"}
    model = engine.VLLM(name=str(copy), engine=settings)
    (asked,) = model._open().tokens.of(model.name, {"ends": "<think>"}, PROMPT, [PAIR])
    assert asked.opened == "<think>"
