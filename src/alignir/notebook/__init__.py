"""Notebook: a dozen functions for plain Python, without Hydra and MLflow; `import alignir` has them all."""
