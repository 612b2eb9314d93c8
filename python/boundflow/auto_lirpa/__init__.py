"""auto_LiRPA's interface over BoundFlow: a script that bounds networks runs after changing its import lines.

    from boundflow.auto_lirpa import BoundedModule, BoundedTensor
    from boundflow.auto_lirpa.perturbations import PerturbationLpNorm

    model = BoundedModule(net, torch.empty_like(x))
    bounded = BoundedTensor(x, PerturbationLpNorm(norm=float("inf"), eps=0.01))
    lower, upper = model.compute_bounds(x=(bounded,), method="CROWN")

Bounds are sound in floating point, which makes them wider by the error terms; `bound_opts={"semantics": "nominal"}`
leaves those out. They carry no gradients: certified training needs the original. What is not offered raises
NotImplementedError and names it.
"""

from .bounded_module import BoundedModule
from .bounded_tensor import BoundedTensor
from .perturbations import PerturbationLpNorm

__all__ = ["BoundedModule", "BoundedTensor", "PerturbationLpNorm"]
