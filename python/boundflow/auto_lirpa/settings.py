"""What a call asks for, in BoundFlow's words; NotImplementedError for what is not offered."""

# Case does not matter.
_METHODS = {
    "ibp": "ibp",
    "crown": "crown",
    "backward": "crown",
    "crown-ibp": "crown-ibp",
    "ibp+backward": "crown-ibp",
    "alpha-crown": "alpha-crown",
    "crown-optimized": "alpha-crown",
}

# Options about how auto_LiRPA computes what it computes: here that is BoundFlow's own affair.
_WITHOUT_EFFECT = {"conv_mode", "sparse_intermediate_bounds", "sparse_conv_intermediate_bounds",
                   "sparse_features_alpha", "sparse_spec_alpha", "crown_batch_size", "max_crown_size", "verbosity",
                   "optimize_graph", "deterministic", "use_full_conv_alpha", "batched_crown_max_vram_ratio"}
_DEFAULT_ONLY = {"relu": "adaptive", "activation_bound_option": "adaptive", "loss_fusion": False}


def method_of(method, ibp, forward):
    """The method's name for boundflow.bounds."""
    if forward:
        raise NotImplementedError("compute_bounds(forward=True) is not offered")
    if method is None:
        method = "ibp" if ibp else "backward"
    elif ibp and method.lower() in ("backward", "crown"):
        method = "crown-ibp"
    try:
        return _METHODS[method.lower()]
    except KeyError:
        raise NotImplementedError(f"compute_bounds(method='{method}') is not offered; {', '.join(_METHODS)} are, in "
                                  "small letters or large ones") from None


class BoundOptions:
    """bound_opts of a BoundedModule: `semantics` and `intermediate` as of boundflow.bounds, and the number of steps
    of alpha-CROWN, optimize_bound_args["iteration"]."""

    def __init__(self, bound_opts=None):
        self.semantics = "float32"
        self.intermediate = "auto-lirpa"
        self.steps = 20
        self.update(bound_opts or {})

    def update(self, bound_opts):
        for name, value in bound_opts.items():
            if name in ("semantics", "intermediate"):
                setattr(self, name, value)
            elif name == "optimize_bound_args":
                self._optimize(value)
            elif name in _DEFAULT_ONLY:
                if value != _DEFAULT_ONLY[name]:
                    raise NotImplementedError(f"bound_opts['{name}'] = {value!r} is not offered; "
                                              f"{_DEFAULT_ONLY[name]!r} is")
            elif name not in _WITHOUT_EFFECT:
                raise NotImplementedError(f"bound_opts['{name}'] is not offered")

    def _optimize(self, arguments):
        # Step lengths belong to an optimiser: BoundFlow's has its own.
        for name, value in arguments.items():
            if name == "iteration":
                self.steps = int(value)
            elif not name.startswith(("lr_", "early_stop", "keep_best", "optimizer", "verbosity")):
                raise NotImplementedError(f"bound_opts['optimize_bound_args']['{name}'] is not offered")
