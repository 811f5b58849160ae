"""Report: one page with the tables, the figures and the methods of recorded runs."""
