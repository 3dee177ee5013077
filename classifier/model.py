"""The network that is trained, and how it is asked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.models.classification.architectures import Architecture
from core.taxonomy import CLASSES


def normalise(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Map (N, 3, H, W) on the 0..1 scale to zero mean and unit variance for each channel."""
    shape = (1, 3, 1, 1)
    return (pixels - pixels.new_tensor(mean).view(shape)) / pixels.new_tensor(std).view(shape)


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    pixels: Tensor,
    mean: Sequence[float],
    std: Sequence[float],
    batch_size: int = 64,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Return float32 logits (N, K) of uint8 pixels (N, 3, H, W), on the CPU, in evaluation mode.

    Parameters
    ----------
    dtype
        Of the forward pass's autocast; None for plain fp32.
    """
    model.eval()
    device = next(model.parameters()).device
    logits = []
    with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
        for batch in pixels.split(batch_size):
            inputs = normalise(batch.to(device) / 255, mean, std).contiguous(memory_format=torch.channels_last)
            logits.append(model(inputs).float().cpu())
    return torch.cat(logits) if logits else torch.empty(0, len(CLASSES))


class TrainedNetwork(nn.Module):
    """A classifier with what training alone needs: dropout before its head, and a head that draws the lesion's mask.

    Neither changes `net` itself, whose state dict is what is kept and shipped.

    Parameters
    ----------
    dropout
        Share of the head's inputs that are left out in training.
    draws_masks
        Whether there is a mask head.
    """

    def __init__(self, net: nn.Module, architecture: Architecture, *, dropout: float, draws_masks: bool) -> None:
        super().__init__()
        self.net = net
        self._features: Tensor | None = None
        _silence_own_dropout(net)
        if dropout:
            architecture.head_of(net).register_forward_pre_hook(
                lambda head, inputs: functional.dropout(inputs[0], dropout, head.training)
            )
        self.mask_head: nn.Module | None = None
        if draws_masks:
            net.get_submodule(architecture.features).register_forward_hook(self._keep)
            self.mask_head = nn.Conv2d(self._feature_channels(), 1, kernel_size=1)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map normalised pixels (N, 3, H, W) to logits (N, K) and mask logits (N, 1, h, w), None without mask head."""
        logits = self.net(inputs)
        features, self._features = self._features, None
        return logits, None if self.mask_head is None or features is None else self.mask_head(features)

    @torch.no_grad()
    def _feature_channels(self) -> int:
        was_training = self.net.training
        self.net.eval()(next(self.net.parameters()).new_zeros(1, 3, 64, 64))
        self.net.train(was_training)
        features, self._features = self._features, None
        assert features is not None  # the hook has just run
        return features.shape[1]

    def _keep(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._features = output


def _silence_own_dropout(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
