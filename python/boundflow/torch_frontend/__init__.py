"""From a torch module to a network, by way of torch.export."""

import torch

from boundflow._boundflow import NetworkBuilder, UnsupportedError

from .agreement import expect_agreement
from .program import evaluation_mode, export
from .translation import Translation


def from_torch(module, example_inputs, *, batched=True):
    """The network of a torch module.

    The module is exported in evaluation mode, whatever mode it is in, and is afterwards as it was. Its parameters are
    copied. The network computes the same operations: what a module computes of its parameters alone (weight-norm, for
    instance) is a constant, with torch's result. In the end outputs at the example and at random points are compared.

    Args:
        module: a torch.nn.Module on the CPU, of float32 or float64, with one input and one output.
        example_inputs: a tensor, or a tuple of one, that fixes the shape of the input.
        batched: the first dimension of the example is a batch, whose rows the module treats alike: the network is that
            of one row, [1, ...]. Examples of one dimension have no batch. False: the network is of the example's
            shape.

    Returns:
        A boundflow.Network. Its nodes have the line of the module's code, and its submodule, behind their names.

    Raises:
        UnsupportedError: torch.export does not take the module, or it has an operation that BoundFlow does not have;
            the message names torch's node and the line of the module's code.
        InputError: a parameter is not finite.
        InternalError: the network computes something else than the module.
    """
    example = _single(example_inputs)
    rows = batched and example.dim() > 1
    with evaluation_mode(module):
        builder = NetworkBuilder(type(module).__name__)
        program = export(module, example[:1] if rows else example)
        network = builder.build(Translation(builder, program).run().id)
        expect_agreement(network, module, example, rows)
    return network


def _single(example_inputs):
    inputs = (example_inputs,) if isinstance(example_inputs, torch.Tensor) else tuple(example_inputs)
    if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor):
        raise UnsupportedError(f"{len(inputs)} example inputs; modules with one tensor as their input are supported")
    if inputs[0].device.type != "cpu":
        raise UnsupportedError(f"the example is on {inputs[0].device}; move it and the module to the CPU first")
    return inputs[0].detach()
