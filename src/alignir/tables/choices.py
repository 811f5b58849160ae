"""Choices: the tables that there are, by the names that people choose them by. Loads nothing, for a command's help."""

KINDS = {
    "baseline": "Table 1: tau_b of every judge with the baseline labels",
    "online": "Table 2: tau_b with the online metrics",
    "judges": "which judge to trust: tau, the top, who beats whom, bias, cost; best first, over all datasets",
    "top": "tau_b among the best systems, beside what the baseline labels themselves reach there",
    "pairs": "would a judge have launched what users preferred? With user_model=pairs",
    "labels": "how each judge's labels are distributed, and kappa",
    "systems": "each system's score and rank by whose labels, whom it beats, and what the queries show",
    "compare": "every two judges: which is better aligned, or cannot these queries tell?",
    "agreement": "how far labels agree, and where they do not",
    "correlations": "other correlations, the same best system, significant differences kept",
    "families": "which kinds of systems does each judge favour, its own?",
    "judged": "which share of each system's top 10 has a label",
    "alignment": "every tau_b in full, for programs",
    "quality": "which metrics, measures and judges follow quality, with systems=degraded",
    "measures": "other offline measures beside the headline: which agrees with users?",
    "questions": "the study's questions, answered: users, size, prompt, and a tau that is negative",
}
BY = ("system", "pair", "query")  # of what the tables of systems have a row
FIRST = ("baseline", "online", "labels")  # what is shown where nobody chose
