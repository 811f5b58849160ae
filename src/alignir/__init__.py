"""Can an LLM's relevance labels stand in for people's, and for users' behaviour, when systems are compared?"""

__version__ = "0.1.0"
