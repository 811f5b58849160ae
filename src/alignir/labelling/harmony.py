"""Harmony: gpt-oss's own form of a conversation, made and read by openai_harmony."""

from collections.abc import Sequence


class Harmony:
    """gpt-oss's conversation form, rendered and read as tokens: its text loses the marks of the channels."""

    def __init__(self, reasoning_effort: str, date: str):
        from openai_harmony import (
            Conversation,
            DeveloperContent,
            HarmonyEncodingName,
            Message,
            ReasoningEffort,
            Role,
            SystemContent,
            load_harmony_encoding,
        )

        self.encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
        self.stop_tokens = self.encoding.stop_tokens_for_assistant_actions()
        effort = ReasoningEffort[reasoning_effort.upper()]
        about = SystemContent.new().with_reasoning_effort(effort).with_conversation_start_date(date)

        def conversation(system: str, text: str):
            messages = [Message.from_role_and_content(Role.SYSTEM, about)]
            if system:
                developer = DeveloperContent.new().with_instructions(system)
                messages.append(Message.from_role_and_content(Role.DEVELOPER, developer))
            messages.append(Message.from_role_and_content(Role.USER, text))
            return Conversation.from_messages(messages)

        self.tokens = lambda system, text: self.encoding.render_conversation_for_completion(
            conversation(system, text), Role.ASSISTANT
        )

    def decode(self, tokens: Sequence[int]) -> str:
        """The text with its channel marks."""
        return self.encoding.decode(list(tokens))
