"""Reading answers: a label, or a status that says why there is none. Never a guess."""

import json
import re
import runpy
import unicodedata
from itertools import product

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from alignir.data.scales import FOUR
from alignir.frames import STATUSES
from alignir.labelling.answers import FORMS, final_scores, read, read_leniently, said_aloud, unknown_finish_reason

READER = str(ROOT / "scripts" / "bench" / "reader.py")
BENCH = runpy.run_path(READER)

FINAL = "<|start|>assistant<|channel|>final<|message|>"

# What may stand behind `##final score: ` and is a 2.
VALUES = """2 | 2. | 2! | **2** | **2**. | *2* | _2_ | __2__ | `2` | ```2``` | 2* | 2## | #2 | (2) | [2] | [[2]]
    {2} | <2> | '2' | "2" | “2” | «2» | 「2」 | $2$ | \\(2\\) | \\[2\\] | \\boxed{2} | $\\boxed{2}$ | \\text{2}
    \\boxed{\\text{2}} | <b>2</b> | <grade>2</grade> | <answer>2</answer> | <answer>\n2\n</answer>
    <span class='x'>2</span> | 2<br>It does | 2.0 | 2.00 | 2/3 | 2 / 3 | **2/3** | **2**/3 | (2/3) | 2 of 3
    2 out of 3 | 2 (out of 3) | 2 out of a possible 3 | 2/3 (67%) | ２ | ２。 | ２／３ | 2️⃣ | \u200b2\u200b | \ufeff2
    &nbsp;2 | ٢ | \n2 | \n\n**2** | \n\n\\boxed{2} | \n### 2 | \n```\n2\n``` | \r\n2\r\n | N=2 | N = 2 | O: 2
    Score: 2 | **Score:** 2 | grade 2 | Category: **2** | relevance score: 2 | 2 (in part) | 2, since it is old
    2; in part | 2 - in part | 2 – in part | 2—in part | 2: in part | 2 = some answer | 2 in part | 2 points | 2 (O)
    2 (M=1, T=3) | 2, M: 1, T: 3 | 2 (2 = some answer)
    2 (0 = nothing, 3 = exact answer) | 2. It is from 2013. | 2 ✅ | 2\nIt has 3 parts. | 2\n\n3
    2\n--- | 🌟 2 | 2 👍 | 《2》 | 〈2〉 | ‹2› | 〔2〕 | 2<0x0A> | 2 (0-3) | 2 [0–3] | \n> 2
    2 (partly) or rather a weak one"""

# The same for how the form itself is written; `§` stands for the number.
WRITTEN = """##final score: § | ## Final Score : § | ##FINAL SCORE:§ | ##final score = § | ##final score §
    ##final score - § | ##final score -> § | ##final score: = § | ##final_score: § | ##final-score: §
    ##FinalScore: § | ##final score (O): § | ##final score (0-3): § | ##final score O: § | ＃＃final score：§
    \\#\\#final score: § | ##fi\u200bnal score: § | # Final Score: § | #### Final Score: § | ####### final score: §
    ## Final Score\n§ | ## Final Score\n\n**§** | **##final score: §** | ##**final score:** § | ##**final score**: §
    **##final score: ** § | __##final score:__ § | Final score: § | FINAL SCORE: § | Final score = § | Final score §
    **Final score:** § | **Final Score**\n\n§ | *Final score:* § | _Final score_: § | final_score: §
    - Final score: § | * **Final score:** § | 3. Final score: § | > ##final score: § | - ##final score: §
    2) ##final score: § | (Final score: §) | "##final score: §" | [##final score: §] | `##final score: §`
    ```\n##final score: §\n``` | ```text\n##final score: §``` | ~~~\n##final score: §\n~~~
    \\boxed{##final score: §} | \\textbf{Final score:} § | ##<b>final score</b>: §
    <Output>##final score: §</Output> | <result>\n##final score: §\n</result> | &#35;&#35;final score: §
    The passage is old. ##final score: § | Answer: ##final score: § | Here is the final score:\n##final score: §
    ##M: 1\n##T: 3\n##final score: § | M is 1, T is 3.\n\n## Final Score: § | ###\n##final score: §
    ---\n##final score: §\n--- | 🎯 **Final Score:** § | ### ✅ Final Score: § | ##final score∶ §
    > **Final score:** §"""

# Answers that are nothing but a 2, in either form.
BARE = """2 | 2. | 2\n | **2** | `2` | ```\n2\n``` | (2) | [2] | "2" | $2$ | \\boxed{2} | \\[\n\\boxed{2}\n\\]
    ### 2 | 2/3 | 2 out of 3 | 2.0 | ２ | 2️⃣ | <pad> 2</s> | <answer>2</answer> | <think>1?</think>2
    <think>\n\n</think>\n\n2 | 2\n\n###\n\nQuery: rust\nPassage: Iron.\n\n3 | 2assistant
    <|begin_of_box|>2<|end_of_box|>"""

# Last lines that are a 2.
LAST = """2 | 2. | **2** | **2.** | *2* | _2_ | `2` | (2) | [2] | {2} | '2' | “2” | $$2$$ | \\(2\\) | \\text{2}
    \\boxed{2}. | $$\n\\boxed{2}\n$$ | # 2 | ### **2** | > 2 | 2.0 | 2/3 | **2/3** | 2 / 3. | 2 out of 3 | ２ | ２。
    2️⃣ | \u00a02\u00a0 | <answer>2</answer> | <score>2</score> | <category>\n2\n</category> | ```\n2\n``` | 2\n```
    2\n\n--- | 2\n*** | \t2\r\n\r\n | Category: 2 | **Category:** 2 | **Category**: 2 | Category: **2**
    **Category: 2** | Category 2 | Category = 2 | Relevance category: 2 | **Relevance category:** 2
    Relevance category (0-3): 2 | Answer: 2 | **Answer:** 2 | Answer: \\boxed{2} | Final answer: 2
    **Final Answer**\n\n2 | Category:\n2 | Category: (2) | Answer: 2)
    - Category: 2 | ### Category: 2 | Category: "2" | Category: 2/3"""

# What is no label, and the status.
NO_FINAL_SCORE = {
    "out_of_scale": """##final score: 10 | ##final score: 4 | ##final score: -1 | ##final score: −1
        ##final score: +2 | ##final score: 03 | ##final score: 2.5 | ##final score: 2,5 | ##final score: 2013
        ##final score: 2/5 | ##final score: 2 out of 10 | ##final score: 2 (out of 10) | ##final score: 4/3
        ##final score: 2\n##final score: 10 | Final score: 7 | 10 | -1 | 2.5 | 2/5""",
    "unparsed": """##final score | ##final score: | ##final score: N | ##final score: score | ##final score: high
        ##final score: two | ##final score: ? | ##final score: 2? | ##final score: [0-3]
        ##final score: 0, 1, 2 or 3 | ##final score: 0/1/2/3 | ##final score: 1-2 | ##final score: 1 – 2
        ##final score: 1 to 2 | ##final score: 1 or 2 | ##final score: 1, 2 | ##final score: 1 2
        ##final score: 2, maybe 3 | ##final score: 2 (or 3) | ##final score: 2, but could be 3
        ##final score: 2 or higher | ##final score: 2|3 | ##final score: 2-ish | ##final score: >2
        ##final score: ~2 | ##final score: about 2 | ##final score: 3rd | ##final score: 2nd of 3
        ##final score: 2x | ##final score: 2 % | ##final score: 2+1 | ##final score: (2+2)/2 | ##final score: 2 * 1
        ##final score: \\frac{2}{3} | ##final score: 2:30 | ##final score: M: 2 | ##final score: M = 2, T = 3
        ##final score:\n- 2 | ##final score:\n* 2 | ##final score:\n1. It fits.\n2. It is sound.
        ##final score:\n0 = nothing\n1 = related | ##final score: 2 would be too much
        ##final score: 2 vs 3 | ##final score: 2 vs. 3 | ##final score: 2 oder 3. | ##final score: 1 或 2
        ##final score: 2 x 1 | ##final score: 3 - 1 = 2 | ##final score: (3 - 1 = 2)
        ##final score: 2 or ##final score: 3 | Either ##final score: 2 or ##final score: 3
        ##final score: 3 is too high. | ##final score: 3 is for the exact answer | ##final score: 0 means: unrelated
        It does not deserve ##final score: 3. | I would not give "##final score: 3". | It is less than ##final score: 2
        If it had the date, ##final score: 3
        It would have earned ##final score: 3 with a date. | The final score is 2. | My final score: 2
        M=1, T=2, final score: 2 | Final scores: 2 | Final score 3 is too high. | Score: 2 | Grade: 2
        Rating: [[2]] | Category: 2 | Answer: 2 | ##score: 2 | ##M: 2\n##T: 3 | M: 2 T: 1 | O: 2
        {"final_score": 2} | {\n  "final score": 2\n} | ```json\n{"score": 2}\n``` | {"##final score": 2}
        ##final score: 2 and a half | ##final score: 2+ | ##final score: 2- | ##final score: 2 percent
        ##final score: 2 per cent | ##final score: 1 < N | ##final score: 1 if strict | ##final score: 3 of the criteria
        ##final score: 3 (if the date counts) or 2 | This cannot be ##final score: 3.
        It does not warrant ##final score: 3 | A ##final score: 3 passage would name the date.
        2 (some answer) | 2 - some answer | It fits.\n2 | * 2 | - 2 | 2) | 1.\n2. | 1 2 | 2? | It has 3 parts.
        I cannot tell""",
    "refused": """I'm sorry, but I can't assist with that request. | I cannot provide a score for this passage.
        As an AI language model, I do not judge passages.""",
    "empty": "<think>thought about it</think>\n",
}
NO_LAST_LINE = {
    "out_of_scale": "10 | 4 | -1 | 2.5 | 2/5 | 2 out of 10 | 03 | 2013 | Category: 7",
    "unparsed": """Score: 2 | Rating: 2 | Final score: 2 | ##final score: 2 | Relevance: 2 | The category is 2.
        I choose category 2. | 2 (some answer) | 2 - some answer | 2: some answer | 2 some answer
        Category: 2 - some answer | Category: 2 or 3 | Category: | Category: N | * 2 | - 2 | • 2 | *2 | 1-2 | 1 or 2
        0, 1, 2 or 3 | 1 2 | 2? | >2 | ~2 | 2+ | 2% | 2nd | 2) | two | 1. It fits.\n2. | 2\nI hope this helps.
        0\n1\n2\n3 | <li>1</li><li>2</li><li>3</li>
        It was written in 2 | {"category": 2}""",
    "refused": "I'm unable to determine a category.",
}

# What a thought stands between, by family.
WRAPPERS = {
    "DeepSeek, Qwen": ("<think>\n", "\n</think>\n\n"),
    "in other words": ("<thinking>", "</thinking>"),
    "EXAONE": ("<thought>", "</thought>"),
    "Reka": ("<reasoning>", "</reasoning>"),
    "Marco": ("<Thought>\n", "\n</Thought>\n<Output>\n"),
    "Hunyuan": ("<think>\n", "\n</think>\n<answer>\n"),
    "Magistral": ("[THINK]", "[/THINK]"),
    "Seed": ("<seed:think>", "</seed:think>"),
    "Kimi": ("◁think▷", "◁/think▷"),
    "Cohere": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "OpenThinker": ("<|begin_of_thought|>\n", "\n<|end_of_thought|>\n\n<|begin_of_solution|>\n"),
    "Apertus": ("<|inner_prefix|>", "<|inner_suffix|>"),
    "Gemma 4": ("<|channel>thought\n", "<channel|>"),
    "MedGemma": ("<unused94>thought\n", "<unused95>"),
    "Solar": ("<|think:start|>", "<|think:end|>"),
    "PLaMo": ("<|plamo:begin_think:plamo|>", "<|plamo:end_think:plamo|>"),
    "LongCat": ("<longcat_think>", "</longcat_think>"),
    "Pangu": ("[unused16]", "[unused17]"),
    "Gemini": ("<ctrl94>thought\n", "<ctrl95>"),
    "Gemma without its marks": ("thought\n", "<channel|>"),
    "Solar Open": ("<|think|>", "<|end|><|begin|>assistant<|content|>"),
    "KAT": ("<think_on>\n<think>\n", "\n</think>\n\n<answer>\n"),
    "Apriel": ("Here are my reasoning steps:\n", "\n[BEGIN FINAL RESPONSE]\n"),
    "s1": ("<|im_start|>think\n", "\n<|im_start|>answer\n"),
    "Granite": ("Here is my thought process:\n", "\n\nHere is my response:\n"),
    "Granite, quantized": ("Here's my thought process: ", "Here's my response: "),
    "ollama": ("Thinking...\n", "\n...done thinking.\n\n"),
    "ollama, one sign": ("Thinking…\n", "\n…done thinking.\n\n"),
    "gpt-oss": ("<|channel|>analysis<|message|>", f"<|end|>{FINAL}"),
    "gpt-oss, constrained": (
        "<|start|>assistant<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>text<|message|>",
    ),
    "gpt-oss, two channels": (
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>",
        f"<|end|>{FINAL}",
    ),
    "gpt-oss without its marks": ("analysisWe weigh it. ", "assistantfinal"),
    "gpt-oss on a line of its own": ("analysis\n", "assistantfinal"),
    "gpt-oss in Chinese": ("analysis这段话", "assistantfinal"),
    "scratchpad": ("<scratchpad>", "</scratchpad>"),
    "reflection": ("<reflection>", "</reflection>"),
    "analysis": ("<analysis>", "</analysis>"),
    "two names": ("<self-reflection>", "</self-reflection>"),
    "Claude": ("<antThinking>", "</antThinking>"),
    "reason": ("<reason>", "</reason>"),
    "CoT": ("<CoT>", "</CoT>"),
    "Chinese": ("<思考>", "</思考>"),
    "brackets": ("[thinking]", "[/thinking]"),
    "one in the other": ("<thinking>a<reflection>b</reflection> c ", "</thinking>"),
    "two": ("<think>a</think><think>", "</think>"),
    "that speaks of its mark": ("<think>I see <think> in it. ", "</think>"),
    "attributes": ('<think type="deep" budget=3>', "</think>"),
    "upper case": ("<THINK>", "</THINK>"),
    "Kimi K3": ("<|open|>think<|sep|>", "<|close|>think<|sep|><|open|>response<|sep|>"),
    "MuseGlimmer": ("to=self<|message|>", "<|eom|><|start|>assistant to=user<|message|>"),
    "Inkling": ("<|message_model|><|content_thinking|>", "<|end_message|><|message_model|><|content_text|>"),
    "K2": ("<ifm|think>", "</ifm|think>"),
    "K2, fast": ("<ifm|think_fast>", "</ifm|think_fast>"),
    "Open WebUI": (
        '<details type="reasoning" done="true">\n<summary>Thought for 2 seconds</summary>\n',
        "</details>\n",
    ),
    "folded": ("<details>\n<summary>Thinking process</summary>\n\n", "\n</details>\n"),
    "fenced": ("```thinking\n", "\n```\n"),
    "plan": ("<plan>", "</plan>"),
    "escaped": ("&lt;think&gt;", "&lt;/think&gt;"),
    "escaped for JSON": ("\\u003cthink\\u003e", "\\u003c/think\\u003e"),
    "escaped for markdown": ("\\<think\\>", "\\</think\\>"),
}
THOUGHTS = [
    "It may only touch the topic: ##final score: 1\nor more.",
    "1 or 2?\n\n2\n",
    "It says\n##final score: 3\n\nQuery: who asks\n",
    "They wrote ##final score: 3<|im_end|> there.",
]

# What ends a turn, directly behind the last word of an answer.
TURN_ENDS = """</s> | <eos> | <|eot_id|> | <|eom_id|> | <|im_end|> | <|end|> | <|return|> | <|endoftext|>
    <|end_of_text|> | <end_of_turn> | <|END_OF_TURN_TOKEN|> | <|END_RESPONSE|> | <|end_of_solution|> | <turn|>
    <seed:eos> | <sep> human: rust <sep> assistant: | [END FINAL RESPONSE] | <extra_id_1>User\n | <SPECIAL_11>User\n
    [|endofturn|] | [EOS] | <|user|> | <｜end▁of▁sentence｜> | [/INST] | <|start_header_id|>user<|end_header_id|>
    <|im_start|>assistant\n | assistant | \nassistant | user | \nuser | \n\n###\n
    \n\nuser: rust\nassistant: | \nUSER: rust\nASSISTANT: |  USER: rust ASSISTANT:
    \nquery: rust\npassage: Iron oxide.\n\n
    \n\n**Query:** rust\n**Passage:** Iron oxide.\n\n | \n- Query: rust\n- Passage: Iron oxide.\n\n
    \n\n## Query\nrust\n\n## Passage\nIron oxide.\n\n | \n> Query: rust\n> Passage: Iron oxide.\n\n
    \n\nQuery: rust\nPassage: Iron oxide.\n\n | \n\nQuery\nrust\n\nPassage\nIron oxide.\n
    \n### Question: rust\n | \n\nHuman: and now?\n | \nExample 2:\n
    <|start|>user<|message|>rust<|end|><|start|>assistant<|channel|>final<|message|> | <end_of_sentence>
    <|close|>response<|sep|><|close|>message<|sep|> | <_end><_user>rust<_bot> | <｜hy_User｜>rust<｜hy_Assistant｜>
    <|content_model_end_sampling|> | <|extra_0|> | <reserved_106>rust<reserved_107>
    [unused10]\n[unused9]用户：rust[unused10][unused9]助手： | <|message_sep|>user<|role_sep|>rust<|message_sep|>
    \n\n<query>rust</query>\n<passage>Iron oxide.</passage>\n | \n\n[Query]\nrust\n[Passage]\nIron oxide.\n
    \n\n**Search query:** rust\n\n**Passage:** Iron oxide.\n
    \n\nRate how relevant a passage is to a search query on a scale from 0 to 3:\n0 = not\n\nQuery: rust\n
    \n\nYou assess search results. Decide.\n\n###\n\nQuery: rust\n"""

# What starts the turn of the model that answers.
HEADERS = """<|im_start|>assistant\n | <|start_header_id|>assistant<|end_header_id|>\n\n | <start_of_turn>model\n
    model\n | <s> | <|assistant|>\n | assistant\n\n | Assistant: | [/INST] | <|im_end|>\n<|im_start|>assistant\n
    <|start|>assistant<|channel|>final<|message|> | \nASSISTANT: | assistant:
    assistant<|role_sep|> | <|im_assistant|>assistant<|im_middle|> | <|begin_of_text|>
    <judge>Easy.</judge>\n<think_off>\n<answer>\n
    **Query:** rust\n**Passage:** Iron oxide.\n\n"""

# Answers that were cut off, and what can still be read.
CUT = [
    ("final_score", "##final score: 2\n\nThe passage na", 2),
    ("final_score", "##final score: 2\n", 2),
    ("final_score", "##final score: **2**", 2),
    ("final_score", "##final score: 2 (in pa", 2),
    ("final_score", "##final score: 2. Th", 2),
    ("final_score", "##final score: 2 out of 3, as", 2),
    ("final_score", "##final score: 2\n##final score: 2", 2),
    ("final_score", "##final score: 2\n\nA better one would have earned ##final score: 3", 2),
    ("final_score", "##final score: 2", None),
    ("final_score", "##final score: 2.", None),
    ("final_score", "##final score: 2 ", None),
    ("final_score", "##final score: 2 o", None),
    ("final_score", "##final score: 2 out of", None),
    ("final_score", "##final score: 1\n##final score: 2", None),
    ("final_score", "##final sc", None),
    ("final_score", "2", None),
    ("final_score", "", None),
    ("final_score", "I'm sorry, but I can", None),
    ("last_line", "It fits.\n**2**", 2),
    ("last_line", "It fits.\n2\n", 2),
    ("last_line", "It fits.\n2", None),
    ("last_line", "It fits.\n2.", None),
    ("last_line", "1. It fits.\n2", None),
    ("last_line", "It fits.\nCategory: 2", None),
    ("last_line", "It fits, since", None),
]

CORRECTIONS = [
    ("##final score: 1\n##final score: 2", 2),
    ("##final score: 1\n\nOn second thought:\n**Final score:** 2", 2),
    ("##final score: 1. No, ##final score: 2", 2),
    ("##final score: 2 (not ##final score: 3, as it has no date)", 2),
    ("##final score: 2 (with the date I had given ##final score: 3)", 2),
    ("##final score: 2, whereas ##final score: 3 needs the date", 2),
    ("##final score: 2 rather than ##final score: 3", 2),
    ('##final score: 2. If it had the date, I would write "##final score: 3".', 2),
    ("It is dated (in part; ##final score: 2).", 2),
    ("##final score: N\n##final score: 2", 2),
    ("##final score: 2\nAs asked, in the form ##final score: N", 2),
    ("##final score: 2\n\nOne with the date deserves ##final score: 3.", 2),
    ("##final score: 2. One with the date would have earned ##final score: 3.", 2),
    ("If it named one, ##final score: 3 would do.\n##final score: 2", 2),
    ("Final score 3 is too high.\n##final score: 2", 2),
    ("<think>no</think>##final score: 2<think>that is it</think>", 2),
    ("They say 1.</think>##final score: 2", 2),
    (f"{FINAL}##final score: 1<|end|>{FINAL}##final score: 2<|return|>", 2),
    ("1</think>##final score: 2<|im_end|>\n<|im_start|>assistant\n3</think>##final score: 3", 2),
    ("Query: rust\nPassage: Iron.\n##final score: 3", None),
    ("It fits.\n\nQuery: rust\nPassage: Iron.\n##final score: 3", None),
    ("It fits.<|im_end|>\n<|im_start|>assistant\n##final score: 3", None),
    ("<|im_end|>\n<|im_start|>user\nrust\n##final score: 3", None),
]

FINISH_REASONS = {
    "ok": [
        "stop",
        "STOP",
        "end_turn",
        "eos",
        "eos_token",
        "EOS_TOKEN",
        "stop_sequence",
        "COMPLETE",
        "tool_calls",
        "",
        None,
    ],
    "truncated": [
        "length",
        "LENGTH",
        "max_tokens",
        "MAX_TOKENS",
        "FinishReason.MAX_TOKENS",
        "FINISH_REASON_MAX_TOKENS",
        "REASON_MAX_LEN",
        "maximum_tokens",
        "repetition",
        "model_length",
        "incomplete",
    ],
    "refused": [
        "content_filter",
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "prohibited_content",
        "refusal",
        "content-filtered",
    ],
    "error": ["error", "ERROR", "abort", "cancelled"],
}


def rows(table: str) -> list[str]:
    """The entries of a table above: a bar between blanks, or the end of a line of the source, stands between two."""
    return [entry for line in table.split("\n    ") for entry in line.strip(" ").split(" | ") if entry]


@pytest.mark.parametrize("value", rows(VALUES))
def test_decoration_of_the_number_is_not_another_form(value):
    assert read(f"##final score: {value}", "final_score") == (2, "ok")
    assert read(f"It fits.\n\n**Final score:** {value}", "final_score") == (2, "ok")


@pytest.mark.parametrize("form", rows(WRITTEN))
def test_decoration_of_the_form_is_not_another_form(form):
    for grade in FOUR.grades:
        assert read(form.replace("§", str(grade)), "final_score") == (grade, "ok")


@pytest.mark.parametrize("answer", rows(BARE))
@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_is_nothing_but_a_grade_is_a_label_in_either_form(answer, form):
    assert read(answer, form) == (2, "ok")


@pytest.mark.parametrize("line", rows(LAST))
def test_last_line(line):
    assert read(f"It has 3 parts.\n\n{line}", "last_line") == (2, "ok")


@pytest.mark.parametrize(("answer", "status"), [(a, s) for s, table in NO_FINAL_SCORE.items() for a in rows(table)])
def test_no_final_score(answer, status):
    assert read(answer, "final_score") == (None, status)


@pytest.mark.parametrize(("line", "status"), [(line, s) for s, table in NO_LAST_LINE.items() for line in rows(table)])
def test_no_last_line(line, status):
    assert read(f"It has 3 parts.\n{line}", "last_line") == (None, status)


@pytest.mark.parametrize("response", ["", " \n\t ", None])
@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_empty(response, form):
    assert read(response, form) == (None, "empty")


@pytest.mark.parametrize(("family", "thought"), list(product(WRAPPERS, THOUGHTS)))
def test_thoughts_are_never_answers(family, thought):
    start, end = WRAPPERS[family]
    for finish_reason in ("stop", "length"):  # cut off in the thought, or stopped in it
        for form in FORMS:
            assert read(start + thought, form, finish_reason) == (None, "truncated")
    thought = start + thought + end
    assert read(f"{thought}##final score: 2", "final_score") == (2, "ok")
    assert read(f"{thought}##final score: 2\n\nIt fi", "final_score", "length") == (2, "ok")
    assert read(f"{thought}It fits.\n2", "last_line") == (2, "ok")
    assert read(f"{thought}**2**", "final_score") == (2, "ok")
    assert read(f"{thought}The final score is 2.", "final_score") == (None, "unparsed")
    assert read(f"{thought}The category is 2.", "last_line") == (None, "unparsed")
    assert read(thought, "final_score") == (None, "empty")
    assert read(f"{thought}##final score: 2<|im_end|>\n<|im_start|>user\n{thought}3", "final_score") == (2, "ok")


@pytest.mark.parametrize("family", [family for family in WRAPPERS if "gpt-oss" not in family])
def test_a_thought_may_have_been_opened_by_the_prompt(family):
    end = WRAPPERS[family][1]
    assert read(f"Or ##final score: 1.{end}##final score: 2", "final_score") == (2, "ok")


@pytest.mark.parametrize(
    "words", rows("Analysis: it is. | analysis of it: ok | Thinking about it, it fits. | Thoughts: ok")
)
def test_words_that_only_look_like_marks_are_said_aloud(words):
    assert read(f"{words}\n##final score: 2", "final_score") == (2, "ok")
    assert read(f"{words}\n2", "last_line") == (2, "ok")


@pytest.mark.parametrize("end", rows(TURN_ENDS))
def test_an_answer_ends_with_its_turn(end):
    for finish_reason in ("stop", "length"):
        assert read(f"##final score: 2{end}", "final_score", finish_reason) == (2, "ok")
        assert read(f"##final score: 2{end}\n\n##final score: 3\n", "final_score", finish_reason) == (2, "ok")
        assert read(f"It fits.\n2{end}", "last_line", finish_reason) == (2, "ok")
        assert read(f"It fits.\n2{end}\n\nIt is rust.\n3\n", "last_line", finish_reason) == (2, "ok")
        assert read(f"It fits.{end}\n\n##final score: 3\n", "final_score", finish_reason)[0] is None


@pytest.mark.parametrize("start", rows(HEADERS))
def test_the_header_of_this_turn_does_not_end_it(start):
    assert read(f"{start}##final score: 2", "final_score") == (2, "ok")
    assert read(f"{start}It fits.\n2", "last_line") == (2, "ok")


@pytest.mark.parametrize(("form", "answer", "label"), CUT)
@pytest.mark.parametrize("finish_reason", ["length", "MAX_TOKENS"])
def test_a_complete_form_is_a_label_also_where_the_answer_was_cut_off_later(form, answer, label, finish_reason):
    assert read(answer, form, finish_reason) == (label, "truncated" if label is None else "ok")


@pytest.mark.parametrize(("answer", "label"), CORRECTIONS)
def test_within_a_turn_the_last_form_counts_and_one_alone_on_its_line_before_others(answer, label):
    assert read(answer, "final_score")[0] == label


def test_the_last_line_may_correct_what_stands_before():
    assert read("1\n\nNo:\n2", "last_line") == (2, "ok")
    assert read("1. It fits.\n2. It is sound.\n2", "last_line") == (2, "ok")


def test_the_number_of_a_list_is_none_also_before_a_blank():
    assert read("It fits.\n2) ", "last_line") == (None, "unparsed")


def test_brackets_around_a_thought_are_a_heading_where_nothing_closes_them():
    thought = "[REASONING]Or ##final score: 1[/REASONING]"
    assert read(f"{thought}The final score is 2.", "final_score") == (None, "unparsed")
    assert read("[Reasoning]\nIt fits.\n[Score]\n##final score: 2", "final_score") == (2, "ok")


def test_what_is_folded_away_below_an_answer_is_no_thought():
    answer = "##final score: 2\n<details><summary>Why</summary>It fits.</details>"
    assert read(answer, "final_score") == (2, "ok")


@pytest.mark.parametrize(("reason", "status"), [(r, s) for s, reasons in FINISH_REASONS.items() for r in reasons])
def test_how_an_answer_ended(reason, status):
    assert read("##final score: 2", "final_score", reason) == (2 if status == "ok" else None, status)
    assert not unknown_finish_reason(reason)


def test_an_unknown_finish_reason_is_taken_for_an_end_and_can_be_noted():
    assert read("##final score: 2", "final_score", "brownout") == (2, "ok")
    assert unknown_finish_reason("brownout")


def test_the_scale_decides_what_a_grade_is():
    five = range(5)
    assert read("##final score: 4", "final_score", grades=five) == (4, "ok")
    assert read("##final score: 2/4", "final_score", grades=five) == (2, "ok")
    assert read("##final score: 2 out of 3", "final_score", grades=five) == (None, "out_of_scale")
    assert read("It fits.\n4", "last_line", grades=five) == (4, "ok")
    assert read("##final score: 2", "final_score", grades=(0, 1)) == (None, "out_of_scale")
    assert read("##final score: 10", "final_score", grades=range(11)) == (10, "ok")
    assert read("##final score: -2", "final_score", grades=(-2, 0, 1)) == (-2, "ok")


def test_the_lenient_reader_takes_the_likeliest_number_of_the_scale():
    assert read_leniently("I give it a score of 2.", "final_score") == (2, "ok")
    assert read_leniently("Score: 4", "final_score")[0] is None
    assert read_leniently("Score: 4", "final_score", grades=range(5)) == (4, "ok")


def test_scores_that_differ_can_be_told():
    said = said_aloud("<think>##final score: 0</think>##final score: 1\n##final score: **2**")
    assert final_scores(said) == ["1", "2"]


def test_long_answers_of_one_piece_do_not_hold_the_reader_up():
    """Each takes a tenth of a second, not minutes: no pattern looks at the same text again and again."""
    pieces = rows("""<think> | </think> | # | \n | * | _ | 2 | 2. | final score | ##final score: 2 | < | <a | [ | (
        \\ | &lt; | assistant\n | - query\n | - query | Query:\n | ###\n | </s>. | 1.\n | ` | `a
        <details reason | <details><summary>thought | ```think\n | [thought] | <| | (""")
    for form, piece in product(FORMS, [" ", *pieces]):
        read(piece * (100_000 // len(piece)) + "\n2", form, "length")


FRAGMENTS = rows("""## | final score | final score: | Final score: | Category: | \n | 2 | 10 | /3 | out of 3 | the
    ** | ``` | < | > | ( | \\ | ２ | ½ | <think> | </think> | <|channel|> | final | <|message|> | [THINK]
    assistant | </s> | Query: | &lt;""")
TEXTS = st.text() | st.lists(st.sampled_from([" ", *FRAGMENTS])).map("".join)

# Lines that hold digits and no word of a form, and no mark.
WORDS = rows("""the passage | has 3 parts | 1 | 2 | 3. | in 2013 | (2) | M: 2 | T = 3 | score: 2 | grade 1 | **2** | 2/3
    * 1 | - 0 | ##""")
LINES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)


@given(
    TEXTS,
    st.sampled_from(FORMS),
    st.sampled_from(["stop", "length", "error", "brownout", None]),
    st.sampled_from([FOUR.grades, (0, 1)]),
)
def test_no_text_makes_the_reader_raise(response, form, finish_reason, grades):
    label, status = read(response, form, finish_reason, grades)
    assert status in STATUSES
    assert (label in grades) if status == "ok" else (label is None)
    unknown_finish_reason(response)


@given(TEXTS, st.sampled_from(FOUR.grades), st.sampled_from(FORMS), st.sampled_from(["stop", "length"]))
def test_a_label_is_a_number_that_was_said_and_no_other_words_stand_where_it_stands(
    response, grade, form, finish_reason
):
    response += f"\n{grade}"
    label, status = read(response, form, finish_reason)
    if status == "ok":
        said = unicodedata.normalize("NFKC", said_aloud(response))
        in_words = "finalscore" in "".join(filter(str.isalpha, said)).lower()
        said = re.sub(r"<[^<>\n]*>|(?:```|~~~)(?:[a-z]\w*)?|\\[a-z]+", "", said, flags=re.IGNORECASE)
        lines = [line for line in said.splitlines() if re.search(r"[^\W_]", line)]
        if form == "last_line" or not in_words:
            assert {*re.findall(r"[^\W\d_]+", lines[-1].lower())} <= {"category", "the", "final", "out", "of"}
            assert str(label) in lines[-1]
            assert form == "last_line" or len(lines) == 1


@given(st.lists(LINES, min_size=1), st.sampled_from(["stop", "length"]))
def test_no_number_outside_the_form_is_a_final_score(lines, finish_reason):
    """However many numbers an answer holds and wherever: without the form, and longer than a grade, it is no label."""
    assert read("\n".join(["It was read.", *lines]), "final_score", finish_reason)[0] is None


@given(st.lists(LINES), LINES, st.sampled_from(["stop", "length"]))
def test_no_number_before_the_last_line_is_a_category(lines, last, finish_reason):
    answer = "\n".join([*lines, f"{last} it is"])
    assert read(answer, "last_line", finish_reason)[0] is None


@given(st.lists(LINES), st.lists(LINES), st.sampled_from(FOUR.grades), st.sampled_from(["stop", "length"]))
def test_numbers_around_the_form_change_nothing(before, behind, grade, finish_reason):
    answer = "\n".join([*before, f"##final score: {grade}", *behind, ""])
    assert read(answer, "final_score", finish_reason) == (grade, "ok")


@given(st.lists(LINES), st.sampled_from(FOUR.grades))
def test_numbers_before_the_last_line_change_nothing(before, grade):
    assert read("\n".join([*before, "It was read.", str(grade)]), "last_line") == (grade, "ok")


@given(st.lists(st.sampled_from([*WORDS, *THOUGHTS, "\n"])).map(" ".join), st.sampled_from([*WRAPPERS]), LINES)
def test_what_is_thought_changes_nothing(thought, family, said):
    start, end = WRAPPERS[family]
    for form in FORMS:
        assert read(f"{start}{thought}{end}{said}", form) == read(said, form)
        assert read(start + thought, form) == (None, "truncated")


@given(
    st.lists(
        st.sampled_from(["**{}**", "({})", "[{}]", '"{}"', "`{}`", "${}$", "\\boxed{{{}}}", "<b>{}</b>", " {} "]),
        max_size=4,
    ),
    st.lists(
        st.sampled_from(
            ["**{}**", "`{}`", '"{}"', "<result>{}</result>", "> {}", "```\n{}\n```", "{}</s>", "{}<|im_end|>"]
        ),
        max_size=3,
    ),
    st.sampled_from(FOUR.grades),
)
def test_decorations_may_stand_one_in_the_other(around_the_number, around_the_form, grade):
    number, form = str(grade), "##final score: {}"
    for decoration in around_the_number:
        number = decoration.format(number)
    answer = form.format(number)
    for decoration in around_the_form:
        answer = decoration.format(answer)
    assert read(answer, "final_score") == (grade, "ok")


@given(
    st.lists(st.sampled_from([*{*FRAGMENTS} - {"</s>", "assistant", "Query:"}])).map("".join),
    st.sampled_from(FOUR.grades),
)
def test_the_last_score_wins_whatever_stands_before_it(before, grade):
    assert read(f"{before}</think>\n##final score: {grade}", "final_score") in {(grade, "ok"), (None, "truncated")}


def test_the_answers_beside_the_checkout_are_read_right():
    file = BENCH["beside_the_checkout"]()
    if file is None:
        pytest.skip("needs shared/cases/answers.jsonl beside the checkout or in $ALIGNIR_SHARED, not of the repository")
    assert not [case for case in BENCH["read_cases"](file) if case["outcome"] != "right"]


def test_right_unread_and_wrong_are_counted_by_kind(alignir, tmp_path):
    """By scripts/bench/reader.py, of any file of answers; what has no kind is counted by its form."""
    cases = [
        {"response": "##final score: 2", "form": "final_score", "label": 2, "kind": "plain"},
        {"response": "##final score: two", "form": "final_score", "label": 2, "kind": "plain", "or_none": True},
        {"response": "##final score: two", "form": "final_score", "label": 2},
        {"response": "It fits.\n2", "form": "last_line", "label": 1, "kind": "plain"},
    ]
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(json.dumps({"finish_reason": "stop", **case}) for case in cases))
    printed = alignir(str(file), program=(READER,), ok=False).stdout.splitlines()
    assert [line.split() for line in printed[:4]] == [
        ["right", "unread", "wrong"],
        ["plain", "2", "0", "1"],
        ["final_score", "0", "1", "0"],
        ["all", "2", "1", "1"],
    ]
    assert printed[4:] == [
        "unread, 2 expected, (None, 'unparsed') read: '##final score: two'",
        "wrong, 1 expected, (2, 'ok') read: 'It fits.\\n2'",
    ]
    assert "answers.jsonl: name one" in alignir("answers.jsonl.gz", program=(READER,), ok=False).stderr.replace(
        ".gz", ""
    )
