"""What endpoints are sent: the body of a request about one pair, the same over the wire and in a batch file."""

from typing import TYPE_CHECKING, Any

from alignir.labelling.prompts import Prompt

if TYPE_CHECKING:
    from alignir.labelling.endpoint import Endpoint

LENGTH = ("max_tokens", "max_completion_tokens")  # what servers call the most tokens that an answer may have
LIKELIEST = 20  # tokens at a place of the answer (decoding=logits), the most that OpenAI and vLLM give


def body(model: "Endpoint", prompt: Prompt, text: str, length: str = LENGTH[0]) -> dict[str, Any]:
    """Of a request of POST /v1/chat/completions; `length` is the server's name for max_tokens."""
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    fields = set_ones(model.sampling) | {length: room(model, prompt)}
    if model.chat:
        fields["chat_template_kwargs"] = model.chat
    if prompt.decoding == "constrained":
        # vLLM's own; the reader checks what comes back
        fields["structured_outputs"] = {"regex": prompt.pattern}
    if prompt.decoding == "logits":
        fields |= {"logprobs": True, "top_logprobs": LIKELIEST}
    own = {"model": model.name, "messages": [*system, {"role": "user", "content": text}]}
    return own | fields | set_ones(model.extra_body)


def room(model: "Endpoint", prompt: Prompt) -> int:
    """The most tokens that an answer may have, thoughts among them."""
    return prompt.max_tokens + model.thinking_tokens


def leave_out(model: "Endpoint", name: str) -> str:
    """What to set so that a field is not sent, in words."""
    groups = {"sampling": model.sampling, "extra_body": model.extra_body}
    for group, values in groups.items():
        if name in set_ones(values):
            return f"leave it out with model.{group}.{name}=null"
    return {
        "chat_template_kwargs": "leave out model.chat",
        "structured_outputs": "prompt.decoding=free and missing=drop do without it",
        "logprobs": "prompt.decoding=free does without it",
        "top_logprobs": "prompt.decoding=free does without it",
    }.get(name, f"model.max_tokens_name={LENGTH[name == LENGTH[0]]} sends its other name")


def set_ones(settings: dict | None) -> dict:
    """Those that have a value."""
    return {name: value for name, value in (settings or {}).items() if value is not None}
