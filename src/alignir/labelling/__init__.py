"""Labelling: pairs in, labels out: prompts, models, their answers, and the ledger that keeps them."""
