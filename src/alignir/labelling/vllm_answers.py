"""What vLLM answers: a text in which every thought keeps its marks, so that nobody takes it for the answer."""

from typing import Any

from alignir.errors import InputError, one_of
from alignir.labelling.vllm_process import importing


def check_parser(name: str) -> None:
    """InputError if vLLM has no reasoning parser of this name. Imports vLLM (some seconds), loads no model."""
    known = _parsers().list_registered()
    if name not in known:
        raise one_of("model.reasoning_parser", name, known)


class ReasoningParser:
    """One of vLLM's own reasoning parsers, which know a family's thoughts by more than their marks."""

    def __init__(self, name: str, tokenizer: Any, chat: dict, model_config: Any):
        with importing():
            from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

        self.request = ChatCompletionRequest(messages=[])
        try:
            make = _parsers().get_reasoning_parser(name)
            self.parser = make(tokenizer, chat_template_kwargs=dict(chat), model_config=model_config)
            _thought, _said = self._split("2")
        except Exception as error:  # of another family, or a parser that works in vLLM's server only
            raise InputError(
                f"model.reasoning_parser={name} cannot be used with this model, nor perhaps with any outside of vLLM's "
                f"server ({type(error).__name__}: {error}); null leaves thoughts to alignir's reader, which knows the "
                "marks of most families"
            ) from error

    def marked(self, text: str, opened: str = "") -> str:
        """The text with its thoughts before the answer, as <think>...</think>; without an end where they have none.

        `opened` is the thought that the prompt left open. It counts where the parser finds no thought.
        """
        thought, said = self._split(text)
        if not thought:
            return opened + text if opened else said or ""
        end = self.parser.reasoning_end_str
        closed = said or (end and end in text)
        return f"<think>{thought}" + (f"</think>{said or ''}" if closed else "")

    def _split(self, text: str) -> tuple[str | None, str | None]:
        thought, said = self.parser.extract_reasoning(text, self.request)
        return thought, said


def _parsers() -> Any:
    with importing():
        from vllm.reasoning import ReasoningParserManager

    return ReasoningParserManager
