"""Modules of usual architectures, small and with random weights."""

import torch
import torch.nn.functional as F
from torch import nn


class Function(nn.Module):
    """A module around a function of (module, x), with weights and a buffer to use."""

    def __init__(self, function, size=6):
        super().__init__()
        self.function = function
        self.first = nn.Linear(size, size)
        self.weight = nn.Parameter(torch.randn(size, size) / size**0.5)
        self.register_buffer("mean", torch.randn(size))
        self.register_buffer("std", torch.rand(size) + 0.5)

    def forward(self, x):
        return self.function(self, x)


class Residual(nn.Module):
    """A block with batch-norm and a projection, as in ResNet."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False),
                                          nn.BatchNorm2d(channels))

    def forward(self, x):
        y = F.relu(self.norm1(self.first(x)))
        return F.relu(self.norm2(self.second(y)) + self.shortcut(x))


class Dense(nn.Module):
    """Layers that see all layers before them."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(c, 2, 3, padding=1) for c in (2, 4)])
        self.head = nn.Linear(6 * 36, 3)

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, torch.relu(layer(x))], dim=1)
        return self.head(torch.flatten(x, 1))


class Gated(nn.Module):
    """A product of two branches."""

    def __init__(self):
        super().__init__()
        self.value, self.gate, self.head = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.value(x) * torch.sigmoid(self.gate(x)))


class ChannelsLast(nn.Module):
    """Images that come with their channels last."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(2, 3, 3), nn.Linear(3 * 16, 3)

    def forward(self, x):
        y = torch.relu(self.conv(x.permute(0, 3, 1, 2)))
        return self.head(y.permute(0, 2, 3, 1).contiguous().view(y.shape[0], -1))


def image(channels=2, extent=6):
    return torch.randn(1, channels, extent, extent)


def row(size=6):
    return torch.randn(1, size)


def _mlp(activation, sizes=(6, 9, 7, 3)):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), activation()]
    return nn.Sequential(*layers[:-1])


def _cnn(*middle, features=3 * 9):
    return nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), *middle, nn.Flatten(), nn.Linear(features, 3))


def _resnet():
    return nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(), Residual(3, 3, 1),
                         Residual(3, 4, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


def with_statistics(module):
    """The module, its batch-norms as after training."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(part.running_mean, -0.5, 0.5)
            nn.init.uniform_(part.running_var, 0.5, 2)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.5, 0.5)
    return module


# By name: what makes a module, and its input. Those with batch-norm behind a product are in BATCH_NORM.
ARCHITECTURES = {
    "mlp": (lambda: _mlp(nn.ReLU), row),
    "mlp_sigmoid": (lambda: _mlp(nn.Sigmoid), row),
    "mlp_tanh": (lambda: _mlp(nn.Tanh), row),
    "mlp_leaky": (lambda: _mlp(lambda: nn.LeakyReLU(0.1)), row),
    "mlp_relu6": (lambda: _mlp(nn.ReLU6), row),
    "mlp_hardtanh": (lambda: _mlp(nn.Hardtanh), row),
    "mlp_silu": (lambda: _mlp(nn.SiLU), row),
    "mlp_dropout": (lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)), row),
    "mlp_without_bias": (lambda: nn.Sequential(nn.Linear(6, 8, bias=False), nn.ReLU(), nn.Linear(8, 3)), row),
    "mlp_of_image": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(72, 8), nn.ReLU(), nn.Linear(8, 3)), image),
    "cnn_max_pool": (lambda: _cnn(nn.MaxPool2d(2)), image),
    "cnn_max_pool_overlap": (lambda: _cnn(nn.MaxPool2d(3, 2, padding=1)), image),
    "cnn_max_pool_ceil": (lambda: _cnn(nn.MaxPool2d(4, 3, ceil_mode=True), features=3 * 4), image),
    "cnn_average_pool": (lambda: _cnn(nn.AvgPool2d(2)), image),
    "cnn_average_pool_padded": (lambda: _cnn(nn.AvgPool2d(3, 2, padding=1)), image),
    "cnn_average_pool_of_inside": (lambda: _cnn(nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)), image),
    "cnn_adaptive": (lambda: _cnn(nn.AdaptiveAvgPool2d(3)), image),
    "cnn_global": (lambda: _cnn(nn.AdaptiveAvgPool2d(1), features=3), image),
    "cnn_global_max": (lambda: _cnn(nn.AdaptiveMaxPool2d(1), features=3), image),
    "cnn_dropout": (lambda: _cnn(nn.MaxPool2d(2), nn.Dropout2d()), image),
    "cnn_groups": (lambda: nn.Sequential(nn.Conv2d(4, 4, 3, groups=2, dilation=2), nn.ReLU(), nn.Flatten(),
                                         nn.Linear(16, 3)), lambda: image(4)),
    "cnn_padded_same": (lambda: nn.Sequential(nn.Conv2d(2, 3, 3, padding="same"), nn.ReLU(), nn.Flatten(),
                                              nn.Linear(108, 3)), image),
    "cnn_one_axis": (lambda: nn.Sequential(nn.Conv1d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(),
                                           nn.Linear(12, 3)), lambda: torch.randn(1, 2, 8)),
    "cnn_zero_pad": (lambda: nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(),
                                           nn.Linear(75, 3)), image),
    "decoder": (lambda: nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Unflatten(1, (2, 4, 4)),
                                      nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
                                      nn.Flatten(), nn.Linear(192, 3)), row),
    "dense": (Dense, image),
    "gated": (Gated, row),
    "channels_last": (ChannelsLast, lambda: torch.randn(1, 6, 6, 2)),
    "normalised_input": (lambda: Function(lambda m, x: m.first((x - m.mean) / m.std).relu()), row),
    "matrix_product": (lambda: Function(lambda m, x: (x @ m.weight + m.mean).relu() @ m.weight), row),
    "bias_in_front": (lambda: Function(lambda m, x: (m.mean + x @ m.weight).relu() @ m.weight), row),
    "tokens": (lambda: Function(lambda m, x: m.first(m.first(x).relu())), lambda: torch.randn(1, 4, 6)),
    "slices": (lambda: Function(lambda m, x: m.first(x)[:, 1:5:2].relu() - x[:, -2:]), row),
    "columns": (lambda: Function(lambda m, x: torch.stack([m.first(x)[:, 0], x[:, -1]], dim=1).relu()), row),
    "chunks": (lambda: Function(lambda m, x: torch.cat(m.first(x).chunk(3, dim=1)[::-1], dim=1).relu()), row),
    "split": (lambda: Function(lambda m, x: torch.relu(m.first(x).split([2, 4], dim=1)[1])), row),
    "permuted": (lambda: Function(lambda m, x: m.first(x.transpose(1, 2).reshape(1, 4, 6)).relu()),
                 lambda: torch.randn(1, 6, 4)),
    "squeezed": (lambda: Function(lambda m, x: m.first(x.unsqueeze(2).squeeze(2)).relu()), row),
    "means": (lambda: Function(lambda m, x: m.first(x).relu().mean(dim=1)), lambda: torch.randn(1, 4, 6)),
    "mean_of_image": (lambda: Function(lambda m, x: (x * x).mean((2, 3))), image),
    "sums": (lambda: Function(lambda m, x: m.first(x).relu().sum(dim=1, keepdim=True)), row),
    "square": (lambda: Function(lambda m, x: m.first(x) ** 2), row),
    "clamp": (lambda: Function(lambda m, x: m.first(x).clamp(-0.5, 0.25)), row),
    "clamp_below": (lambda: Function(lambda m, x: m.first(x).clamp(min=0)), row),
    "absolute": (lambda: Function(lambda m, x: m.first(x).abs()), row),
    "maximum": (lambda: Function(lambda m, x: torch.maximum(m.first(x), x)), row),
    "minimum": (lambda: Function(lambda m, x: torch.minimum(m.first(x), m.mean)), row),
    "negated": (lambda: Function(lambda m, x: 1 - (-m.first(x)).relu() / 3), row),
    "scaled": (lambda: Function(lambda m, x: 0.3 * m.first(x).relu() * m.std + 2), row),
    "in_place": (lambda: Function(lambda m, x: F.relu_(m.first(x)).add_(m.mean).mul_(0.5)), row),
    "batch_norm_first": (lambda: nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), row),
}

# Here both exporters round batch-norm into the weights before it.
BATCH_NORM = {
    "batch_norm_conv": (lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(),
                                              nn.Linear(48, 3)), image),
    "batch_norm_linear": (lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)), row),
    "resnet": (_resnet, image),
}


def build(name, seed=0):
    """The module, in evaluation mode, and an example of its input."""
    torch.manual_seed(seed)
    make, sample = {**ARCHITECTURES, **BATCH_NORM}[name]
    return with_statistics(make()).eval(), sample()
