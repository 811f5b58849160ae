"""`alignir explore`, from a checkout."""

from alignir.commands.door import main

raise SystemExit(main("explore"))
