"""Users: what people do with a ranking: simulated from grades, observed in logs, or imported."""
