"""Next steps: a run ends with where it is recorded, MLflow's address, and what to type next."""

import shlex

QUICK = ("dataset=folder", "dataset.path=small", "bootstrap.B=0", "floor.shuffles=0")


def test_a_run_ends_with_its_place_its_address_and_a_command_that_runs(alignir, summarize, small):
    from mlflow import MlflowClient

    first = alignir("model=lexical", *QUICK).stderr.splitlines()[-5:]
    client = MlflowClient(f"sqlite:///{small.parent / 'mlruns' / 'mlflow.db'}")
    number = client.get_experiment_by_name("alignir").experiment_id
    assert first == [
        "recorded  mlruns/mlflow.db, experiment alignir",
        f"MLflow    http://127.0.0.1:5000/#/experiments/{number}/runs?workflowType=machine_learning"
        "&viewStateShareKey=alignir",
        "          after: mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db",
        "next      alignir tables",
        f"          alignir model=smollm2 {shlex.join(QUICK)}   # to compare it with",
    ]
    labels = (small / "qrels.txt", *QUICK, "tracking.experiment=files")
    judges = [("model=replay", f"model.name={name}", f"model.labels={labels[0]}", *labels[1:]) for name in ("a", "b")]
    first, second = (alignir(*judge).stderr for judge in judges)
    assert "alignir model=lexical dataset=folder" in first
    assert "to compare it with" not in second  # they differ by what the files are called
    second = alignir("-m", "model=lexical,scripted", "tracking.experiment=two words", *QUICK).stderr
    assert second.count("recorded  ") == 1  # of a sweep once, at its end
    assert second.splitlines()[-1] == "next      alignir tables --experiment 'two words'"
    _, *command = shlex.split(second.splitlines()[-1].removeprefix("next"))
    assert "scripted" in summarize(*command[1:]).stdout


def test_a_run_that_records_nothing_ends_without(alignir, small):
    assert "recorded  " not in alignir("model=lexical", "+plan=true", *QUICK).output
    assert "recorded  " not in alignir("model=replay", "model.labels=nowhere.txt", *QUICK, ok=False).output
