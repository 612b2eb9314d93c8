"""Operations that only move elements."""

import torch

_END = 2**63 - 1


def _same(t, x, *_, **__):
    return x


def _reshape(t, x, *_, **__):
    return t.emit("Reshape", [x, list(t.result_shape())])


def _permute(t, x, dims):
    return t.emit("Transpose", [x], {"perm": [d % len(x.shape) for d in dims]})


def _concatenate(t, tensors, dim=0):
    tensors = [t.cast(x, t.result_type()) for x in tensors if 0 not in x.shape]
    return tensors[0] if len(tensors) == 1 else t.emit("Concat", tensors, {"axis": dim % len(t.result_shape())})


def _split(t, x, sizes, dim=0):
    pieces = t.emit("Split", [x, list(sizes)], {"axis": dim % len(x.shape)}, outputs=len(sizes))
    return pieces if isinstance(pieces, tuple) else (pieces,)


def _slice(t, x, dim=0, start=None, end=None, step=1):
    start, end = 0 if start is None else start, _END if end is None else end
    return t.emit("Slice", [x, [start], [end], [dim % len(x.shape)], [step]])


def _select(t, x, dim, index):
    return t.emit("Gather", [x, torch.tensor(index % x.shape[dim])], {"axis": dim % len(x.shape)})


def _expand(t, x, size, implicit=False):
    return t.emit("Expand", [x, list(t.result_shape())])


def _index(t, x, indices):
    picked = [(d, i) for d, i in enumerate(indices) if i is not None]
    if len(picked) == 1 and isinstance(picked[0][1], torch.Tensor) and picked[0][1].dtype == torch.int64:
        return t.emit("Gather", [x, picked[0][1]], {"axis": picked[0][0]})
    return _move(torch.ops.aten.index.Tensor)(t, x, indices)


def _index_select(t, x, dim, index):
    return t.emit("Gather", [x, index], {"axis": dim % len(x.shape)})


def _pad(t, x, pad, value=0.0):
    rank, before, after = len(x.shape), [], []
    for d in range(rank):
        at = 2 * (rank - 1 - d)
        before.append(pad[at] if at < len(pad) else 0)
        after.append(pad[at + 1] if at + 1 < len(pad) else 0)
    return t.emit("Pad", [x, before + after, t.constant(value, x)])


def _move(operation):
    """Any operation that moves the elements of its first argument alone: it is asked where their numbers go."""

    def rule(t, x, *args, **kwargs):
        count = 1
        for extent in x.shape:
            count *= extent
        if count == 0 or t.depends_on_input((args, kwargs)):
            t.refuse("places that depend on the input are not supported")
        places = operation(torch.arange(count).reshape(x.shape), *args, **kwargs)
        flat = t.emit("Reshape", [x, [count]])
        moved = t.emit("Gather", [flat, places.reshape(-1)], {"axis": 0})
        return t.emit("Reshape", [moved, list(t.result_shape())])

    return rule


def _upsample(t, x, output_size, scale_factors):
    # torch interpolates floating numbers only, and float64 holds all places.
    def places(numbers, *args):
        return torch.ops.aten.upsample_nearest2d.vec(numbers.to(torch.float64), *args).to(torch.int64)

    return _move(places)(t, x, output_size, scale_factors)


def _convert(t, x, dtype=None, **_):
    return x if dtype is None else t.cast(x, dtype)


RULES = {
    "aten._to_copy.default": _convert,
    "aten._unsafe_view.default": _reshape,
    "aten.alias.default": _same,
    "aten.cat.default": _concatenate,
    "aten.clone.default": _same,
    "aten.constant_pad_nd.default": _pad,
    "aten.detach.default": _same,
    "aten.expand.default": _expand,
    "aten.flip.default": _move(torch.ops.aten.flip.default),
    "aten.index.Tensor": _index,
    "aten.index_select.default": _index_select,
    "aten.permute.default": _permute,
    "aten.repeat.default": _move(torch.ops.aten.repeat.default),
    "aten.roll.default": _move(torch.ops.aten.roll.default),
    "aten.select.int": _select,
    "aten.slice.Tensor": _slice,
    "aten.split_with_sizes.default": _split,
    "aten.squeeze.dims": _reshape,
    "aten.unsqueeze.default": _reshape,
    "aten.upsample_nearest2d.vec": _upsample,
    "aten.view.default": _reshape,
}
