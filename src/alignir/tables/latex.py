"""LaTeX: any text, so that pdflatex prints all of its letters."""

import re
import unicodedata

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    # printed as other letters in TeX's old text fonts
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\`{}",
    # at the beginning of a line of a table these would belong to the `\\` before it
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
SYMBOLS = {
    "–": "--",
    "—": "---",
    "─": "---",
    "−": "$-$",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "·": r"$\cdot$",
    "•": r"$\bullet$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "←": r"$\leftarrow$",
    "→": r"$\to$",
    "↔": r"$\leftrightarrow$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≈": r"$\approx$",
    "≠": r"$\ne$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "∞": r"$\infty$",
    "▲": r"$\triangle$",
    "○": r"$\circ$",
    "†": r"$^\dagger$",
    "‡": r"$^\ddagger$",
    "°": r"$^\circ$",
    "²": "$^2$",
    "³": "$^3$",
    "µ": r"$\mu$",
    "§": r"\S{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "\u00a0": "~",
    "\u200c": "{}",  # joins nothing
}
GREEK = "αalpha βbeta γgamma δdelta εepsilon θtheta κkappa λlambda μmu πpi ρrho σsigma τtau φphi χchi ωomega"
SYMBOLS |= {word[0]: rf"$\{word[1:]}$" for word in GREEK.split()}
# The accents that Unicode takes off a letter, as commands that put them onto it.
ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}


def escaped(text: str) -> str:
    """The text as LaTeX, for any font encoding. A letter without a command stands there as its code point: [U+6C34]."""
    text = unicodedata.normalize("NFC", re.sub(r"\s", " ", text))
    text = re.sub(r"(?<![\w.\])}-])-(?=\.?\d)", "−", text)  # a minus is longer than a hyphen
    text = re.sub("-(?=-)", "-\u200c", text)  # two of them would become a dash
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter in SPECIAL or letter in SYMBOLS:
        return SPECIAL.get(letter) or SYMBOLS[letter]
    if " " <= letter <= "~":
        return letter
    base, *accents = list(unicodedata.normalize("NFD", letter))
    if len(accents) == 1 and accents[0] in ACCENTS and base.isascii() and base.isalpha():
        return rf"\{ACCENTS[accents[0]]}{{{base}}}"
    return f"{{[}}U+{ord(letter):04X}{{]}}"
