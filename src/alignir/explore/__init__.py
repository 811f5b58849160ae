"""Explore: one page to look into recorded runs with, from a judge's tau down to a pair and its answers."""
