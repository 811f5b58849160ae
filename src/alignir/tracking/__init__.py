"""Tracking: cells become runs in MLflow, and are read back from it."""
