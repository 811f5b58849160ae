"""Prompts: the text that asks an LLM for a label, and the form of the answer it asks for."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from string import Template
from typing import NamedTuple

import yaml

from alignir.data.fields import MAIN, cut_first, of_query
from alignir.data.scales import FOUR, Scale, scale_of, settings_of
from alignir.errors import InputError, one_of
from alignir.files import shipped
from alignir.labelling.answers import FORMS

FIELDS = MAIN
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)  # of a field
DECODINGS = ("free", "constrained", "logits")
SCALE = re.compile(r"(?<!\$)((?:\$\$)*)\$(?:scale\b|\{scale\})")
EXAMPLES = re.compile(SCALE.pattern.replace("scale", "examples"))


class Examples(NamedTuple):
    """Which pairs with their labels stand in place of $examples."""

    n: int = 1  # of each grade
    seed: int = 0
    path: str | None = None  # a folder as dataset=folder reads it; None: the dataset's queries that are not compared


@dataclass(frozen=True)
class Prompt:
    """A template with $query and $passage, or other fields of both, and how its answer is read."""

    name: str
    text: str
    form: str  # of the answer: final_score or last_line
    max_tokens: int  # for the answer, not counting what a reasoning model thinks
    system: str = ""
    # free: the model writes what it likes; constrained: it can write nothing but an answer; logits: it writes nothing,
    # the probabilities of the grades are read off where the label would stand
    decoding: str = "free"
    scale: Scale = FOUR  # of the labels that it asks for
    examples: Examples | None = None  # that are still to be filled in

    @property
    def lead(self) -> str:
        """What stands before the label when the answer is written in the form, without any explanation."""
        return {"final_score": "##final score: ", "last_line": ""}[self.form]

    @property
    def pattern(self) -> str:
        """The regular expression of the only answers that constrained decoding lets through."""
        return f"{self.lead}({'|'.join(map(str, self.scale.grades))})"

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the texts that it is filled with, in the order in which they are given; see `data.fields`."""
        named = _named(self.text)
        others = [name for name in named if name not in FIELDS]
        return (*(name for name in FIELDS if name in named), *others) if others else FIELDS

    def render(self, *texts: str) -> str:
        """The prompt for one pair, by the texts of its `fields`. Nothing inside a text is filled in, whatever it is."""
        return Template(self.text).safe_substitute(dict(zip(self.fields, texts, strict=True)))

    def filled(self, examples: str) -> "Prompt":
        """The prompt with this text in place of $examples."""
        text = EXAMPLES.sub(lambda match: match[1] + examples.replace("$", "$$"), self.text)
        return replace(self, text=text, examples=None)

    @cached_property
    def longest(self) -> int:
        """The place among the texts of the one that loses its end where the prompt is too long for the model."""
        return cut_first(self.fields)

    def shortened(self, texts: Sequence[str], text: str) -> tuple[str, ...]:
        """The texts with this one in the place of the longest."""
        return (*texts[: self.longest], text, *texts[self.longest + 1 :])

    @property
    def sha256(self) -> str:
        """Of what is sent: the template and the system message."""
        return hashlib.sha256(f"{self.system}\0{self.text}".encode()).hexdigest()


def read_prompt(
    name: str,
    file: str,
    form: str,
    max_tokens: int,
    decoding: str = "free",
    scale: Mapping | None = None,
    examples: Mapping | None = None,
) -> Prompt:
    """The prompt of a text file, or of a YAML file in umbrela's form (`prefix_user` with {query} and {passage}).

    `scale` is its grades and the first relevant one, 0-3 and 2 unless it says more; `$scale` in the text stands for
    the grades, `$examples` for pairs with their labels, of which `examples` says which (n of each grade, seed, path). A
    relative file is looked for in the working folder, in its `prompts/`, and among the shipped prompts.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):  # what MLflow takes for the name of a prompt
        raise InputError(f"name: expected letters (A to Z), digits, '_', '.' and '-', found {name!r}")
    if form not in FORMS:
        raise one_of("form", form, FORMS)
    if decoding not in DECODINGS:
        raise one_of("decoding", decoding, DECODINGS)
    if max_tokens < 1:
        raise InputError(f"max_tokens={max_tokens}: expected at least 1")
    path = _find(file)
    content = _text(path)
    system, text = _umbrela(path, content) if path.suffix in (".yaml", ".yml") else ("", content.strip("\n"))
    grades, relevant_from = settings_of(scale)
    asked = scale_of(FOUR.grades if grades is None else grades, relevant_from)
    text = SCALE.sub(lambda match: f"{match[1]}{', '.join(map(str, asked.grades))}", text)
    named = _named(text)
    sides = {"query": any(map(of_query, named)), "passage": not all(map(of_query, named))}
    if lacking := [side for side, there in sides.items() if not there]:
        wanted = "{query} and {passage}" if path.suffix in (".yaml", ".yml") else "$query and $passage"
        found = f", only ${', $'.join(named)}" if set(named) - set(FIELDS) else ""
        raise InputError(f"{path}: expected {wanted} in the prompt, found no {' and no '.join(lacking)}{found}")
    return Prompt(name, text, form, max_tokens, system, decoding, asked, _examples(path, text, examples))


def _named(text: str) -> list[str]:
    """The fields that a template names."""
    return [name for name in Template(text).get_identifiers() if name != "examples"]


def _examples(path: Path, text: str, settings: Mapping | None) -> Examples | None:
    if not EXAMPLES.search(text):
        if settings:
            raise InputError(f"{path}: expected $examples in the prompt, for prompt.examples={dict(settings)}")
        return None
    if unknown := sorted(set(settings or {}) - set(Examples._fields)):
        raise InputError(f"examples: expected the settings {', '.join(Examples._fields)}, found {unknown[0]}")
    found = Examples(**(settings or {}))
    if not (isinstance(found.n, int) and found.n >= 1 and isinstance(found.seed, int) and found.seed >= 0):
        raise InputError(
            f"examples: expected whole numbers, n from 1 and seed from 0, found {found.n} and {found.seed}"
        )
    return found


def _find(file: str) -> Path:
    candidates = [Path(file).expanduser(), Path("prompts") / file, shipped("prompts") / file]
    for path in candidates:
        if path.is_file():
            return path
    names = ", ".join(sorted(path.name for path in shipped("prompts").glob("*.txt")))
    raise InputError(f"no prompt file {file}; looked for {', '.join(map(str, candidates))}. Shipped: {names}")


def _text(path: Path) -> str:
    """The text of a file in UTF-8, without the byte order mark that some editors put before it."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        perhaps = "UTF-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "Windows-1252 (cp1252)"
        found = content[max(0, error.start - 10) : error.start + 10]
        raise InputError(
            f"{path}:{line}: expected UTF-8 text, found {found!r}, perhaps {perhaps}: save the file as UTF-8"
        ) from error


def _umbrela(path: Path, content: str) -> tuple[str, str]:
    """(system message, template) from umbrela's YAML: `system_message` and `prefix_user`, in str.format's style."""
    try:
        fields = yaml.safe_load(content)
        system, text = fields.get("system_message") or "", fields["prefix_user"]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        raise InputError(f"{path}: expected a YAML prompt with system_message and prefix_user") from None
    names = set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", text))
    if others := sorted(name for name in names if not NAME.fullmatch(name)):
        raise InputError(f"{path}: {', '.join(others)} cannot be filled in; {{query}}, {{passage}} and fields can")
    template = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", r"${\1}", text.replace("$", "$$"))
    return system, template.replace("{{", "{").replace("}}", "}").strip("\n")
