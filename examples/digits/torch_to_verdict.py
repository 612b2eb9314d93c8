"""From a torch module to a verdict, cell by cell (editors run `# %%` cells like those of a notebook).

    pip install ".[torch]" && python examples/digits/torch_to_verdict.py
"""

# %% A network, trained for a few seconds on the first 300 of the digits' test images.
from pathlib import Path

import numpy as np
import torch
from torch import nn

import boundflow

torch.manual_seed(0)
with np.load(Path(__file__).with_name("test_set.npz")) as arrays:
    images = torch.tensor(arrays["images"] / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    labels = torch.tensor(arrays["labels"], dtype=torch.int64)
module = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)
)
optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
for _ in range(60):
    noise = 0.05 * torch.randn(300, 1, 8, 8)
    loss = nn.functional.cross_entropy(module(images[:300] + noise), labels[:300])
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
module.eval()
held_out, truth = images[300:], labels[300:]
print(f"accuracy on the other {len(truth)} images: {(module(held_out).argmax(1) == truth).float().mean():.1%}")

# %% The same network in BoundFlow: batch norm is folded, and both compute the same.
network = boundflow.from_torch(module, held_out[:1])
print(network)
difference = np.abs(network.evaluate(held_out) - module(held_out).detach().numpy()).max()
print(f"largest difference between the two: {difference:.1e}")

# %% Bounds for all images at once: which keep their class for every change of each pixel by 0.01?
radius = 0.01
margins = boundflow.margins(truth.numpy(), 10)
for method in ("ibp", "crown", "alpha-crown"):
    lower, _ = boundflow.bounds(network, center=held_out, eps=radius, C=margins, method=method)
    print(f"proved by {method} within {radius}: {(lower > 0).all(axis=1).mean():.1%}")

# %% A verdict for one image: a search, until it is proved or broken.
image = held_out[0].numpy()
for radius in (0.01, 0.02, 0.04, 0.08, 0.16):
    answer = boundflow.verify(network, boundflow.Property(center=image, eps=radius, C=margins[0]), timeout=20)
    print(f"within {radius}: {answer.verdict} ({answer.time_s:.2f} s)")
    if answer.witness is not None:
        print(f"  a {truth[0]} that the network takes for a {answer.witness_output.argmax()}:")
        for row in answer.witness.reshape(8, 8):
            print("   " + "".join(" .:-=+*#%@"[int(np.clip(10 * x, 0, 9))] for x in row))
        break
