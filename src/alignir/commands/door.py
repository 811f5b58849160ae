"""The door: a known first word is a command, everything else is the main job with its settings."""

import gc
import io
import os
import select
import sys
from difflib import get_close_matches
from importlib import import_module

from alignir.errors import InputError

COMMANDS = {
    "tables": "the paper's tables, and those that explain them",
    "figures": "the figures of all recorded runs",
    "report": "one page: tables, figures, methods, how to run each cell again",
    "explore": "a page of judges, systems, queries, pairs; grading blind",
    "budget": "how many labels, or queries, are enough to order the systems?",
    "align": "do labels order systems as qrels do? From files, at once",
    "agreement": "how far do files of labels agree?",
    "prompts": "versions of prompts, and what a change of one did to tau",
    "export": "labels, results by topic and requests as other tools' files",
    "batch": "requests for batch APIs, or vllm run-batch, and the answers",
    "ledger": "what the ledger of answers holds",
    "reread": "recorded answers, read again with another reader",
    "probe": "do hostile passages raise a judge's labels?",
    "fit": "user models fitted to a session log",
    "import-log": "somebody's session log turned into alignir's form",
    "traffic": "how much traffic would an A/B test of the systems need?",
    "circularity": "do systems that re-rank by a judge's labels please it alone?",
    "sensitivity": "which conclusions survive other assumptions about users?",
    "verify": "alignir's numbers beside published ones",
}
STOPPED = 130  # the exit code after Ctrl-C, as shells have it
UNREAD = 141  # and after `| head`


def main(command: str | None = None) -> int:
    """Run the command of this name with the arguments of the process; None: the first argument may name one.

    The exit code: a user's mistake is one message and 1, Ctrl-C one and 130, output that nobody reads none and 141;
    anything else that goes wrong is raised.
    """
    # Libraries and frames make millions of objects that stay: looking for garbage as often as Python does by default
    # takes half a second of a cell that needs no model, and finds nothing.
    gc.set_threshold(1_000_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")  # the code pages of Windows lack ° and ≥
    arguments = sys.argv[1:]
    if command is None and arguments and arguments[0] in COMMANDS:
        command, *arguments = arguments
    try:
        code = _command(command, arguments) if command else _main_job(arguments)
        sys.stdout.flush()  # a disk that is full says so here, not after the end
        return code
    except KeyboardInterrupt:
        return _told(command, "stopped", STOPPED)
    except InputError as error:
        return _told(command, str(error), 1)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _unread():
            return UNREAD
        from alignir import config

        if not isinstance(error, config.MISTAKES):
            raise
        return _told(command, config.message(error), 1)


def _command(name: str, arguments: list[str]) -> int:
    """Each command is a module with `arguments`, the parser of its options, and `run`, which takes what was parsed."""
    module = import_module(f"alignir.commands.{name.replace('-', '_')}")
    return module.run(module.arguments(f"alignir {name}").parse_args(arguments))


def _main_job(arguments: list[str]) -> int:
    if {"-h", "--help"} & set(arguments):
        from alignir.commands import main_help

        print(main_help.text(), end="")
        return 0
    if arguments == ["--version"]:
        from alignir.tracking.versions import versions

        print("".join(f"{package} {version}\n" for package, version in versions().items()), end="")
        return 0
    if arguments and "=" not in arguments[0] and not arguments[0].startswith(("-", "+", "~")):
        raise InputError(_no_command(arguments[0]))
    from alignir.commands import run

    return run.main(arguments)


def _unread() -> bool:
    """Whether the pipe that stdout goes to has been closed; what is left of the output then goes nowhere."""
    if not hasattr(select, "poll"):  # Windows cannot tell
        return True
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), select.POLLOUT)
    closed = any(event & select.POLLERR for _, event in pipe.poll(0))
    if closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return closed


def _no_command(word: str) -> str:
    close = get_close_matches(word.lower().replace("_", "-"), COMMANDS, n=1)
    there_are = f"did you mean {close[0]}? There are" if close else "there are"
    return (
        f"no command {word!r}; {there_are}: {', '.join(COMMANDS)}. A setting of the main job has the form NAME=VALUE; "
        "alignir --help lists both"
    )


def _told(command: str | None, text: str, code: int) -> int:
    print(f"alignir{f' {command}' if command else ''}: {text}", file=sys.stderr)
    return code
