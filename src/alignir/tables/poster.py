"""Poster: the numbers that this project reproduces."""

from alignir.frames import BASELINE
from alignir.tracking.shapes import Column, UserModel

QUERIES = {"trec_dl_2019": 43, "rank_distillm": 2000}
TABLE_1 = {
    ("llama8b", "basic"): {"trec_dl_2019": 0.664, "rank_distillm": 0.698},
    ("llama8b", "zeshot"): {"trec_dl_2019": 0.851, "rank_distillm": 0.798},
    ("gptoss20b", "basic"): {"trec_dl_2019": 0.851, "rank_distillm": 0.802},
    ("gptoss20b", "zeshot"): {"trec_dl_2019": 0.839, "rank_distillm": 0.814},
    ("qwen32b", "basic"): {"trec_dl_2019": 0.838, "rank_distillm": 0.804},
    ("qwen32b", "zeshot"): {"trec_dl_2019": 0.844, "rank_distillm": 0.814},
}
TABLE_2_COLUMNS = [
    *(Column(UserModel("external"), metric) for metric in ("adt", "ssr", "zrr", "clicks", "ctr")),
    Column(UserModel("dbn"), "clicks"),
]
TABLE_2 = {
    ("llama8b", "zeshot"): (-0.257, -0.114, -0.114, -0.412, -0.330, 0.467),
    ("llama8b", "basic"): (-0.248, -0.164, -0.164, -0.353, -0.284, 0.422),
    ("gptoss20b", "zeshot"): (-0.251, -0.103, -0.103, -0.430, -0.342, 0.644),
    ("gptoss20b", "basic"): (-0.254, -0.112, -0.112, -0.428, -0.345, 0.644),
    ("qwen32b", "zeshot"): (-0.252, -0.107, -0.107, -0.433, -0.344, 0.600),
    ("qwen32b", "basic"): (-0.251, -0.109, -0.109, -0.421, -0.341, 0.733),
    (BASELINE, ""): (-0.234, -0.050, -0.050, -0.365, -0.293, 0.644),
}
TABLE_2_DATASET = "rank_distillm"
