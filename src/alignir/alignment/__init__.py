"""Alignment: do two sides put the systems in the same order, and how sure is that?"""
