"""A row of right-hand sides as one value: LLVM's vectors, for kernels that work on all columns of a row at once.

numba unrolls short loops into single numbers and leaves the processor's vector registers unused; these few words put
a whole row there: half the time of a sweep over a matrix.  Each lane is rounded as a number by itself would be, so that
an answer does not depend on the width.  They work inside compiled code only; an array is (n, width), C order.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

#: `intrinsic`, whose types hide that a word of compiled code takes one argument less than its definition.
_word: Any = intrinsic


class Lanes(types.Type):
    """``width`` numbers of one kind."""

    def __init__(self, number: types.Type, width: int) -> None:
        self.number, self.width = number, width
        super().__init__(name=f"Lanes({number}, {width})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        number = ir.FloatType() if lanes.number == types.float32 else ir.DoubleType()
        super().__init__(manager, lanes, ir.VectorType(number, lanes.width))


def _row(context: Any, builder: Any, array_type: Any, array: Any, row: Any, vector: ir.VectorType) -> Any:
    """Pointer to a row of a C-ordered array as a vector."""
    data = cgutils.create_struct_proxy(array_type)(context, builder, value=array).data
    start = builder.mul(row, ir.Constant(row.type, vector.count))
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def _spread(builder: Any, number: Any, vector: ir.VectorType) -> Any:
    """The same number in every lane."""
    nothing, integer = ir.Constant(vector, ir.Undefined), ir.IntType(32)
    first = builder.insert_element(nothing, number, ir.Constant(integer, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(integer, vector.count), None))


@_word(prefer_literal=True)
def load(typing: Any, array: Any, row: Any, width: Any) -> Any:
    """Row ``row`` of an array (n, width), ``width`` a constant of compilation."""
    if not isinstance(width, types.IntegerLiteral):
        return None
    lanes = Lanes(array.dtype, width.literal_value)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        at = context.cast(builder, values[1], signature.args[1], types.intp)
        vector = context.get_value_type(lanes)
        return builder.load(_row(context, builder, array, values[0], at, vector), align=array.dtype.bitwidth // 8)

    return lanes(array, row, width), code


@_word
def ahead(typing: Any, array: Any, row: Any) -> Any:
    """Ask for the beginning of a row of an array (n, width) before it is needed; nothing else happens."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        proxy = cgutils.create_struct_proxy(signature.args[0])(context, builder, value=values[0])
        width = cgutils.unpack_tuple(builder, proxy.shape)[1]
        at = builder.mul(context.cast(builder, values[1], signature.args[1], types.intp), width)
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        to_read, keep, data = (ir.Constant(integer, number) for number in (0, 3, 1))
        builder.call(prefetch, [builder.bitcast(builder.gep(proxy.data, [at]), byte), to_read, keep, data])
        return context.get_dummy_value()

    return types.void(array, row), code


@_word(prefer_literal=True)
def nothing(typing: Any, array: Any, width: Any) -> Any:
    """Zeros of an array's kind, ``width`` a constant of compilation."""
    if not isinstance(width, types.IntegerLiteral):
        return None
    lanes = Lanes(array.dtype, width.literal_value)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return ir.Constant(context.get_value_type(lanes), None)

    return lanes(array, width), code


@_word
def store(typing: Any, array: Any, row: Any, lanes: Any) -> Any:
    """Put lanes into row ``row`` of an array (n, width)."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        at = context.cast(builder, values[1], signature.args[1], types.intp)
        place = _row(context, builder, array, values[0], at, values[2].type)
        builder.store(values[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, lanes), code


def _factor(context: Any, builder: Any, kind: Any, value: Any, lanes: Any, vector: ir.VectorType) -> Any:
    """A number in every lane, or lanes as they are."""
    return (
        value if isinstance(kind, Lanes) else _spread(builder, context.cast(builder, value, kind, lanes.number), vector)
    )


@_word
def plus(typing: Any, lanes: Any, factor: Any, others: Any) -> Any:
    """``lanes + factor * others``, lane by lane, rounded twice; ``factor`` a number or lanes."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        by = _factor(context, builder, signature.args[1], values[1], lanes, values[0].type)
        return builder.fadd(values[0], builder.fmul(by, values[2]))

    return lanes(lanes, factor, others), code


@_word
def minus(typing: Any, lanes: Any, factor: Any, others: Any) -> Any:
    """``lanes - factor * others``, lane by lane, rounded twice; ``factor`` a number or lanes."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        by = _factor(context, builder, signature.args[1], values[1], lanes, values[0].type)
        return builder.fsub(values[0], builder.fmul(by, values[2]))

    return lanes(lanes, factor, others), code


@_word
def times(typing: Any, factor: Any, lanes: Any) -> Any:
    """``factor * lanes``; ``factor`` a number or lanes."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        by = _factor(context, builder, signature.args[0], values[0], lanes, values[1].type)
        return builder.fmul(by, values[1])

    return lanes(factor, lanes), code


@_word
def less(typing: Any, lanes: Any, others: Any) -> Any:
    """``lanes - others``, lane by lane."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fsub(values[0], values[1])

    return lanes(lanes, others), code


@_word
def double(typing: Any, lanes: Any) -> Any:
    """The same numbers in double precision."""
    wide = Lanes(types.float64, lanes.width)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return values[0] if lanes == wide else builder.fpext(values[0], context.get_value_type(wide))

    return wide(lanes), code
