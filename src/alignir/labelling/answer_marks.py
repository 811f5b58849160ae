r"""The reader's tables: what families of models write around an answer, how answers end, and the forms of answers.

A new family is a line here. Every mark of a thought is first rewritten into a tag, <think> or </think>:

>>> import re
>>> start, tag = THOUGHT_MARKS[0]
>>> start.sub(tag, "[THINK]It may be 1.")
'<think>It may be 1.'
"""

import re
from functools import cache

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u20e3]")
AS_ASCII = str.maketrans("⁄∶▁", "/:_")
LINE_END = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]|<0x0[AD]>")

# A tag is the mark of a thought where its name holds one of these: <think>, <seed:think>, <|START_THINKING|>,
# <|begin_of_thought|>, <scratchpad>, <self_reflection>. With "/", "end" or "off" in it, it ends one.
_THOUGHTS = (
    "think|thought|reason|rationale|reflect|introspect|analy[sz]|scratchpad|monologue|ponder|brainstorm|deliberat"
    "|(?<![a-z])(?:cot|plan|draft)(?![a-z])|思考"
)
_THOUGHT_TAG = (
    rf"<\|?\s*(?P<slash>/?)\s*(?P<name>[\w:|-]{{0,25}}?(?P<thought>{_THOUGHTS})[\w:-]{{0,20}})\b[^<>\n]{{0,200}}(?<!/)>"
)
# A thought that is folded away by a chat's page, or fenced: its end has no name of its own.
_FOLDED = r"<details\b[^<>]*(?:reason[^<>]*>|>\s*<summary>[^<]*(?:think|thought|reason))"
_FENCED = r"^```(?:think|reason)[a-z]*\n"

# What the other families write in place of a tag.
THOUGHT_MARKS = [
    (re.compile(pattern), tag)
    for pattern, tag in (
        (r"(?i)\[(?:think|thinking|unused16)\]", "<think>"),  # Mistral, Pangu
        (r"(?i)\[(?:/think|/thinking|unused17)\]", "</think>"),
        (r"◁(/?)think(?:ing)?▷", r"<\1think>"),  # Kimi
        (r"<\|open\|>\s*think\s*<\|sep\|>", "<think>"),  # Kimi K3
        (r"<\|close\|>\s*think\s*<\|sep\|>", "</think>"),
        (r"<\|open\|>\s*\w{1,20}\s*<\|sep\|>", ""),
        (r"<\|inner_prefix\|>", "<think>"),  # Apertus
        (r"<\|inner_suffix\|>", "</think>"),
        (r"<\|channel>", "<think>"),  # Gemma 4
        (r"<channel\|>", "</think>"),
        (r"(?:<\|start\|>\s*assistant\s*)?to=self\s*<\|message\|>", "<think>"),  # MuseGlimmer
        (r"(?:<\|eom\|>\s*)?(?:<\|start\|>\s*assistant\s*)?to=user\s*<\|message\|>", "</think>"),
        (r"(?:<\|end_message\|>\s*)?(?:<\|message_model\|>\s*)?<\|content_text\|>", "</think>"),  # Inkling
        (r"<(?:unused|ctrl)94>", "<think>"),  # MedGemma, Gemini
        (r"<(?:unused|ctrl)95>", "</think>"),
        (rf"(?is){_FOLDED}(?:(?!</?details).)*+</details>", ""),  # Open WebUI
        (rf"(?i){_FOLDED}", "<think>"),
        (rf"(?ims){_FENCED}(?:(?!^```).)*+^```", ""),
        (rf"(?im){_FENCED}", "<think>"),
        (r"(?is)\[(thoughts?|reasoning)\](?:(?!\[/?\1\]).)*+\[/\1\]", ""),  # but "[Reasoning]" may be a heading
        (r"\A\s*(?:thought|analysis|commentary)[ ]*\n", "<think>"),  # what is left of a channel without its marks
        (r"<\|im_start\|>think\b", "<think>"),  # s1
        (r"<\|im_start\|>answer\b", "</think>"),
        (r"\A\s*[Tt]hinking[ ]?\.\.\.", "<think>"),  # ollama
        (r"\.\.\.[ ]?[Dd]one thinking\.?", "</think>"),
        (r"\A\s*Here(?: is|'s|’s) my thought process:", "<think>"),  # Granite
        (r"Here(?: is|'s|’s) my response:", "</think>"),
        (r"\A\s*Here are my reasoning steps:", "<think>"),  # Apriel
        (r"\[BEGIN FINAL RESPONSE\]", "</think>"),
        (r"(?:<\|end\|>\s*)?<\|begin\|>\s*assistant\s*<\|content\|>", "</think>"),  # Solar: <|think|> opens
        # gpt-oss: channels of thoughts and a final one; with their marks, and as text looks once those are gone
        (r"<\|end\|>\s*(?=(?:<\|start\|>\s*assistant\s*)?<\|channel\|>)", ""),
        (r"<\|start\|>\s*assistant\s*(?=<\|channel\|>)", ""),
        (r"<\|channel\|>\s*final\b[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>", "</think>"),
        (r"<\|channel\|>", "<think>"),
        (r"\A\s*(?:analysis|commentary)(?=[^\W_]|[\"'“‘(*#<\[])", "<think>"),
        (r"assistant(?:analysis|commentary)(?=\S)", "<think>"),
        (r"assistantfinal", "</think>"),
    )
]

# Tokens that end a turn: </s>, <end_of_turn>, ... and any <|...|> once something is said, but those that start or
# divide a part of it: <|im_end|>, <|eot_id|>, <|END_OF_TURN_TOKEN|>, <|extra_0|>, not <|begin_of_box|>
_TURN_END = (
    r"</s>|<(?:seed:)?eo[astd]>|<end_of_\w{1,20}>|<turn\|>|<im_end>|<sep>|<_(?:end|user|bot)>|<reserved_[0-9]+>"
    r"|\[\|?(?:endofturn|EOS)\|?\]|\[e~\[|\[END FINAL RESPONSE\]|\[unused(?:9|10)\]"
    r"|<\|(?![^|>]*(?:box|begin|start|role|middle|channel|constrain|content(?!\w*end)))(?!message\|)[^<>|\s]{1,60}\|>"
)
# Tokens that start somebody's turn: <|im_start|>user, <|start_header_id|>assistant<|end_header_id|>, [INST], ...
_ROLE = (
    r"(?:<\|(?:start_header_id|header_start|im_start|start|turn|start_of_role|START_OF_TURN_TOKEN|begin)\|?>"
    r"|<start_of_turn>|\]~b\]|<extra_id_[01]>|<SPECIAL_1[01]>)\s*(?:<\|)?"
    r"(?P<who>assistant|user|system|model|human|developer|tool|chatbot|)(?:_TOKEN\|>)?"
    r"[ ]*(?:<\|(?:end_header_id|header_end|end_of_role|message|content)\|>)?"
    r"|[<\[]\|(?:im_)?(?P<token>user|assistant|system|human|observation|bot)(?:_start)?\|[>\]]"
    r"|\[(?P<inst>INST)\]|\[/INST\]"
)
MARKS = re.compile(rf"{_THOUGHT_TAG}|{_ROLE}|{_TURN_END}", re.IGNORECASE)
ASKS = ("user", "human", "system", "developer", "observation", "inst")  # what follows them is not this answer
# In plain words: the header of this turn, and of the next one or of the next example (the prompt's blocks said again).
OWN_HEADER = re.compile(r"\A\s*(?:(?:(?:assistant|model|#{3,})[ ]*\n|(?i:assistant) ?:)\s*)*")
NEXT_TURN = re.compile(
    r"^(?:#+ ?)?(?i:(?:Search )?Query|Q|Passage|Question|Document|Instruction|Input|Example|Human|User|Assistant)"
    r"(?: [0-9]+)? ?:|^(?:#{3,}|system|model|[Qq]uery|[Pp]assage)[ ]*$|\b(?:USER|ASSISTANT):"
    r"|^(?:Rate how relevant|You assess search) "  # alignir's own prompts
    r"|(?:assistant(?<![A-Za-z_ ]assistant)|user(?<![A-Za-z_ ]user))[ ]*$"
    # decorated it may also be this pair, said again: that stands at the start of an answer
    r"|(?<=\n)[>#*_\-<\[ ]{1,8}(?i:(?:search )?query)\b[^\n]*\n+(?:[^\n]+\n+)?[>#*_\-<\[ ]{1,8}(?i:passage)\b",
    re.MULTILINE,
)


@cache
def ending_word(reason: str | None) -> str:
    """A finish reason without case, marks and the name of its enumeration or field.

    >>> ending_word("FinishReason.MAX_TOKENS"), ending_word("finish_reason: max-tokens"), ending_word(None)
    ('maxtokens', 'maxtokens', '')
    """
    return re.sub(r"[\W_]|^(?:finish|stop)?_?reason", "", (reason or "").rsplit(".", 1)[-1].lower())


# How an answer ended, by what servers call it. Another word than these is taken for `stopped`.
_ENDINGS = {
    "stopped": """stop stopped stop_sequence stop_string stop_string_found end_turn end_of_turn pause_turn eos
        eos_token eos_found stopped_eos stopped_word word complete completed finished done success tool_call
        tool_calls tool_use function_call unspecified none null normal succeeded endoftext malformed_function_call
        malformed_tool_use malformed_model_output unexpected_tool_call too_many_tool_calls""",
    "cut": """length max_len max_length hit_length max_context limit token_limit length_limit time_limit error_limit
        stopped_limit max_tokens max_token maximum_tokens max_tokens_reached max_new_tokens max_output_tokens
        max_completion_tokens max_predicted_tokens_reached model_length context_length context_length_reached
        context_length_exceeded model_context_window_exceeded budget_exceeded incomplete not_finished repetition
        truncated""",
    "blocked": """content_filter content_filtered content_filtering content_blocked content_policy
        content_policy_violation policy_violation filter filtered blocked blocklist safety image_safety recitation
        prohibited_content image_prohibited_content spii language refusal refused guardrail guardrails
        guardrail_intervened moderation sensitive model_armor error_toxic content_safety unsafe""",
    "error": """error failed failure abort aborted cancel cancelled canceled user_cancel timeout network_error
        server_error internal_error insufficient_system_resource user_stopped model_unloaded""",
}
ENDING_OF = {ending_word(word): ending for ending, words in _ENDINGS.items() for word in words.split()}

# Decoration, and what is left of it. A star before a blank is a bullet and stays, as does all behind a digit: a number
# is only then complete when something follows it.
DECORATION = [
    (re.compile(r"</?(?:br|p|div|li|answer|category|output|response|solution)\b[^<>\n]{0,80}>", re.IGNORECASE), "\n"),
    (re.compile(r"</?[A-Za-z][^<>\n]{0,80}>|<\|[^<>\n]{1,60}\|>"), ""),
    (re.compile(r"<\s?([0-9.]{1,9})\s?>"), r"(\1)"),
    (re.compile(r"^[ \t]*(?:```|~~~)(?:[A-Za-z]\w*)?[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"\\[A-Za-z]+\s?(?=\{)"), ""),  # \boxed{2}, \text{2}
    (re.compile(r"\*(?<![0-9*]\*)\*+"), ""),
    (re.compile(r"`(?<![0-9`]`)`*"), ""),
    (re.compile(r"\*(?<![\w*]\*)(?=[^\s*][^*\n]*\*)|\*(?<=[^\s0-9*]\*)(?!\*)"), ""),  # *2*, but not "* 2"
    (re.compile(r"_(?<![^\W_]_)_*|_(?<![0-9]_)_*(?![^\W_])"), ""),  # but not final_score
    (re.compile("[★☆✅✓✔✨➔-➡⬀-⯿\U0001f300-\U0001faff]"), ""),
    (re.compile(r"[(\[](?:scale:? )?0 ?(?:[-–—]|to) ?[0-9]{1,2}[)\]]"), ""),  # the scale itself, in brackets
    (re.compile(r"[\t\x1f\u1680\u180e]"), " "),
    (re.compile(r"  +"), " "),
    (re.compile(r"^ ?(?:> )+", re.MULTILINE), ""),  # quoted
]
_OPEN = r"""\s"'“”‘’„«»‹›「」『』【】〈〉《》〔〕()\[\]{}|$\#"""  # may stand before a number
_CLOSE = r"""\ "'“”‘’«»‹›「」『』【】〈〉《》〔〕()\[\]{}|$*_`#"""  # may stand behind it
_SEPARATOR = r"(?:\ ?(?:[:=]|->|=>|→)|\ [-–—](?=\ ))"
_NUMBER = rf"""(?P<number>[+\-−–]?[0-9]++(?:[.,][0-9]++)*+)
    (?:[{_CLOSE}]*+(?:/|(?:out\ )?of)\ ?[(\[]?(?P<of>[0-9]++)(?:\.0++)?)?"""  # N/3, N out of 3
_NAMED = r"(?:(?:relevance|overall)[\ _]?)?(?:score|grade|relevance|category|rating|answer|N|O)"

FINAL_SCORE = re.compile(
    rf"""(?P<begins>^[*+•\-\ "'“‘(\[{{]{{0,12}}(?:[0-9]{{1,2}}[.)]\ )?)?(?P<hashes>\#{{1,9}}[\ "'“‘(\[{{]{{0,6}})?
    final[\ _-]{{0,2}}score(?![^\W\d_])(?:\ ?\([^()\n]{{0,40}}\)(?=\ ?[:=]))?(?:\ ?[NO](?=\ ?[:=]))?
    (?P<separator>{_SEPARATOR}*+)(?P<gap>[{_OPEN}]*+)(?:{_NAMED}\b[)\]]?{_SEPARATOR}?[\ "'“‘(\[{{$]*+)?{_NUMBER}""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
GRADE = re.compile(rf"[{_OPEN}]*+{_NUMBER}(?P<behind>[{_CLOSE}.!。]*+)", re.IGNORECASE | re.VERBOSE)
CATEGORY = re.compile(
    rf"""[{_OPEN}]*+(?:[-*+•]\ )?(?:(?:(?:the|final|relevance|chosen)\ ){{0,3}}(?:category|answer)
    (?:\ ?\([^()\n]{{0,40}}\)(?=\ ?[:=]))?{_SEPARATOR}?[{_OPEN}]*+){{1,2}}""",
    re.IGNORECASE | re.VERBOSE,
)
LIST_NUMBER = re.compile(r"\s*[0-9]{1,3}[.)](?=\s|$)")

# Behind a number:
_HEDGE = "or|to|and|but|maybe|perhaps|possibly|even|almost|could|might|be|also"
SETTLED = re.compile(
    rf" ?[({{\[]|[{_CLOSE}]*+[.!。]?[{_CLOSE}]*+(?:$|[,;–—-])", re.MULTILINE
)  # the line ends, or explains
GOES_ON = re.compile(r" [^\W\d_]|[^\n]*?final[ _-]?score", re.IGNORECASE)  # a sentence does
DOUBT = re.compile(
    rf"[^\W_]| ?(?:[%°<>≤≥]|per ?cent|and a half|if\b|of\b)|-ish\b| ?[+*×÷/^] ?[0-9]|[+-]\W*(?:\n|\Z)"
    rf"|[{_CLOSE}]*+(?:\?|or\b)",
    re.IGNORECASE,
)  # 3rd, 2?, 2+1, 2 or
OTHER = re.compile(  # 1-2; 1, maybe 2; 1 oder 2; but not "(0 = none" behind it, nor 67 %
    rf"(?:(?:\([^()\n0-9]*\)|[^\w\n.]|\.{{2,3}}|_|\b(?:{_HEDGE})\b)*+|\ [^\W\d_]+\.?\ (?=[0-9][^\w\n]*$))([0-9]++)"
    r"(?!\ ?%|(?<=\([0-9])\ ?=\ ?[^\W\d_])",
    re.IGNORECASE | re.MULTILINE,
)
# All that is left of an answer that was cut off, maybe within a number, "2/3" or "2 or 3".
DANGLING = re.compile(r" ?[.,/~–—-]? ?(?:o|or|t|to|a|an|and|ou|out|out o|out of|of)? ?\Z", re.IGNORECASE)
# A score that is not given: supposed ("with a date it would have earned ##final score: 3", "##final score: 3 would be
# right"), denied ("not ##final score: 3"), told of the scale ("##final score: 3 is for ...") or in brackets
# behind one that is.
NOT_GIVEN_BEFORE = re.compile(
    r"\b(?:(?<!even )if|(?:would|could|might) have)\b[^.!?\n]*\Z|final[ _-]?score\W*[0-9][^()\n]*\([^()\n]*\Z"
    r"|(?:\b(?:or|nor|(?:can)?not|never|than|instead of)|n['’]t)"
    r"(?: (?:be|give|deserve|merit|earn|reach|warrant|justify|assign|an?))*[ \"'“‘]*\Z",
    re.IGNORECASE,
)
NOT_GIVEN_BEHIND = re.compile(
    r" (?:passage |text |one )?(?:would|could|might|may|means|needs|requires|is (?:not|for|too|only|reserved))\b",
    re.IGNORECASE,
)

# The lenient reader's patterns, the likelier first.
LIKELY = [
    re.compile(r"(?:final|overall)\s*score\W*([0-9])\b", re.IGNORECASE),
    re.compile(r"(?:score|category|grade|rating|relevance|answer)\s*(?:is|of|:|=)?\s*[\"'*]*([0-9])\b", re.IGNORECASE),
    re.compile(r"(?<![\d.,/-])([0-9])(?![\d.,/-]*\d)"),
]

_CANNOT = r"\bI(?:(?:['’]m|\s+am)\s+(?:not\s+able|unable)\s+to|\s+(?:can\s*not|can['’]t|won['’]t|will\s+not))"
REFUSAL = re.compile(
    rf"\bI(?:['’]m|\s+am)\s+sorry\b|\bas\s+an?\s+(?:AI|artificial|language)\b|\bI\s+(?:decline|refuse)\b|{_CANNOT}\s*"
    r"(?:to\s+)?(?:assist|help|comply|answer|judge|rate|score|grade|evaluate|assess|determine|provide|give|assign|fulfil|"
    r"fulfill|complete|do|engage|continue|process|respond)",
    re.IGNORECASE,
)
