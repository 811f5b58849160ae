"""Choices: the figures that there are, by the names that people choose them by. Loads nothing, for a command's help."""

KINDS = {
    "judges": "tau of every judge with its interval, the best first, beside the floors and the ceiling",
    "labels": "how each judge's labels are distributed, beside the baseline's",
    "confusion": "which label a judge gives where the baseline has which",
    "calibration": "what judges with probabilities (prompt.decoding=logits) expect, and what the baseline says",
    "scores": "systems by a judge's labels over systems by the baseline's, with tau; who moves most is named",
    "ranks": "the systems' ranks by the baseline labels and by each judge's",
    "top": "tau among the k best systems over k, beside what the baseline labels themselves reach there",
    "cost": "tau of each judge over what it costs: tokens, seconds, money, as far as they are known",
    "size": "tau over the size of the model, by prompt, where model.parameters say it",
    "online": "each online metric over the headline measure, with tau",
    "tau": "tau of every judge with everything it is compared with",
}
