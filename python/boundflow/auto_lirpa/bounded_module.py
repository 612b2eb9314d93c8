"""A module that can be asked for bounds."""

import torch

import boundflow

from .bounded_tensor import BoundedTensor
from .perturbations import PerturbationLpNorm
from .rounding import downward, lower_form, upper_form, upward
from .settings import BoundOptions, method_of


class BoundedModule(torch.nn.Module):
    """Bounds of a module's outputs over sets of inputs.

    Args:
        model: a torch.nn.Module on the CPU with one input and one output.
        global_input: an example of its input, [B, ...], or a tuple of one. Bounds may have another B.
        bound_opts: a dictionary. `semantics` and `intermediate` are those of boundflow.bounds, "float32" and
            "auto-lirpa" here; optimize_bound_args["iteration"] is the number of steps of alpha-CROWN, 20. Options about
            how auto_LiRPA computes are accepted and have no effect.
        device: the CPU.

    Raises boundflow.UnsupportedError, a NotImplementedError, for operations that BoundFlow does not have, with the line
    of the module's code.

    `network` is the boundflow.Network, translated anew when parameters have changed. `input_name` and `output_name` are
    lists of one name each.
    """

    def __init__(self, model, global_input, bound_opts=None, device="auto", verbose=False, custom_ops=None):
        super().__init__()
        if custom_ops:
            raise NotImplementedError("BoundedModule(custom_ops=) is not offered")
        if device not in ("auto", None) and torch.device(device).type != "cpu":
            raise NotImplementedError(f"BoundedModule(device='{device}') is not offered; the CPU is")
        self.module = model
        self.bound_opts = BoundOptions(bound_opts)
        # Of the example only its type counts: often it is not initialised.
        self._example = torch.zeros_like(_plain(_only(global_input)))
        self._last = None
        self._translate()

    def forward(self, *x):
        """The module's output at a tensor, bounded or not; compute_bounds() without x then takes that tensor."""
        self._last = _only(x)
        return self.module(_plain(self._last))

    def set_bound_opts(self, bound_opts):
        """Changes the options that the dictionary names."""
        self.bound_opts.update(bound_opts)

    @property
    def network(self):
        """The module as a boundflow.Network."""
        if self._state() != self._translated:
            self._translate()
        return self._network

    @property
    def input_name(self):
        return [self.network.input.name]

    @property
    def output_name(self):
        return [self.network.output.name]

    def compute_bounds(self, x=None, C=None, method="backward", IBP=False, forward=False, bound_lower=True,
                       bound_upper=True, return_A=False, needed_A_dict=None, **others):
        """Bounds of the output, or of the rows C y.

        Args:
            x: a tuple of one BoundedTensor [B, ...]; None: what the module was last called with.
            C: [B, S, outputs], or None.
            method: "IBP", "CROWN" or "backward", "CROWN-IBP", "alpha-CROWN" or "CROWN-Optimized", in any case.
            IBP: with method=None interval bounds, with "backward" CROWN-IBP.
            bound_lower, bound_upper: None comes back in place of what is not asked for.
            return_A: also return linear bounds in the input; with CROWN and CROWN-IBP.
            needed_A_dict: {output_name: [input_name]}, the only pair that there is.

        Returns:
            (lower, upper), with return_A (lower, upper, A): tensors [B, S], without C shaped like the output, of x's
            dtype, rounded outward. A[output_name][input_name] has lA, uA [B, S, ...] and lbias, ubias [B, S]:
            lA x + lbias <= C y <= uA x + ubias for all x of the set; None for a side that is not asked for.
        """
        for name, value in others.items():
            if value is not None and value is not False:
                raise NotImplementedError(f"compute_bounds({name}=) is not offered")
        if not bound_lower and not bound_upper:
            raise ValueError("compute_bounds: at least one of bound_lower and bound_upper is expected")
        method = method_of(method, IBP, forward)
        tensor = self._last if x is None else _only(x)
        if tensor is None:
            raise ValueError("compute_bounds: x is expected, or a call of the module before")
        self._expect_form(return_A, needed_A_dict, method)
        point = _plain(tensor)
        perturbation = getattr(tensor, "ptb", None) or PerturbationLpNorm(eps=0)
        if method == "alpha-crown" and perturbation.norm != float("inf"):
            raise NotImplementedError(f"compute_bounds(method='alpha-CROWN') with norm={perturbation.norm} is not "
                                      "offered; norm=inf is")
        answer = boundflow.bounds(
            self.network, **perturbation.question(point), C=None if C is None else _plain(C).numpy(), method=method,
            steps=self.bound_opts.steps, semantics=self.bound_opts.semantics, linear_form=return_A, details=True,
            intermediate=self.bound_opts.intermediate if method == "crown" else "adaptive")
        shape = (len(point), *self.network.output.shape[1:]) if C is None else answer.lower.shape
        lower = downward(answer.lower, point.dtype).reshape(shape) if bound_lower else None
        upper = upward(answer.upper, point.dtype).reshape(shape) if bound_upper else None
        if not return_A:
            return lower, upper
        return lower, upper, self._forms(answer, point, perturbation, bound_lower, bound_upper, needed_A_dict)

    def _expect_form(self, return_A, needed_A_dict, method):
        if return_A and method in ("ibp", "alpha-crown"):
            raise NotImplementedError(f"compute_bounds(return_A=True) with method '{method}' is not offered; with CROWN "
                                      "and CROWN-IBP it is")
        for output, inputs in (needed_A_dict or {}).items():
            if output != self.output_name[0] or any(name != self.input_name[0] for name in inputs):
                raise NotImplementedError(f"needed_A_dict: A of '{output}' in {sorted(inputs)} is not offered; that of "
                                          f"'{self.output_name[0]}' in '{self.input_name[0]}' is")

    def _forms(self, answer, point, perturbation, bound_lower, bound_upper, needed_A_dict):
        if needed_A_dict is not None and not needed_A_dict.get(self.output_name[0]):
            return {}
        lower, upper = perturbation.box(point)
        magnitudes = torch.maximum(lower.abs(), upper.abs()).reshape(len(point), -1).numpy()
        form = {"lA": None, "uA": None, "lbias": None, "ubias": None, "unstable_idx": None}
        rows = answer.lower.shape[1]
        if bound_lower:
            slopes, form["lbias"] = lower_form(answer.lower_form, answer.lower_form_constant, magnitudes, point.dtype)
            form["lA"] = slopes.reshape(len(point), rows, *point.shape[1:])
        if bound_upper:
            slopes, form["ubias"] = upper_form(answer.upper_form, answer.upper_form_constant, magnitudes, point.dtype)
            form["uA"] = slopes.reshape(len(point), rows, *point.shape[1:])
        return {self.output_name[0]: {self.input_name[0]: form}}

    # What bounds depend on; in-place changes count a tensor's version up.
    def _state(self):
        tensors = [*self.module.parameters(), *self.module.buffers()]
        return [(id(tensor), tensor.data_ptr(), tensor._version) for tensor in tensors]

    def _translate(self):
        self._translated = self._state()
        self._network = boundflow.from_torch(self.module, self._example)


def _only(x):
    tensors = x if isinstance(x, (tuple, list)) else (x,)
    if len(tensors) != 1:
        raise NotImplementedError(f"{len(tensors)} inputs are not offered; modules with one input are")
    return tensors[0]


def _plain(tensor):
    return tensor.plain() if isinstance(tensor, BoundedTensor) else tensor.detach()
