"""Small networks and scores whose attributions can be worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def picture(seed=0, height=9, width=7):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


class Linear:
    """A weighted sum of all pixels plus 5."""

    def __init__(self, seed=0, height=9, width=7):
        self.weights = torch.randn(3, height, width, generator=torch.Generator().manual_seed(seed))

    def __call__(self, pixels: Tensor) -> Tensor:
        return (pixels * self.weights).sum((1, 2, 3)) + 5

    def contributions(self, image, baseline):
        """Return w (x - b) summed over the channels, shape (H, W)."""
        return (self.weights * (image - baseline)[0]).sum(0).double().numpy()


class TwoLayers(nn.Module):
    """One convolution, a ReLU, global average pooling and a linear head: CAMs follow from the weights."""

    def __init__(self, seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1)
            self.relu = nn.ReLU()
            self.second = nn.Conv2d(4, 5, 3, padding=1)
            self.relu2 = nn.ReLU()
            self.fc = nn.Linear(5, 3)
        self.requires_grad_(False).eval()

    def forward(self, pixels):
        found = self.relu2(self.second(self.relu(self.conv(pixels))))
        return self.fc(found.mean((2, 3)))

    def score(self, index=1, factor=20.0):
        return lambda pixels: factor * self(pixels)[:, index]


def hooks_of(net):
    return [h for m in net.modules() for h in (*m._forward_hooks, *m._backward_hooks, *m._forward_pre_hooks)]
