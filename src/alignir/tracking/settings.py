"""Settings: what a recorded one decides: a judge's labels, what they are compared with, users' metrics, or nothing."""

from alignir.frames import GROUPS
from alignir.tracking.runs import Recorded

DATA = ("dataset", "systems", "queries")
OF_JUDGES = (
    "missing",
    "reader",
    "pool",
    "without_text",
    "families",
)  # settings of no group that say which labels count
NO_NUMBER = (  # settings that decide none, or only which ones there are; and all under them
    *("measures", "top", "rejudge", "scale"),  # a scale is what settings and files say
    "floor.shuffles",  # at most so many draws of one mean, which ends when it is known well enough
    *("dataset.name", "prompt.name", "prompt.file"),  # of a prompt its text counts; a model's name may be its weights'
    *("model.base_url", "model.key_env", "model.concurrency", "model.timeout", "model.retries", "model.delay"),
    *("model.give_up_after", "model.max_tokens_name"),
    *("model.price", "model.parameters", "model.engine.tensor_parallel_size", "model.engine.gpu_memory_utilization"),
)
FINGERPRINTS = (
    "dataset.fingerprint",
    "systems.fingerprint",
)  # tags: of the selected queries with their labels and texts, of the rankings


def kind_of(setting: str) -> str:
    """model, prompt, judge, data, condition (of a comparison) or user_model; empty where it decides no number."""
    group, _, below = setting.partition(".")
    if setting in GROUPS or any(f"{setting}.".startswith(f"{each}.") for each in NO_NUMBER):
        return ""
    if below and group in GROUPS:
        return "data" if group in DATA else group
    return "judge" if setting in OF_JUDGES else "condition"


def below(setting: str) -> str:
    """A setting without its group, where it stands behind that group's name."""
    group, _, rest = setting.partition(".")
    return rest if rest and group in ("model", "prompt", "dataset", "user_model") else setting


def text_of(run: Recorded, setting: str) -> str:
    return run.params.get(setting, "–")


def content_of(run: Recorded, setting: str) -> str:
    """What a setting comes to: the content of a file, where it names one, and else its text.

    Families come to nothing here: the systems that they leave out are also decided by the settings of a model.
    """
    return "" if setting == "families" else run.tags.get(f"sha256.{setting}", text_of(run, setting))


def read_of(run: Recorded, groups: tuple[str, ...] = DATA) -> tuple[str, ...]:
    """What was read of these groups of DATA by its fingerprints; by its settings where those were not recorded."""
    found = tuple(run.tags.get(name, "") for name in FINGERPRINTS if name.partition(".")[0] in groups)
    settings = sorted(
        f"{name}={text_of(run, name)}"
        for name in run.params
        if kind_of(name) == "data" and name.partition(".")[0] in groups
    )
    return found if all(found) else tuple(settings)
