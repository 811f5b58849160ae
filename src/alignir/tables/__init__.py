"""Tables: recorded runs in, tables out."""
