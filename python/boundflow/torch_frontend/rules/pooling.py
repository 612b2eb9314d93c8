"""Maxima and means of windows. Of a pair that torch returns (values, indices) only the values are there."""


def _pair(value):
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    return value * 2 if len(value) == 1 else value


def _window(kernel, stride, padding, dilation=(1, 1), ceil_mode=False):
    kernel, padding = _pair(kernel), _pair(padding)
    attributes = {"kernel_shape": kernel, "strides": _pair(stride) if stride else kernel, "pads": padding + padding}
    if _pair(dilation) != [1, 1]:
        attributes["dilations"] = _pair(dilation)
    if ceil_mode:
        attributes["ceil_mode"] = 1
    return attributes


def _batched(t, x, pool):
    """Images without a batch get one of 1 for the time of the pooling."""
    if len(x.shape) == 4:
        return pool(x)
    pooled = pool(t.emit("Reshape", [x, [1, *x.shape]]))
    return t.emit("Reshape", [pooled, list(pooled.shape[1:])])


def _max_pool(t, x, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
    attributes = _window(kernel_size, stride, padding, dilation, ceil_mode)
    return _batched(t, x, lambda image: t.emit("MaxPool", [image], attributes)), None


def _average_pool(t, x, kernel_size, stride=(), padding=0, ceil_mode=False, count_include_pad=True,
                  divisor_override=None):
    if divisor_override is not None:
        t.refuse("a divisor of its own is not supported")
    attributes = _window(kernel_size, stride, padding, ceil_mode=ceil_mode)
    attributes["count_include_pad"] = int(count_include_pad)
    return _batched(t, x, lambda image: t.emit("AveragePool", [image], attributes))


def _adaptive_window(t, x, output_size):
    image, output = x.shape[-2:], _pair(output_size)
    if any(extent % size for extent, size in zip(image, output)):
        t.refuse(f"{list(image)} does not divide into {output} windows of one size; others are not supported")
    kernel = [extent // size for extent, size in zip(image, output)]
    return {"kernel_shape": kernel, "strides": kernel}


def _adaptive_average_pool(t, x, output_size):
    attributes = _adaptive_window(t, x, output_size)
    return _batched(t, x, lambda image: t.emit("AveragePool", [image], attributes))


def _adaptive_max_pool(t, x, output_size):
    attributes = _adaptive_window(t, x, output_size)
    return _batched(t, x, lambda image: t.emit("MaxPool", [image], attributes)), None


RULES = {
    "aten._adaptive_avg_pool2d.default": _adaptive_average_pool,
    "aten.adaptive_max_pool2d.default": _adaptive_max_pool,
    "aten.avg_pool2d.default": _average_pool,
    "aten.max_pool2d_with_indices.default": _max_pool,
}
