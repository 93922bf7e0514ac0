"""Saves state dicts with PyTorch in every form that our reader knows, each with
the same tensors beside it as plain safetensors, and files that it must refuse.

    python3 torch_files.py DIR
"""
import json
import struct
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

out = Path(sys.argv[1])
names = {
    torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.complex64: "C64",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def expect(name, tensors):
    """Writes safetensors without any library."""
    header, data = {}, b""
    for key, t in tensors.items():
        t = t.detach().contiguous()
        words = {torch.bfloat16: torch.int16, torch.bool: torch.uint8}.get(t.dtype)
        raw = (t.view(words) if words else t).numpy().tobytes()
        header[key] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    (out / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def save(name, value, tensors):
    for kind, options in {
        "zip": {}, "legacy": {"_use_new_zipfile_serialization": False}, "zip4": {"pickle_protocol": 4},
        "legacy4": {"pickle_protocol": 4, "_use_new_zipfile_serialization": False},
    }.items():
        torch.save(value, out / f"{name}.{kind}.pth", **options)
    expect(name, tensors)


torch.manual_seed(1)
net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 4))
net(torch.randn(2, 3, 3, 3)).sum().backward()
optimizer = torch.optim.Adam(net.parameters())
optimizer.step()
state = net.state_dict()
save("module", state, state)
save("parameters", dict(net.named_parameters()), dict(net.named_parameters()))
save("training", {
    "epoch": 3, "best": 0.5, "note": "x", "none": None, "flags": [True, False], "shape": (1, 2),
    "state_dict": nn.DataParallel(net).state_dict(), "optimizer": optimizer.state_dict(),
}, state)
save("nested", {"model": state, "args": {"rate": 1e-3}}, state)

some = torch.randn(3, 4)
types = OrderedDict((f"t{i}", (some * 100).to(t)) for i, t in enumerate(names))
save("types", types, types)

base = torch.arange(1000.0)
views = {
    "transposed": some.t(), "columns": some[:, 1:3], "strided": base.view(10, 100)[::2, 3:90:7], "part": base[10:20],
    "permuted": torch.randn(2, 3, 4, 5).permute(3, 1, 0, 2), "channels_last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    "scalar": base[7], "empty": torch.empty(0, 3), "one": base.view(1, 1000)[:, :1],
}
save("views", views, views)
shared = nn.Embedding(5, 3)
tied = {"encoder.weight": shared.weight, "decoder.weight": shared.weight}
save("tied", tied, tied)

for name, value in {
    "torch.nn.modules.container.Sequential": net,
    "torch.Size": {"w": some, "size": some.shape},
    "numpy.core.multiarray.scalar": {"w": some, "best": some.numpy().mean()},
    "__main__.Evil": None,
}.items():
    if value is None:
        class Evil:
            def __reduce__(self):
                return (Evil, ())
        value = {"w": some, "x": Evil()}
    torch.save(value, out / f"refuse.{name}.pth")
torch.save({"w": torch.ones(1).expand(1000)}, out / "refuse.share a place.pth")
print(torch.__version__)
