"""Chat templates: a system text is never lost, whatever the template makes of the role."""

import pytest

from alignir.labelling.chat import in_chat

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
    assert found == (["<system>You judge.<user>a<model>", "<system>You judge.<user>b<model>"], True)


@pytest.mark.parametrize("template", [REFUSING, DROPPING])
def test_a_template_without_a_system_role_has_the_system_text_before_the_users(template):
    found = in_chat(Tokenizer(template), "You judge.", ["a", "b"], {})
    assert found == (["<user>You judge.\n\na<model>", "<user>You judge.\n\nb<model>"], False)


@pytest.mark.parametrize("template", [WITH, REFUSING, DROPPING])
def test_without_a_system_text_there_is_nothing_to_place(template):
    assert in_chat(Tokenizer(template), "", ["a"], {}) == (["<user>a<model>"], True)
