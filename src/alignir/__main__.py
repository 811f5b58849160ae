"""The command door: `alignir COMMAND ...`; everything else is the main job. `python -m alignir` is the same."""

import sys

from alignir.commands.door import main

if __name__ == "__main__":  # a launcher's other processes import this module, too
    sys.exit(main())
