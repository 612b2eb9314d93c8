"""Sums and means over axes."""


def _reduce(op):
    def rule(t, x, dim=None, keepdim=False, dtype=None):
        x = t.cast(x, t.result_type())
        rank = len(x.shape)
        axes = sorted(d % rank for d in ([dim] if isinstance(dim, int) else dim or range(rank)))
        return t.emit(op, [x, axes], {"keepdims": int(keepdim)})

    return rule


RULES = {
    "aten.mean.default": _reduce("ReduceMean"),
    "aten.mean.dim": _reduce("ReduceMean"),
    "aten.sum.default": _reduce("ReduceSum"),
    "aten.sum.dim_IntList": _reduce("ReduceSum"),
}
