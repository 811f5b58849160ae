"""Retrieval: systems and their rankings (RUNS): read, searched, fused and re-ranked."""
