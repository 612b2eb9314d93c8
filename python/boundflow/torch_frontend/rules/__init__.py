"""What BoundFlow makes of each ATen operation: functions of a Translation and the operation's arguments."""

from . import activations, arithmetic, layouts, pooling, products, reductions

# By the operation's name, such as "aten.relu.default".
RULES = {
    **activations.RULES,
    **arithmetic.RULES,
    **layouts.RULES,
    **pooling.RULES,
    **products.RULES,
    **reductions.RULES,
}
