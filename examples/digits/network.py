"""Small ReLU networks in numpy: layers, gradients, adversarial training, and CROWN bounds to judge the outcome by.

A convolution is trained as the matrix that it is, most of whose entries are zero and the others shared: at this size
that is fast enough, and everything else needs to know matrices only.
"""

from dataclasses import dataclass

import numpy as np

Matrices = list[tuple[np.ndarray, np.ndarray]]  # (W, b) of y = W x + b, float64, with a ReLU after each but the last


@dataclass
class Dense:
    weight: np.ndarray  # [outputs, inputs]
    bias: np.ndarray

    @staticmethod
    def random(inputs: int, outputs: int, rng) -> "Dense":
        return Dense(rng.normal(0, np.sqrt(2 / inputs), (outputs, inputs)), np.zeros(outputs))

    def matrix(self) -> tuple[np.ndarray, np.ndarray]:
        return self.weight, self.bias

    def gradient(self, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From the gradient at the matrix to that at the parameters."""
        return weight, bias


@dataclass
class Conv:
    """A 3x3 convolution with one pixel of padding."""

    weight: np.ndarray  # [outputs, inputs, 3, 3]: channels
    bias: np.ndarray
    stride: int
    entries: np.ndarray  # for each entry of the matrix, which weight it is; -1 for none

    @staticmethod
    def random(inputs: int, outputs: int, height: int, stride: int, rng) -> "Conv":
        """On square images of the given height."""
        weight = rng.normal(0, np.sqrt(2 / (9 * inputs)), (outputs, inputs, 3, 3))
        numbers = np.arange(weight.size).reshape(weight.shape)
        rows = range(0, height, stride)
        entries = np.full((outputs, len(rows), len(rows), inputs, height + 2, height + 2), -1)  # padding included
        for i, top in enumerate(rows):
            for j, left in enumerate(rows):
                entries[:, i, j, :, top : top + 3, left : left + 3] = numbers
        inside = entries[..., 1:-1, 1:-1].reshape(outputs * len(rows) ** 2, inputs * height**2)
        return Conv(weight, np.zeros(outputs), stride, inside)

    def matrix(self) -> tuple[np.ndarray, np.ndarray]:
        weight = np.where(self.entries >= 0, self.weight.ravel()[self.entries], 0)
        return weight, np.repeat(self.bias, len(weight) // len(self.bias))

    def gradient(self, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        used = self.entries >= 0
        shared = np.bincount(self.entries[used], weight[used], minlength=self.weight.size)
        return shared.reshape(self.weight.shape), bias.reshape(len(self.bias), -1).sum(axis=1)


Layers = list[Dense | Conv]


def matrices(layers: Layers) -> Matrices:
    return [layer.matrix() for layer in layers]


def forward(network: Matrices, x: np.ndarray) -> list[np.ndarray]:
    """The inputs of all layers, and the logits last; x is [batch, 64]."""
    values = [x]
    for index, (weight, bias) in enumerate(network):
        y = values[-1] @ weight.T + bias
        values.append(y if index + 1 == len(network) else np.maximum(y, 0))
    return values


def backward(network: Matrices, values: list[np.ndarray], gradient: np.ndarray) -> tuple[list, np.ndarray]:
    """Gradients at (W, b) of each layer and at the input, from the gradient at the logits."""
    gradients = []
    for index in reversed(range(len(network))):
        gradients.insert(0, (gradient.T @ values[index], gradient.sum(axis=0)))
        gradient = gradient @ network[index][0]
        if index > 0:
            gradient = gradient * (values[index] > 0)
    return gradients, gradient


def cross_entropy_gradient(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    gradient = exponentials / exponentials.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient


def attack(network: Matrices, x: np.ndarray, labels: np.ndarray, epsilon: float, steps: int, rng) -> np.ndarray:
    """Projected gradient ascent of the loss inside the box of radius epsilon around x, cut to [0, 1]."""
    lower, upper = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    point = rng.uniform(lower, upper)
    for _ in range(steps):
        values = forward(network, point)
        _, gradient = backward(network, values, cross_entropy_gradient(values[-1], labels))
        point = np.clip(point + 2 * epsilon / steps * np.sign(gradient), lower, upper)
    return point


def train(layers: Layers, x: np.ndarray, labels: np.ndarray, epsilon: float, epochs: int, rng, batch: int = 64) -> None:
    """Adam on adversarial images; the parameters end as float32 numbers."""
    parameters = [p for layer in layers for p in (layer.weight, layer.bias)]
    moments = [[np.zeros_like(p), np.zeros_like(p)] for p in parameters]
    step = 0
    for epoch in range(epochs):
        rate = 3e-3 * (1 - epoch / epochs)
        for chosen in np.split(rng.permutation(len(x)), range(batch, len(x), batch)):
            network = matrices(layers)
            images = attack(network, x[chosen], labels[chosen], epsilon, 4, rng)
            values = forward(network, images)
            gradients, _ = backward(network, values, cross_entropy_gradient(values[-1], labels[chosen]) / len(chosen))
            step += 1
            flat = [g for layer, pair in zip(layers, gradients) for g in layer.gradient(*pair)]
            for parameter, gradient, (first, second) in zip(parameters, flat, moments):
                first += 0.1 * (gradient - first)
                second += 0.001 * (gradient**2 - second)
                corrected = second / (1 - 0.999**step)
                parameter -= rate * (first / (1 - 0.9**step) / (np.sqrt(corrected) + 1e-8) + 1e-3 * parameter)
    for parameter in parameters:
        parameter[...] = parameter.astype(np.float32)


def crown_lower(network: Matrices, rows: np.ndarray, offset: np.ndarray, bounds: list, lower, upper) -> np.ndarray:
    """Lower bounds of rows @ (output of network) + offset over the box; bounds[k] are those of layer k's output."""
    for index in reversed(range(len(network))):
        weight, bias = network[index]
        offset = offset + rows @ bias
        rows = rows @ weight
        if index > 0:
            low, high = bounds[index - 1]
            unstable = (low < 0) & (high > 0)
            slope = np.where(unstable, high / np.where(unstable, high - low, 1), (low >= 0).astype(float))
            below = np.where(unstable, (high > -low).astype(float), slope)
            offset = offset + np.minimum(rows, 0) @ np.where(unstable, -slope * low, 0)
            rows = np.where(rows >= 0, rows * below, rows * slope)
    return offset + np.maximum(rows, 0) @ lower + np.minimum(rows, 0) @ upper


def margin(network: Matrices, x: np.ndarray, label: int, epsilon: float) -> float:
    """CROWN's lower bound of the smallest logit difference label - other over the box (plain float64)."""
    lower, upper = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    bounds: list = []
    for depth in range(1, len(network)):
        width = len(network[depth - 1][1])
        identity = np.eye(width)
        low = crown_lower(network[:depth], identity, np.zeros(width), bounds, lower, upper)
        high = -crown_lower(network[:depth], -identity, np.zeros(width), bounds, lower, upper)
        bounds.append((low, high))
    rows = np.delete(np.eye(10)[label] - np.eye(10), label, axis=0)
    return crown_lower(network, rows, np.zeros(9), bounds, lower, upper).min()
