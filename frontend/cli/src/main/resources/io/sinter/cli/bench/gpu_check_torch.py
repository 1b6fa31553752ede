# SPDX-License-Identifier: Apache-2.0
"""What PyTorch reaches on the GPU: one JSON line for each matrix product and attention. Arguments: device number, sizes (1024,2048), seconds of each."""
import json, sys, time
import torch, torch.nn.functional as F

DEV, SIZES, SECONDS = f"cuda:{sys.argv[1]}", [int(n) for n in sys.argv[2].split(",")], float(sys.argv[3])


def millis(f):
    for _ in range(3):
        f()
    torch.cuda.synchronize(DEV)
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end or best == float("inf"):
        t = time.perf_counter()
        for _ in range(5):
            f()
        torch.cuda.synchronize(DEV)
        best = min(best, (time.perf_counter() - t) / 5 * 1e3)
    return best


print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda}), flush=True)
for n in SIZES:
    for kind in ("f32", "tf32", "bf16"):
        torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
        t = torch.bfloat16 if kind == "bf16" else torch.float32
        a, b = (torch.randn(n, n, device=DEV, dtype=t) for _ in range(2))
        print(json.dumps({"case": f"matmul {n} {kind}", "ms": millis(lambda: a @ b)}), flush=True)
for length in (1024, 4096):
    q, k, v = (torch.randn(4, 16, length, 64, device=DEV, dtype=torch.bfloat16) for _ in range(3))
    f = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
    print(json.dumps({"case": f"attention {length} bf16", "ms": millis(f)}), flush=True)
