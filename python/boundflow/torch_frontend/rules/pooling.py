"""Maxima and means of windows. Of a pair that torch returns (values, indices) only the values are there."""


def _of_axes(value, axes):
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    return value * axes if len(value) == 1 else value


def _window(axes, kernel, stride, padding, dilation=1, ceil_mode=False):
    kernel, padding = _of_axes(kernel, axes), _of_axes(padding, axes)
    strides = _of_axes(stride, axes) if stride else kernel
    return {"kernel_shape": kernel, "strides": strides, "pads": padding + padding,
            "dilations": _of_axes(dilation, axes), "ceil_mode": int(ceil_mode)}


def _batched(t, x, axes, pool):
    """Images without a batch get one of 1 for the time of the pooling."""
    if len(x.shape) == axes + 2:
        return pool(x)
    pooled = pool(t.emit("Reshape", [x, [1, *x.shape]]))
    return t.emit("Reshape", [pooled, list(pooled.shape[1:])])


def _max_pool(axes):
    def rule(t, x, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
        attributes = _window(axes, kernel_size, stride, padding, dilation, ceil_mode)
        return _batched(t, x, axes, lambda image: t.emit("MaxPool", [image], attributes))

    return rule


def _average_pool(axes):
    def rule(t, x, kernel_size, stride=(), padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        if divisor_override is not None:
            t.refuse("a divisor of its own is not supported")
        attributes = _window(axes, kernel_size, stride, padding, ceil_mode=ceil_mode)
        attributes["count_include_pad"] = int(count_include_pad)
        return _batched(t, x, axes, lambda image: t.emit("AveragePool", [image], attributes))

    return rule


def _adaptive_window(t, x, axes, output_size):
    image, output = x.shape[-axes:], _of_axes(output_size, axes)
    if any(extent % size for extent, size in zip(image, output)):
        t.refuse(f"{list(image)} does not divide into {output} windows of one size; others are not supported")
    kernel = [extent // size for extent, size in zip(image, output)]
    return {"kernel_shape": kernel, "strides": kernel}


def _adaptive(op, axes):
    def rule(t, x, output_size):
        attributes = _adaptive_window(t, x, axes, output_size)
        return _batched(t, x, axes, lambda image: t.emit(op, [image], attributes))

    return rule


def _with_indices(rule):
    return lambda *args, **kwargs: (rule(*args, **kwargs), None)


RULES = {
    "aten._adaptive_avg_pool2d.default": _adaptive("AveragePool", 2),
    "aten.adaptive_avg_pool1d.default": _adaptive("AveragePool", 1),
    "aten.adaptive_max_pool2d.default": _with_indices(_adaptive("MaxPool", 2)),
    "aten.avg_pool1d.default": _average_pool(1),
    "aten.avg_pool2d.default": _average_pool(2),
    "aten.max_pool1d.default": _max_pool(1),
    "aten.max_pool2d_with_indices.default": _with_indices(_max_pool(2)),
}
