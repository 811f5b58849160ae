"""The door: a known first word is a command, everything else is the main job with its settings."""

import sys
from importlib import import_module

from alignir.errors import InputError, one_of

COMMANDS = {
    "tables": "the paper's tables, and those that explain them, of all recorded runs",
    "figures": "their figures",
    "report": "one page with tables, figures, methods, and how to run each cell again",
    "budget": "how many labels, or queries, are enough to order these systems?",
    "prompts": "the versions of prompts, and what a change of one did to labels and tau",
    "ledger": "what the ledger of answers holds; export a judge's labels as qrels",
    "reread": "read recorded answers again with another reader",
    "probe": "try to fool a judge with hostile passages",
    "fit": "fit user models to a session log",
    "import-log": "turn somebody's session log into alignir's form",
    "traffic": "how much traffic would an A/B test need to order these systems?",
    "sensitivity": "which conclusions of Table 2 survive other assumptions about users?",
    "verify": "compare alignir's numbers with published ones",
}


def main(command: str | None = None) -> int:
    """Run the command of this name with the arguments of the process; None: the first argument may name one."""
    arguments = sys.argv[1:]
    try:
        if command is None and arguments and arguments[0] in COMMANDS:
            command, *arguments = arguments
        if command is not None:
            return _run(command, arguments)
        if arguments and arguments[0].replace("-", "").isalpha() and not arguments[0].startswith("-"):
            raise one_of("command", arguments[0], COMMANDS)
    except InputError as error:
        print(f"alignir{f' {command}' if command else ''}: {error}", file=sys.stderr)
        return 1
    from alignir.commands import run

    return run.main(arguments)


def _run(command: str, arguments: list[str]) -> int:
    """Each command is a module with `arguments`, the parser of its options, and `run`, which takes what was parsed."""
    module = import_module(f"alignir.commands.{command.replace('-', '_')}")
    return module.run(module.arguments(f"alignir {command}").parse_args(arguments))
