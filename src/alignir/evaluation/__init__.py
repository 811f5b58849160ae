"""Evaluation: labels in, the scores of systems and the agreement of labels out."""
