"""`alignir import-log`, from a checkout."""

from alignir.commands.door import main

raise SystemExit(main("import-log"))
