"""Figures: frames in, pictures out."""
