"""The main job's help: the groups with their choices, the commands, and examples that run."""

from alignir.commands import options
from alignir.commands.door import COMMANDS

HEAD = """\
usage: alignir [GROUP=CHOICE] [SETTING=VALUE] ...
       alignir -m GROUP=CHOICE,CHOICE ...
       alignir COMMAND ...

Can an LLM's relevance labels stand in for people's, and for users' behaviour,
when retrieval systems are compared? The main job labels query-passage pairs,
scores every retrieval system under those labels, and measures with Kendall's
tau_b how far the systems' order agrees with baseline labels and with online
metrics. Commands show what was recorded. python -m alignir is the same.
"""
EXAMPLES = r"""examples:
  alignir                                  one cell: smollm2 on the demo
  alignir model=lexical                    one without an LLM, in seconds
  alignir -m model=lexical,scripted prompt=zeshot,basic
                                           a sweep: every combination
  alignir experiment=smoke                 a sweep that is written down
  alignir experiment=smoke skip=finished   only what is missing of it
  alignir experiment=paper +plan=true      what it would ask, without asking
  alignir dataset=folder dataset.path=DATA model=replay \
      model.labels=LABELS.qrels.gz         labels that somebody has
  alignir model=lexical --cfg job          the composed config: every setting
  alignir tables                           the tables of all recorded runs

A conf/ or prompts/ folder in the working folder adds to the choices and comes
first. eval "$(alignir -sc install=bash)" makes bash complete the main job.
"""


def text() -> str:
    """The whole help; Hydra knows the choices, so that those of the working folder are among them."""
    from alignir.config import choices

    groups = {group: ", ".join(names) for group, names in choices().items()}
    parts = [
        HEAD,
        options.listed("groups of the main job, with their choices", groups),
        options.listed("commands, of which alignir COMMAND --help says more", COMMANDS),
        EXAMPLES,
    ]
    return "\n".join(parts)
