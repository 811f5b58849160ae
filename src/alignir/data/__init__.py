"""Data: what is judged: queries, passages, baseline labels and pools of pairs."""
