"""A program of ATen operations, node by node, into the operators of BoundFlow."""

import operator
from dataclasses import dataclass

import torch

from boundflow._boundflow import InputError, UnsupportedError

from .rules import RULES
from .source import source_of

_DTYPES = {torch.float32: "float32", torch.float64: "float64", torch.int64: "int64", torch.bool: "bool"}

# Checks that torch.export has made already. They compute nothing.
_CHECKS = ("aten._assert_tensor_metadata.default", "aten._assert_scalar.default",
           "aten.sym_constrain_range_for_size.default")


@dataclass(frozen=True)
class Variable:
    """A tensor of the network that depends on its input."""

    id: int
    shape: tuple
    dtype: torch.dtype


class Translation:
    """What the rules write with. Values are Variables, or torch's tensors where they are constants."""

    def __init__(self, builder, program):
        self._builder = builder
        self._program = program
        self._values = {}
        self._names = {}  # of parameters and buffers, by the tensor's id
        self._node = None
        self._emitted = 0

    # For the rules.

    def emit(self, op, inputs, attributes=None, outputs=1):
        """Adds a node; returns its Variable, or a tuple of them if `outputs` is not 1.

        Of the inputs None is absent, a tensor becomes a constant, a list of integers one of int64.
        """
        name = self._node.name + (f".{self._emitted}" if self._emitted else "")
        self._emitted += 1
        label = source_of(self._node).label()
        inputs = list(inputs)
        while inputs[-1] is None:
            inputs.pop()
        names = [name] if outputs == 1 else [f"{name}.output{i}" for i in range(outputs)]
        ids = self._builder.add_node(op, f"{name} ({label})" if label else name, [self._id(i) for i in inputs],
                                     names, attributes or {})
        results = tuple(self._variable(i) for i in ids)
        return results[0] if outputs == 1 else results

    def constant(self, number, like):
        """A number as a scalar of the dtype of `like`."""
        return torch.tensor(number, dtype=like.dtype)

    def result_type(self):
        """The dtype of the node's result, by torch."""
        return self._node.meta["val"].dtype

    def result_shape(self):
        """The shape of the node's result, by torch."""
        return tuple(self._node.meta["val"].shape)

    def depends_on_input(self, arguments):
        """True if a Variable is among arguments, however nested."""
        leaves = []
        torch.utils._pytree.tree_map(leaves.append, arguments)
        return any(isinstance(leaf, Variable) for leaf in leaves)

    def cast(self, value, dtype):
        """The value in that dtype."""
        if value.dtype == dtype:
            return value
        if isinstance(value, torch.Tensor):
            return value.to(dtype)
        if not (value.dtype.is_floating_point and dtype.is_floating_point):
            self.refuse(f"a conversion from {value.dtype} to {dtype} is not supported")
        return self.emit("Cast", [value], {"to": {torch.float32: 1, torch.float64: 11}[dtype]})

    def refuse(self, why):
        """UnsupportedError that names the node and the user's line."""
        where = str(source_of(self._node))
        raise UnsupportedError(f"unsupported: node '{self._node.name}' ({self._node.target})"
                               f"{' ' + where if where else ''}: {why}")

    # For from_torch.

    def run(self):
        """Translates all nodes; returns the output's Variable."""
        for node in self._program.graph.nodes:
            self._node, self._emitted = node, 0
            if node.op == "placeholder":
                self._values[node] = self._placeholder(node)
            elif node.op == "call_function":
                self._values[node] = self._call(node)
            elif node.op == "output":
                return self._output(node)
            else:
                self.refuse("only functions are supported")
        raise AssertionError("an exported program ends with its output")

    def _placeholder(self, node):
        signature, program = self._program.graph_signature, self._program
        for names in (signature.inputs_to_parameters, signature.inputs_to_buffers,
                      signature.inputs_to_lifted_tensor_constants):
            if node.name in names:
                name = names[node.name]
                tensor = (program.state_dict if name in program.state_dict else program.constants)[name].detach()
                self._names[id(tensor)] = name
                return tensor
        example = node.meta["val"]
        if example.dtype not in (torch.float32, torch.float64):
            raise UnsupportedError(f"an input of {example.dtype} is not supported; float32 and float64 are")
        return self._variable(self._builder.add_input(node.name, _DTYPES[example.dtype], list(example.shape)))

    def _call(self, node):
        target = str(node.target)
        args, kwargs = torch.fx.map_arg((node.args, node.kwargs), lambda n: self._values[n])
        if node.target is operator.getitem:
            return args[0][args[1]]
        if target in _CHECKS:
            return None
        if not self.depends_on_input((args, kwargs)):
            with torch.no_grad():
                return node.target(*args, **kwargs)  # a constant, as torch computes it
        rule = RULES.get(target)
        if rule is None:
            self.refuse("the operation is not supported")
        try:
            result = rule(self, *args, **kwargs)
        except (UnsupportedError, InputError) as error:
            where = str(source_of(node))
            if where and where not in str(error):
                error.args = (f"{error} (torch's node '{node.name}', {target}, {where})", *error.args[1:])
            raise
        self._expect_type(node, result)
        return result

    # A rule that gives another type than torch has misread its operation.
    def _expect_type(self, node, result):
        expected = node.meta["val"]
        if isinstance(result, tuple):
            result, expected = result[0], expected[0]
        if isinstance(result, Variable):
            if result.shape != tuple(expected.shape) or result.dtype != expected.dtype:
                raise AssertionError(f"{node.target} gives {result.dtype} {list(result.shape)}, "
                                     f"torch {expected.dtype} {list(expected.shape)}: please report this")

    def _output(self, node):
        signature = self._program.graph_signature
        changed = [*signature.buffers_to_mutate.values(), *signature.user_inputs_to_mutate.values()]
        if changed:
            raise UnsupportedError(f"the module changes {', '.join(map(repr, changed))} when it runs, so that its "
                                   "output is not a function of its input; this is not supported")
        outputs = node.args[0]
        if len(outputs) != 1:
            raise UnsupportedError(f"the module returns {len(outputs)} tensors, one is supported")
        result = self._values[outputs[0]] if isinstance(outputs[0], torch.fx.Node) else None
        if not isinstance(result, Variable):
            raise UnsupportedError("the module's output does not depend on its input")
        return result

    def _id(self, value):
        if value is None:
            return -1
        if isinstance(value, Variable):
            return value.id
        if isinstance(value, (list, tuple)):
            value = torch.tensor(value, dtype=torch.int64)
        if value.dtype not in _DTYPES:
            self.refuse(f"a constant of {value.dtype} is not supported")
        name = self._names.get(id(value), f"{self._node.name}.constant")
        return self._builder.add_constant(name, value.detach().contiguous().numpy())

    def _variable(self, value_id):
        dtype, shape = self._builder.type_of(value_id)
        return Variable(value_id, tuple(shape), next(t for t, name in _DTYPES.items() if name == dtype))
