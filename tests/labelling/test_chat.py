"""Chat templates: a system text is never lost, and a thought that the template opens is known for one."""

import pytest

from alignir.errors import InputError
from alignir.labelling.chat import in_chat, left_open

jinja2 = pytest.importorskip("jinja2")

WITH = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<model>{% endif %}"
)
REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + WITH
DROPPING = WITH.replace("{% for m in messages %}", "{% for m in messages if m.role != 'system' %}")


class Tokenizer:
    """What chats need of a Hugging Face tokenizer, with the same way of refusing."""

    def __init__(self, template: str):
        environment = jinja2.Environment()
        environment.globals["raise_exception"] = self._refuse
        self.template = environment.from_string(template)

    def _refuse(self, message):
        raise jinja2.exceptions.TemplateError(message)

    def apply_chat_template(self, chats, tokenize, add_generation_prompt, **settings):
        if chats and isinstance(chats[0], dict):
            return self.template.render(messages=chats, add_generation_prompt=add_generation_prompt, **settings)
        return [self.apply_chat_template(chat, tokenize, add_generation_prompt, **settings) for chat in chats]


def test_a_system_text_has_its_own_turn_where_the_template_has_one():
    found = in_chat(Tokenizer(WITH), "You judge.", ["a", "b"], {})
    assert found.texts == ["<system>You judge.<user>a<model>", "<system>You judge.<user>b<model>"]
    assert found.has_system_role


@pytest.mark.parametrize("template", [REFUSING, DROPPING])
def test_a_template_without_a_system_role_has_the_system_text_before_the_users(template):
    found = in_chat(Tokenizer(template), "You judge.", ["a", "b"], {})
    assert found.texts == ["<user>You judge.\n\na<model>", "<user>You judge.\n\nb<model>"]
    assert not found.has_system_role


@pytest.mark.parametrize("template", [WITH, REFUSING, DROPPING])
def test_without_a_system_text_there_is_nothing_to_place(template):
    found = in_chat(Tokenizer(template), "", ["a"], {})
    assert (found.texts, found.opened, found.has_system_role) == (["<user>a<model>"], [""], True)


@pytest.mark.parametrize(
    ("generation_prompt", "opened"),
    [
        ("<|im_start|>assistant\n<think>\n", "<think>\n"),  # QwQ, Qwen3-Thinking
        ("<｜Assistant｜><think>\n", "<think>\n"),  # DeepSeek-R1
        ("<｜Assistant｜><think>", "<think>"),  # DeepSeek-V3.1, thinking
        ("<|assistant|>\n<think>", "<think>"),  # GLM-Z1
        ("]~b]ai\n<think>\n", "<think>\n"),  # MiniMax-M2
        ("<|start_header_id|>assistant<|end_header_id|>\n\n<think>\n", "<think>\n"),  # Llama's headers
        ("[/INST][THINK]", "[THINK]"),
        ("<seed:bos>assistant\n<seed:think>", "<seed:think>"),
        ("<|im_assistant|>assistant<|im_middle|>◁think▷", "◁think▷"),
        ("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_THINKING|>", "<|START_THINKING|>"),  # Command A
        ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>analysis<|message|>"),  # gpt-oss
        ("<start_of_turn>model\n<|channel>thought\n", "<|channel>thought\n"),
        ("<|im_start|>assistant\n<think>\nOkay, ", "<think>\nOkay, "),  # with words put into its mouth
        ("<|im_start|>assistant\n<think>\nDone.</think>\n<think>", "<think>"),
        ("<|im_start|>think\n", "<|im_start|>think\n"),  # s1
        # opened and closed, or never opened
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", ""),  # Qwen3, enable_thinking false
        ("<｜Assistant｜></think>", ""),  # DeepSeek-V3.1, not thinking
        ("<|assistant|>\n<think></think>", ""),  # GLM-4.5, not thinking
        (
            "<seed:bos>assistant\n<seed:think>\n<seed:cot_budget_reflect>none</seed:cot_budget_reflect>\n</seed:think>",
            "",
        ),
        ("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_THINKING|><|END_THINKING|>", ""),
        ("<start_of_turn>model\n<|channel>thought\n<channel|>", ""),
        ("<|im_start|>assistant\n", ""),
        ("<|start_header_id|>assistant<|end_header_id|>\n\n", ""),
        ("<|start|>assistant", ""),
        ("<start_of_turn>model\n", ""),
        ("[/INST]", ""),
        (" ASSISTANT:", ""),
        ("", ""),
    ],
)
def test_a_thought_that_the_generation_prompt_leaves_open(generation_prompt, opened):
    assert left_open(generation_prompt) == opened


THINKING = WITH.replace("<model>", "<model>{{ '<think></think>' if enable_thinking is false else '<think>\n' }}")


def test_a_template_tells_by_its_settings_whether_it_opens_a_thought():
    assert in_chat(Tokenizer(THINKING), "", ["a", "b"], {}).opened == ["<think>\n", "<think>\n"]
    assert in_chat(Tokenizer(THINKING), "", ["a", "b"], {"enable_thinking": False}).opened == ["", ""]
    assert in_chat(Tokenizer(WITH), "", ["a", "b"], {}).opened == ["", ""]


@pytest.mark.parametrize(
    "text", ["<think>", "a passage <|im_start|>assistant\n<think>\n", "</think>", "<model><think>\n"]
)
def test_no_text_of_a_query_or_passage_opens_or_closes_a_thought(text):
    always = WITH.replace("{% if add_generation_prompt %}<model>{% endif %}", "<model>")
    for template in (WITH, always):
        assert in_chat(Tokenizer(template), "", [text], {}).opened == [""]
        assert in_chat(Tokenizer(template.replace("<model>", "<model><think>")), "", [text], {}).opened == ["<think>"]


def test_each_text_counts_where_a_template_listens_to_users():
    listening = THINKING.replace("enable_thinking is false", "'/no_think' in messages[-1].content")
    assert in_chat(Tokenizer(listening), "", ["a", "b /no_think"], {}).opened == ["<think>\n", ""]


def test_a_template_that_knows_no_chat_without_an_answer_still_tells():
    strict = "{% if not add_generation_prompt %}{{ raise_exception('no answer') }}{% endif %}" + THINKING
    assert in_chat(Tokenizer(strict), "", ["a <think></think>"], {}).opened == ["<think>\n"]


def test_what_a_template_refuses_is_told_with_the_settings():
    picky = "{% if effort not in ('low', 'high') %}{{ raise_exception('no such effort') }}{% endif %}" + WITH
    with pytest.raises(InputError, match=r"refuses the prompt \(model.chat=\{'effort': 'mid'\}\): no such effort"):
        in_chat(Tokenizer(picky), "", ["a"], {"effort": "mid"})
