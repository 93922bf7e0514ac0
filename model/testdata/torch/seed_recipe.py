"""Makes seed_recipe.json, the golden of the configuration seed with the fusion
concat at full size: python3 seed_recipe.py MODEL > seed_recipe.json, where MODEL
is the folder of a model with random weights; README.md says which.

Everything is computed in float64 and again in float32. A list of losses has the
loss before each step and after the last."""

import copy
import hashlib
import json
import math
import os
import sys

import torch
from torch.nn import functional

from vlm import VLM, read_safetensors

BATCH, SIZE, TOKENS = 4, 224, 16
RATE = 1e-3  # Adam's, constant; betas 0.9 and 0.999, eps 1e-8, no decay
STEPS, FROZEN_STEPS = 3, 20


def batch(config):
    """Pictures and words by formula, with labels."""
    index = torch.arange(BATCH * 3 * SIZE * SIZE, dtype=torch.float64)
    pictures = torch.sin(0.01 * index) + 0.5 * torch.cos(0.0007 * index)
    ids = torch.full((BATCH, TOKENS), config["text_config"]["pad_token_id"])
    for b in range(BATCH):
        n = TOKENS - 3 * b
        ids[b, 0], ids[b, n - 1] = 0, 2
        for t in range(1, n - 1):
            ids[b, t] = 4 + (7919 * b + 104729 * t) % 50000
    labels = torch.tensor([(3 * b + 1) % len(config["id2label"]) for b in range(BATCH)])
    return pictures.reshape(BATCH, 3, SIZE, SIZE), ids, ids.ne(1).long(), labels


def train(model, dtype, frozen, inputs):
    """The losses and the first logits of a training. Where the towers are frozen
    their batch-norm uses the running statistics, else the batch's."""
    model = copy.deepcopy(model).to(dtype)
    model.train()
    for tower in model.towers():
        tower.requires_grad_(not frozen)
        tower.train(not frozen)
    pictures, ids, mask, labels = inputs
    pictures = pictures.to(torch.float32).to(dtype)
    trained = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.Adam(trained, lr=RATE, betas=(0.9, 0.999), eps=1e-8)
    features = None
    if frozen:
        with torch.no_grad():
            features = model.features(pictures, ids, mask)
    losses, first = [], None
    for step in range((FROZEN_STEPS if frozen else STEPS) + 1):
        x = features or model.features(pictures, ids, mask)
        logits = model.classifier(model.fuse(*x))
        loss = functional.cross_entropy(logits, labels)
        losses.append(loss.item())
        if first is None:
            first = logits.detach().tolist()
        print(f"{dtype}, frozen {frozen}, step {step}: loss {losses[-1]:.9g}", file=sys.stderr, flush=True)
        if step < (FROZEN_STEPS if frozen else STEPS):
            adam.zero_grad()
            loss.backward()
            adam.step()
    return losses, first


def digest(tensors):
    """SHA-256 over names and values in the order of the names."""
    h = hashlib.sha256()
    for name in sorted(tensors):
        h.update(name.encode())
        h.update(tensors[name].numpy().tobytes())
    return h.hexdigest()


folder = sys.argv[1]
with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
    config = json.load(file)
assert config["fusion"] == "concat"
tensors, _ = read_safetensors(os.path.join(folder, "model.safetensors"))
model = VLM(config)
model.load_state_dict(tensors, strict=True)
inputs = batch(config)
golden = {
    "weights_sha256": digest(tensors),
    "pictures": f"shape ({BATCH},3,{SIZE},{SIZE}): x[i] = sin(0.01*i) + 0.5*cos(0.0007*i)",
    "input_ids": inputs[1].tolist(),
    "attention_mask": inputs[2].tolist(),
    "targets": inputs[3].tolist(),
    "adam": {"lr": RATE, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0},
    "computed_in": "float64",
    "torch": torch.__version__,
}
for name, frozen in (("all", False), ("frozen_towers", True)):
    exact, logits = train(model, torch.float64, frozen, inputs)
    rough, rough_logits = train(model, torch.float32, frozen, inputs)
    golden[name] = {
        "losses": [float(f"{x:.10g}") for x in exact],
        "max_abs_diff_float32": float(f"{max(abs(a - b) for a, b in zip(exact, rough)):.3g}"),
        "first_logits": [[float(f"{x:.9g}") for x in row] for row in logits],
        "first_logits_max_abs_diff_float32": float(
            f"{max(abs(a - b) for r, s in zip(logits, rough_logits) for a, b in zip(r, s)):.3g}"),
    }
    assert all(math.isfinite(x) for x in exact)
json.dump(golden, sys.stdout, indent=1)
print()
