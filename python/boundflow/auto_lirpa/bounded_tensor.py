"""A tensor with the set of inputs around it."""

import torch


class BoundedTensor(torch.Tensor):
    """A tensor that knows its perturbation, `ptb`. What is computed with it is a plain tensor."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, x, ptb=None, *_, **__):
        return torch.Tensor._make_subclass(cls, x.detach(), x.requires_grad)

    def __init__(self, x, ptb=None):
        self.ptb = ptb

    def plain(self):
        """The tensor alone."""
        return self.as_subclass(torch.Tensor)

    def __repr__(self):
        return f"<BoundedTensor: {self.plain()!r}, {self.ptb!r}>"
