"""Runs exports in PyTorch. Reads a JSON list of {"config", "weights", "visual",
"text", "runs": [{NAME: {"type", "dims", "data"}, ...}, ...]} from standard
input, where config is a path, weights that of the whole model's export, visual
and text (or "") those of the towers by themselves, and data base64. All are
loaded strictly. Prints a JSON list with the base64 logits of each run, and for
the towers what they give beside what they give within the whole, as the largest
difference."""

import base64
import json
import sys

import torch

from vlm import VLM, read_safetensors

TYPES = {"float32": torch.float32, "int64": torch.int64}


def load(module, path):
    tensors, metadata = read_safetensors(path)
    part = metadata.pop("duet_export", "all")  # the mark by which an export may be replaced
    assert part in ("all", "visual", "text") and metadata == {"format": "pt"}, f"{path}: metadata {metadata}, of {part}"
    module.load_state_dict(tensors, strict=True)
    return module.eval()


def tensor(x):
    return torch.frombuffer(bytearray(base64.b64decode(x["data"])), dtype=TYPES[x["type"]]).reshape(x["dims"])


def alone(model, path, name):
    """The largest change of a tower's weights by loading it from its own export."""
    if not path:
        return 0.0
    tower = getattr(model, name)
    before = {k: v.clone() for k, v in tower.state_dict().items()}
    for p in tower.state_dict().values():
        p.zero_()
    load(tower, path)
    return max(float((v.double() - before[k].double()).abs().max()) for k, v in tower.state_dict().items())


results = []
with torch.no_grad():
    for job in json.load(sys.stdin):
        with open(job["config"], encoding="utf-8") as file:
            model = load(VLM(json.load(file)), job["weights"])
        result = {"changed": max(alone(model, job["visual"], "visual"), alone(model, job["text"], "text")), "logits": []}
        for run in job["runs"]:
            feeds = {name: tensor(x) for name, x in run.items()}
            y = model(feeds.get("pixel_values"), feeds.get("input_ids"), feeds.get("attention_mask"))
            result["logits"].append(base64.b64encode(y.numpy().tobytes()).decode())
        results.append(result)
json.dump(results, sys.stdout)
