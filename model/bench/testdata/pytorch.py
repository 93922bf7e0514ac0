"""The cases of this package in PyTorch, eager, in float32, on the same card:

    python3 pytorch.py [--device cuda] [--runs 30] [--budget 5] [--case NAME ...]

Prints a JSON object a line. As in the package, a run takes inputs that are on
the device and reads its output back (of a training step, the loss), and "ms" is
the median of the runs after a warm-up. "queued_ms" is the time of a run where
many are queued and nothing is read back. Both once more with TF32 allowed, which
rounds factors to 10 bits. Weights are random: only shapes and spread are the
package's. Beside its cases there are a larger matmul and the step of the
configuration seed: a ResNet-18 at 224 px with RoBERTa-base over 64 tokens.
"""

import argparse
import json
import math
import time

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """Two convolutions beside a shortcut; norm is what follows a convolution."""

    def __init__(self, inputs, outputs, stride, conv):
        super().__init__()
        self.a, self.b = conv(inputs, outputs, 3, stride, 1), conv(outputs, outputs, 3, 1, 1)
        self.down = conv(inputs, outputs, 1, stride, 0) if stride != 1 or inputs != outputs else nn.Identity()

    def forward(self, x):
        return functional.relu(self.b(functional.relu(self.a(x))) + self.down(x))


def plain(inputs, outputs, kernel, stride, pad):
    return nn.Conv2d(inputs, outputs, kernel, stride, pad)


def normed(inputs, outputs, kernel, stride, pad):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False), nn.BatchNorm2d(outputs))


def resnet18(classes, conv=plain):
    """ResNet-18; classes=0 leaves the last layer out."""
    layers, inputs = [conv(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], 64
    for outputs in (64, 128, 256, 512):
        layers += [Block(inputs, outputs, 1 if inputs == outputs else 2, conv), Block(outputs, outputs, 1, conv)]
        inputs = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, *([nn.Linear(512, classes)] if classes else []))


class Layer(nn.Module):
    """A layer of BERT's encoder."""

    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(hidden, hidden) for _ in range(4))
        self.up, self.down = nn.Linear(hidden, 4 * hidden), nn.Linear(4 * hidden, hidden)
        self.norm1, self.norm2 = nn.LayerNorm(hidden, 1e-5), nn.LayerNorm(hidden, 1e-5)

    def attend(self, x):
        n, t, hidden = x.shape
        q, k, v = (f(x).view(n, t, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        if hasattr(functional, "scaled_dot_product_attention"):
            y = functional.scaled_dot_product_attention(q, k, v)
        else:
            y = (q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])).softmax(-1) @ v
        return self.out(y.transpose(1, 2).reshape(n, t, hidden))

    def forward(self, x):
        x = self.norm1(self.attend(x) + x)
        return self.norm2(self.down(functional.gelu(self.up(x))) + x)


class RoBERTa(nn.Module):
    """The encoder without its pooler, for texts without padding."""

    def __init__(self, layers, hidden, heads, rows, positions):
        super().__init__()
        self.word, self.position, self.kind = nn.Embedding(rows, hidden), nn.Embedding(positions, hidden), nn.Embedding(1, hidden)
        self.norm = nn.LayerNorm(hidden, 1e-5)
        self.layers = nn.Sequential(*(Layer(hidden, heads) for _ in range(layers)))

    def forward(self, ids, positions):
        return self.layers(self.norm(self.word(ids) + self.position(positions) + self.kind.weight[0]))


class VLM(nn.Module):
    """Both towers, joined as the fusion concat does."""

    def __init__(self, classes):
        super().__init__()
        self.visual, self.text = resnet18(0, normed), RoBERTa(12, 768, 12, 50265, 514)
        self.visual_proj, self.text_proj = nn.Linear(512, 512), nn.Linear(768, 512)
        self.fusion, self.classifier = nn.Linear(1024, 512), nn.Linear(512, classes)

    def forward(self, pictures, ids, positions):
        v, t = self.visual_proj(self.visual(pictures)), self.text_proj(self.text(ids, positions)[:, 0])
        return self.classifier(self.fusion(torch.cat([v, t], 1)))


def tokens(n, rows=8000):
    index = torch.arange(n * 64)
    return (index * 37 % rows).view(n, 64).to(DEVICE), (index % 64 + 2).view(n, 64).to(DEVICE)


def forward(model, *inputs):
    model.eval().requires_grad_(False)
    return lambda: model(*inputs), lambda y: y.cpu()


def training(model, rate, loss):
    """A step: loss is a function of nothing."""
    model.train()
    adam = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate)

    def step():
        adam.zero_grad()
        value = loss()
        value.backward()
        adam.step()
        return value.detach()

    return step, lambda y: y.item()


def classify(model, rate, n, classes, *inputs):
    targets = (torch.arange(n) % classes).to(DEVICE)
    return training(model, rate, lambda: functional.cross_entropy(model(*inputs), targets))


def uniform(*shape, scale=1.0):
    return ((torch.rand(*shape) * 2 - 1) * scale).to(DEVICE)


def pictures(n):
    return torch.sin(torch.arange(n * 3 * 224 * 224) * 0.37).view(n, 3, 224, 224).to(DEVICE)


def matmul(m, n, k):
    a, b = uniform(m, k), uniform(k, n)
    return lambda: a @ b, lambda y: y.cpu()


def train_layer():
    layer, x, t = Layer(384, 6).to(DEVICE), uniform(4, 64, 384), uniform(4, 64, 384)
    return training(layer, 1e-4, lambda: (layer(x) - t).square().mean())


def train_transfer():
    tower, head, x = resnet18(512).to(DEVICE).requires_grad_(False), nn.Linear(512, 10).to(DEVICE), uniform(8, 3, 64, 64)
    return classify(nn.Sequential(tower, head), 1e-3, 8, 10, x)


def train_head():
    return classify(nn.Sequential(nn.Linear(1280, 512), nn.ReLU(), nn.Linear(512, 10)).to(DEVICE), 1e-3, 32, 10, uniform(32, 1280))


def roberta(n, layers, hidden, heads):
    return forward(RoBERTa(layers, hidden, heads, 8192, 66).to(DEVICE), *tokens(n))


def seed(n):
    return classify(VLM(5).to(DEVICE), 1e-3, n, 5, pictures(n), *tokens(n, 50000))


CASES = {
    "resnet18": lambda: forward(resnet18(1000).to(DEVICE), pictures(1)),
    "resnet18_b32": lambda: forward(resnet18(1000).to(DEVICE), pictures(32)),
    "roberta_base": lambda: roberta(1, 12, 768, 12),
    "roberta_base_b32": lambda: roberta(32, 12, 768, 12),
    "roberta_small": lambda: roberta(1, 6, 384, 6),
    "matmul512": lambda: matmul(512, 512, 512),
    "train_resnet18_b8_64": lambda: classify(resnet18(10).to(DEVICE), 1e-4, 8, 10, uniform(8, 3, 64, 64)),
    "train_layer_h384_b4_s64": train_layer,
    "train_transfer_b8_64": train_transfer,
    "train_head_b32": train_head,
    "matmul_2048x3072x768": lambda: matmul(2048, 3072, 768),
    "seed_step_b4": lambda: seed(4),
    "seed_step_b32": lambda: seed(32),
}


def synchronize():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def measure(run, read, runs, budget):
    """Median milliseconds of a run with its read-back, of a queued run, and how many were timed."""
    for _ in range(min(5, runs)):
        read(run())
    synchronize()
    times, begun = [], time.perf_counter()
    while len(times) < min(3, runs) or (len(times) < runs and time.perf_counter() - begun < budget):
        start = time.perf_counter()
        read(run())
        times.append(time.perf_counter() - start)
    n = len(times)
    synchronize()
    start = time.perf_counter()
    for _ in range(n):
        run()
    synchronize()
    return sorted(times)[n // 2] * 1e3, (time.perf_counter() - start) / n * 1e3, n


parser = argparse.ArgumentParser()
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
parser.add_argument("--runs", type=int, default=30)
parser.add_argument("--budget", type=float, default=5, help="seconds for the runs of a case")
parser.add_argument("--case", nargs="*", choices=list(CASES), default=list(CASES))
arguments = parser.parse_args()
DEVICE = torch.device(arguments.device)
adapter = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
for name in arguments.case:
    torch.manual_seed(1)
    figure = {"case": name, "adapter": adapter, "torch": torch.__version__}
    for suffix, tf32 in (("", False), ("_tf32", True)):
        if tf32 and DEVICE.type != "cuda":
            continue
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        run, read = CASES[name]()
        with torch.set_grad_enabled("train" in name or "seed" in name):
            ms, queued, n = measure(run, read, arguments.runs, arguments.budget)
        figure.update({"ms" + suffix: round(ms, 4), "queued_ms" + suffix: round(queued, 4), "runs": n})
        del run, read
    print(json.dumps(figure), flush=True)
