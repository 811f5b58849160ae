"""How close does labelling come to the engine's own speed? The same pairs, prompt and settings, four ways, in one run.

    python scripts/bench/labelling.py --pairs 64 dataset=trec_dl_2019 dataset.path=DIR
    python scripts/bench/labelling.py --shape llama8b --pairs 4096       # random weights, for a GPU without downloads

bare: vLLM's generate on prompts rendered beforehand. alignir: labelling with a new ledger. logits: the same with one
forward pass a pair. transformers: batches through generate, as plain Hugging Face judges do. Loading is not counted.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

# The shapes of the paper's models, and a tiny one that runs anywhere: transformers' config classes with their sizes.
SHAPES = {
    "tiny": ("LlamaConfig", {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2,
                             "num_attention_heads": 4, "num_key_value_heads": 2}),
    "llama8b": ("LlamaConfig", {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                                "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256}),
    "gptoss20b": ("GptOssConfig", {"num_hidden_layers": 24, "num_local_experts": 32}),
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=64, help="random pairs of the dataset (default: 64)")
    parser.add_argument("--max-tokens", type=int, default=30, help="for an answer (default: 30)")
    parser.add_argument("--batch", type=int, default=8, help="of the transformers loop; 0 leaves it out (default: 8)")
    parser.add_argument("--shape", choices=SHAPES, help="random weights of this shape instead of the model's own")
    parser.add_argument("settings", nargs="*", help="as for python -m alignir: model=, prompt=, dataset=, ...")
    args = parser.parse_args()

    import numpy as np

    from alignir.commands.run import close_engines
    from alignir.config import composed_cell
    from alignir.tables import table

    cell = composed_cell(args.settings)
    pairs = cell.dataset().pairs()
    n = min(args.pairs, len(pairs))
    pairs = pairs.iloc[np.sort(np.random.default_rng(0).choice(len(pairs), n, replace=False))]
    prompt = replace(cell.prompt(), max_tokens=args.max_tokens)
    with tempfile.TemporaryDirectory() as folder:
        model = shaped(cell.model, args.shape, Path(folder)) if args.shape else cell.model
        loaded = model._open()
        sizes, cached, rows = {}, {}, {}
        sizes["bare vLLM"], rows["bare vLLM"], cached["bare vLLM"] = bare(loaded, model, prompt, pairs)
        for name, asked in (("alignir", prompt), ("alignir, logits", replace(prompt, decoding="logits"))):
            ours(model, asked, pairs.head(2), Path(folder) / "first")  # the first call sets things up
            loaded.llm.reset_prefix_cache()
            sizes[name], rows[name] = ours(model, asked, pairs, Path(folder) / name.replace(", ", "-"))
        if args.batch and not args.shape:
            rendered = [each.tokens for each in fitted(loaded, model, prompt, pairs, 0)]
            path = str(model.weights()) if model.weights else model.name
            close_engines()
            sizes["transformers"], rows["transformers"] = transformers_loop(path, rendered, args.max_tokens, args.batch)
        close_engines()
    lines = []
    for name, seconds in rows.items():
        tokens_in, tokens_out = sizes[name]
        share = f"{cached[name]:.1%}" if name in cached else ""
        numbers = [
            f"{seconds:.1f}",
            f"{n / seconds:.2f}",
            f"{tokens_in / seconds:,.0f}",
            f"{tokens_out / seconds:,.1f}",
        ]
        lines.append([name, *numbers, share, f"{rows['bare vLLM'] / seconds:.3f}"])
    columns = ["way", "seconds", "pairs/s", "prompt tokens/s", "output tokens/s", "prefix cached", "speed / bare"]
    title = f"{n} pairs, {args.shape or cell.names['model']}, prompt {prompt.name}, {args.max_tokens} tokens an answer"
    print(table.render([table.Table(title, columns, lines)], "rich"), end="")
    return 0


def fitted(loaded, model, prompt, pairs, max_tokens):
    """Each pair as the model is asked."""
    texts = list(zip(*(pairs[field] for field in prompt.fields), strict=True))
    return loaded.tokens.fit(model.name, model.chat, prompt, texts, max_tokens)


def bare(loaded, model, prompt, pairs):
    """((tokens in, out), seconds, share of prompt tokens from the prefix cache)."""
    from vllm import SamplingParams
    from vllm.inputs import TokensPrompt

    asked = fitted(loaded, model, prompt, pairs, prompt.max_tokens)
    rendered = [TokensPrompt(prompt_token_ids=each.tokens) for each in asked]
    sampling = SamplingParams(**{"temperature": 0.0, **model.sampling}, max_tokens=prompt.max_tokens)
    loaded.llm.generate(rendered[:2], sampling, use_tqdm=False)
    loaded.llm.reset_prefix_cache()
    start = time.perf_counter()
    outputs = loaded.llm.generate(rendered, sampling, use_tqdm=False)
    seconds = time.perf_counter() - start
    tokens_in = sum(len(output.prompt_token_ids) for output in outputs)
    tokens_out = sum(len(output.outputs[0].token_ids) for output in outputs)
    return (tokens_in, tokens_out), seconds, sum(output.num_cached_tokens or 0 for output in outputs) / tokens_in


def ours(model, prompt, pairs, folder):
    from alignir.labelling.labels import label
    from alignir.labelling.ledger import Ledger

    start = time.perf_counter()
    labels = label(pairs, prompt, model, Ledger(folder)).labels
    seconds = time.perf_counter() - start
    return (int(labels["prompt_tokens"].sum()), int(labels["output_tokens"].sum())), seconds


def transformers_loop(path, rendered, max_tokens, batch):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = torch.bfloat16 if device == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(path, dtype=kind).to(device).eval()
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokens_in = tokens_out = 0
    start = time.perf_counter()
    for first in range(0, len(rendered), batch):
        ids = rendered[first : first + batch]
        padded = tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(device)
        with torch.no_grad():
            made = model.generate(
                **padded, max_new_tokens=max_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id
            )
        tokens_in += sum(map(len, ids))
        tokens_out += int((made[:, padded["input_ids"].shape[1] :] != tokenizer.pad_token_id).sum())
    return (tokens_in, tokens_out), time.perf_counter() - start


def shaped(model, shape, folder):
    """The model with random weights of a shape: its config and SmolLM2's tokenizer in a folder, no weights at all."""
    import shutil

    import transformers

    from alignir.config import composed_cell

    kind, sizes = SHAPES[shape]
    smollm2 = composed_cell(["model=smollm2"]).model.weights()
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(smollm2 / file, folder)
    config = getattr(transformers, kind)(**{"vocab_size": 49152, "max_position_embeddings": 8192, **sizes})
    config.architectures = [kind.replace("Config", "ForCausalLM")]
    config.save_pretrained(folder)
    engine = {key: value for key, value in model.engine.items() if key not in ("dtype", "max_num_seqs")}
    return replace(
        model,
        name=str(folder),
        revision=None,
        weights=None,
        harmony=None,
        chat={},
        engine={**engine, "load_format": "dummy"},
    )


if __name__ == "__main__":
    sys.exit(main())
