"""The classifier in plain PyTorch, and a reader of safetensors files.

Written for comparisons: the modules have torchvision's and Hugging Face's
names, so that load_state_dict(strict=True) shows that an export is whole.
"""

import json
import math

import torch
from torch import nn
from torch.nn import functional

DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


def read_safetensors(path):
    """Returns the tensors of a file by name, and its metadata."""
    tensors = {}
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        metadata = header.pop("__metadata__", {})
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            file.seek(8 + length + begin)
            data = bytearray(file.read(end - begin))
            tensors[name] = torch.frombuffer(data, dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


class Padding(nn.Module):
    """A shortcut without weights: every stride-th pixel, and channels of zeros."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x):
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, project):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if not project:
            self.downsample = Padding(inputs, outputs, stride)
        elif stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        else:
            self.downsample = nn.Identity()

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet(nn.Module):
    """torchvision's ResNet of basic blocks up to its last feature map: no fc.
    There are also the stem and the shortcuts for small pictures."""

    def __init__(self, c):
        super().__init__()
        width, blocks, project = c["width"], c["blocks"], c.get("shortcut") != "padding"
        self.small = c.get("stem") == "conv3"
        self.conv1 = nn.Conv2d(3, width, *((3, 1, 1) if self.small else (7, 2, 3)), bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs, self.layers = width, len(blocks)
        for i, n in enumerate(blocks):
            outputs, layer = width << i, []
            for j in range(n):
                layer.append(BasicBlock(inputs, outputs, 2 if i > 0 and j == 0 else 1, project))
                inputs = outputs
            setattr(self, f"layer{i + 1}", nn.Sequential(*layer))
        self.out = inputs

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        if not self.small:
            x = functional.max_pool2d(x, 3, 2, 1)
        for i in range(self.layers):
            x = getattr(self, f"layer{i + 1}")(x)
        return x


def named(**modules):
    """A module that only holds others."""
    holder = nn.Module()
    for name, module in modules.items():
        holder.add_module(name, module)
    return holder


def attend(q, k, v, heads, mask=None):
    """Multi-head attention of q [B n D] over k, v [B m D]; mask is added to the scores."""
    split = lambda x: x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores + mask
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        hidden, inner, eps = c["hidden_size"], c["intermediate_size"], c["layer_norm_eps"]
        linear = lambda: nn.Linear(hidden, hidden)
        self.heads = c["num_attention_heads"]
        self.attention = named(
            self=named(query=linear(), key=linear(), value=linear()),
            output=named(dense=linear(), LayerNorm=nn.LayerNorm(hidden, eps)),
        )
        self.intermediate = named(dense=nn.Linear(hidden, inner))
        self.output = named(dense=nn.Linear(inner, hidden), LayerNorm=nn.LayerNorm(hidden, eps))

    def forward(self, x, mask):
        s, o = getattr(self.attention, "self"), self.attention.output
        x = o.LayerNorm(o.dense(attend(s.query(x), s.key(x), s.value(x), self.heads, mask)) + x)
        return self.output.LayerNorm(self.output.dense(functional.gelu(self.intermediate.dense(x))) + x)


class RoBERTa(nn.Module):
    """Hugging Face's RobertaModel without its pooler."""

    def __init__(self, c):
        super().__init__()
        hidden, self.pad = c["hidden_size"], c["pad_token_id"]
        self.embeddings = named(
            word_embeddings=nn.Embedding(c["vocab_size"], hidden),
            position_embeddings=nn.Embedding(c["max_position_embeddings"], hidden),
            token_type_embeddings=nn.Embedding(1, hidden),
            LayerNorm=nn.LayerNorm(hidden, c["layer_norm_eps"]),
        )
        self.encoder = named(layer=nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"])))

    def forward(self, ids, attention_mask):
        e, real = self.embeddings, ids.ne(self.pad).long()
        positions = real.cumsum(1) * real + self.pad
        x = e.word_embeddings(ids) + e.position_embeddings(positions) + e.token_type_embeddings.weight[0]
        x = e.LayerNorm(x)
        mask = (1 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.encoder.layer:
            x = layer(x, mask)
        return x


class VLM(nn.Module):
    """The classifier that a config.json of Duet describes."""

    def __init__(self, c):
        super().__init__()
        dim, self.fusion_kind = c["projection_dim"], c["fusion"]
        vision, text = c.get("vision_config"), c.get("text_config")
        width = {"concat": 2, "concat_gelu": 2, "gated": 2, "concat_product": 3}.get(self.fusion_kind, 1) * dim
        if self.fusion_kind != "text":
            self.visual = ResNet(vision)
            self.visual_proj = nn.Linear(self.visual.out, dim)
        if self.fusion_kind != "image":
            hidden = text["hidden_size"]
            self.text, self.mean, self.heads = RoBERTa(text), text.get("pooling") == "mean", text["num_attention_heads"]
            if self.fusion_kind != "cross_attention":
                self.text_proj = nn.Linear(hidden, dim)
        if self.fusion_kind == "cross_attention":
            width = hidden
            self.cross_attn = named(
                q_proj=nn.Linear(hidden, hidden), k_proj=nn.Linear(dim, hidden),
                v_proj=nn.Linear(dim, hidden), out_proj=nn.Linear(hidden, hidden),
            )
            self.cross_norm = nn.LayerNorm(hidden, 1e-5)
        self.fusion = nn.Linear(width, dim)
        self.classifier = nn.Linear(dim, len(c["id2label"]))

    def towers(self):
        return [getattr(self, name) for name in ("visual", "text") if hasattr(self, name)]

    def forward(self, pictures, ids, attention_mask):
        return self.classifier(self.fuse(*self.features(pictures, ids, attention_mask)))

    def features(self, pictures, ids, attention_mask):
        """What the towers make of a batch; the half that costs."""
        v = self.visual(pictures) if hasattr(self, "visual") else None
        h = self.text(ids, attention_mask) if hasattr(self, "text") else None
        return v, h, attention_mask

    def fuse(self, v, h, attention_mask):
        kind = self.fusion_kind
        if kind == "cross_attention":
            tokens, c, first = self.visual_proj(v.flatten(2).transpose(1, 2)), self.cross_attn, h[:, :1]
            a = attend(c.q_proj(first), c.k_proj(tokens), c.v_proj(tokens), self.heads)
            return self.fusion(self.cross_norm(first + c.out_proj(a))[:, 0])
        if v is not None:
            v = self.visual_proj(v.mean((2, 3)))
        if h is not None:
            mask = attention_mask[:, :, None].to(h.dtype)
            h = self.text_proj((h * mask).sum(1) / mask.sum(1) if self.mean else h[:, 0])
        if kind == "image":
            return self.fusion(v)
        if kind == "text":
            return self.fusion(h)
        if kind == "hadamard":
            return self.fusion(v * h)
        z = torch.cat([v, h], 1)
        if kind == "gated":
            z = z.softmax(1) * z
        if kind == "concat_product":
            z = torch.cat([z, v * h], 1)
        z = self.fusion(z)
        return functional.gelu(z) if kind in ("concat_gelu", "concat_product") else z
