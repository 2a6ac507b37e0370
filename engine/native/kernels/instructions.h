/* SPDX-License-Identifier: MIT */
/* Instructions of OP_ELEMENTWISE: one loop over vectors each. A stride is 16 floats, or 0 for a vector that is the same
 * throughout. What processors define differently (max, min, conversions, division of integers) is spelt out. */
#ifndef LOCKSTEP_INSTRUCTIONS_H
#define LOCKSTEP_INSTRUCTIONS_H
#include "functions.h"
#include "plan.h"

typedef uint32_t u16 __attribute__((vector_size(64)));

typedef struct {
  float *data;
  int64_t stride;
} Slot;

typedef void InstructionRun(float *to, const Slot *a, const Slot *b, const Slot *c, int64_t n);

INLINE i16 inti(int32_t x) { return (i16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE v16 one_if(i16 mask) { return (v16)(mask & 1); }
/* NaN wins; of two zeros the second. */
INLINE v16 maximum16(v16 x, v16 y) { return choose((x > y) | (x != x), x, y); }
INLINE v16 minimum16(v16 x, v16 y) { return choose((x < y) | (x != x), x, y); }
/* Towards zero, saturating; 0 for a NaN. */
INLINE i16 to_int(v16 x) {
  i16 high = x >= 0x1p31f, low = x < -0x1p31f;
  i16 y = __builtin_convertvector(keep(~(high | low | (x != x)), x), i16);
  return choosei(high, inti(INT32_MAX), choosei(low, inti(INT32_MIN), y));
}
INLINE v16 to_float(i16 x) { return __builtin_convertvector(x, v16); }
/* Truncating, wraps for INT32_MIN / -1; b must not be 0. Quotients of integers in double are never rounded to the next. */
INLINE i16 divide(i16 a, i16 b) {
  b = choosei((a == INT32_MIN) & (b == -1), inti(1), b);
  return __builtin_convertvector(__builtin_convertvector(a, d16) / __builtin_convertvector(b, d16), i16);
}
INLINE i16 int_divide(i16 a, i16 b) { return (b != 0) & divide(a, choosei(b == 0, inti(1), b)); }
INLINE i16 int_mod(i16 a, i16 b) {
  i16 r = (i16)((u16)a - (u16)int_divide(a, b) * (u16)b);
  return (b != 0) & (i16)((u16)r + (u16)((r != 0) & ((r ^ b) < 0) & b));
}
/* Wrapping; for a negative exponent 1 / x^|y|, truncated, and 0 for x = 0. */
INLINE i16 int_pow(i16 x, i16 y) {
  i16 inverse = (x == 1) & 1;
  inverse = choosei(x == -1, inti(1) - ((y & 1) << 1), inverse);
  u16 power = (u16)inti(1), square = (u16)x;
  for (int bit = 0; bit < 31; bit++, square *= square) power *= (u16)choosei(((y >> bit) & 1) != 0, (i16)square, inti(1));
  return choosei(y < 0, inverse, (i16)power);
}

/* Loops with constant strides; where all sources are even (stride 0), n is 1. */
#define LOOP(da, db, dc, ...)                                 \
  _Pragma("clang loop unroll_count(4)")                       \
  for (int64_t v = 0; v < n; v++) {                           \
    v16 a = load(pa + v * (da));                              \
    __VA_ARGS__                                               \
  }
#define HEAD(name)                                                                                          \
  static void run_##name(float *to, const Slot *sa, const Slot *sb, const Slot *sc, int64_t n) {            \
    const float *pa = sa->data, *pb = sb->data, *pc = sc->data;                                             \
    (void)pb, (void)pc;
#define ONE(name, type, result) \
  HEAD(name) LOOP(16, 0, 0, type x = (type)a; store(to + v * 16, (v16)(result));) }
#define TWO_BODY(db, type, result) type x = (type)a, y = (type)load(pb + v * (db)); store(to + v * 16, (v16)(result));
#define TWO(name, type, result)                                                 \
  HEAD(name)                                                                    \
  if (sa->stride && sb->stride) LOOP(16, 16, 0, TWO_BODY(16, type, result))     \
  else if (sa->stride) LOOP(16, 0, 0, TWO_BODY(0, type, result))                \
  else LOOP(0, 16, 0, TWO_BODY(16, type, result)) }
/* For long results: one loop. */
#define LONG(name, type, result)                                                \
  HEAD(name)                                                                    \
  int64_t da = sa->stride, db = sb->stride;                                     \
  for (int64_t v = 0; v < n; v++) { v16 a = load(pa + v * da); TWO_BODY(db, type, result) } }
#define F1(name, result) ONE(name, v16, result)
#define F2(name, result) TWO(name, v16, result)
#define I1(name, result) ONE(name, i16, result)
#define I2(name, result) TWO(name, i16, result)

F2(add, x + y)
F2(sub, x - y)
F2(mul, x * y)
F2(div, x / y)
F2(maximum, maximum16(x, y))
F2(minimum, minimum16(x, y))
F2(floor_div, __builtin_elementwise_floor(x / y))
F2(mod, x - y * __builtin_elementwise_floor(x / y))
LONG(pow, v16, pow16(x, y))
F2(equal, one_if(x == y))
F2(not_equal, one_if(x != y))
F2(greater, one_if(x > y))
F2(greater_equal, one_if(x >= y))
F2(less, one_if(x < y))
F2(less_equal, one_if(x <= y))
F1(abs, (i16)x & 0x7fffffff)
F1(ceil, __builtin_elementwise_ceil(x))
F1(floor, __builtin_elementwise_floor(x))
F1(round, __builtin_elementwise_roundeven(x))
F1(neg, (i16)x ^ INT32_MIN)
F1(reciprocal, 1.0f / x)
F1(sqrt, __builtin_elementwise_sqrt(x))
F1(rsqrt, 1.0f / __builtin_elementwise_sqrt(x))
F1(sign, choose(x != x, x, choose(x > 0, splat(1), keep(x < 0, splat(-1)))))
F1(side, choose(x < 0, splat(-1), splat(1)))
F1(step, keep(x > 0, splat(1)))
F1(relu, keep(~(x <= 0), x))
F1(exp, exp16(x))
F1(log, log16(x))
F1(tanh, tanh16(x))
F1(sigmoid, sigmoid16(x))
F1(erf, erf16(x))
F1(softplus, softplus16(x))
F1(elu, elu16(x))
F1(sin, sin16(x))
F1(cos, cos16(x))
F2(leaky_relu, choose(x > 0, x, y * x))
HEAD(select)
  int64_t da = sa->stride, db = sb->stride, dc = sc->stride;
  for (int64_t v = 0; v < n; v++)
    store(to + v * 16, choose((i16)load(pa + v * da) != 0, load(pb + v * db), load(pc + v * dc)));
}
I1(to_float, to_float(x))
F1(to_int, to_int(x))
F1(to_bool, one_if(x != 0))
I1(int_to_bool, one_if(x != 0))
I2(int_add, (u16)x + (u16)y)
I2(int_sub, (u16)x - (u16)y)
I2(int_mul, (u16)x * (u16)y)
LONG(int_div, i16, int_divide(x, y))
I2(int_maximum, choosei(x > y, x, y))
I2(int_minimum, choosei(x < y, x, y))
I2(int_floor_div, to_int(__builtin_elementwise_floor(to_float(x) / to_float(y))))
LONG(int_mod, i16, int_mod(x, y))
LONG(int_pow, i16, int_pow(x, y))
I2(int_equal, one_if(x == y))
I2(int_not_equal, one_if(x != y))
I2(int_greater, one_if(x > y))
I2(int_greater_equal, one_if(x >= y))
I2(int_less, one_if(x < y))
I2(int_less_equal, one_if(x <= y))
I1(int_abs, choosei(x < 0, (i16)(0 - (u16)x), x))
I1(int_neg, 0 - (u16)x)
I1(int_sign, ((x > 0) & 1) | (x < 0))
I1(int_step, one_if(x > 0))
I1(int_relu, (x > 0) & x)
I2(and, one_if((x != 0) & (y != 0)))
I2(or, one_if((x | y) != 0))
I1(not, one_if(x == 0))
F1(copy, x)

typedef struct {
  InstructionRun *run;
  int sources;
} InstructionKind;

static const InstructionKind instruction_kinds[INSTRUCTIONS] = {
    [I_ADD] = {run_add, 2},
    [I_SUB] = {run_sub, 2},
    [I_MUL] = {run_mul, 2},
    [I_DIV] = {run_div, 2},
    [I_MAXIMUM] = {run_maximum, 2},
    [I_MINIMUM] = {run_minimum, 2},
    [I_FLOORDIV] = {run_floor_div, 2},
    [I_MOD] = {run_mod, 2},
    [I_POW] = {run_pow, 2},
    [I_EQUAL] = {run_equal, 2},
    [I_NOT_EQUAL] = {run_not_equal, 2},
    [I_GREATER] = {run_greater, 2},
    [I_GREATER_EQUAL] = {run_greater_equal, 2},
    [I_LESS] = {run_less, 2},
    [I_LESS_EQUAL] = {run_less_equal, 2},
    [I_ABS] = {run_abs, 1},
    [I_CEIL] = {run_ceil, 1},
    [I_FLOOR] = {run_floor, 1},
    [I_ROUND] = {run_round, 1},
    [I_NEG] = {run_neg, 1},
    [I_RECIPROCAL] = {run_reciprocal, 1},
    [I_SQRT] = {run_sqrt, 1},
    [I_RSQRT] = {run_rsqrt, 1},
    [I_SIGN] = {run_sign, 1},
    [I_SIDE] = {run_side, 1},
    [I_STEP] = {run_step, 1},
    [I_RELU] = {run_relu, 1},
    [I_EXP] = {run_exp, 1},
    [I_LOG] = {run_log, 1},
    [I_TANH] = {run_tanh, 1},
    [I_SIGMOID] = {run_sigmoid, 1},
    [I_ERF] = {run_erf, 1},
    [I_SOFTPLUS] = {run_softplus, 1},
    [I_ELU] = {run_elu, 1},
    [I_SIN] = {run_sin, 1},
    [I_COS] = {run_cos, 1},
    [I_LEAKY_RELU] = {run_leaky_relu, 2},
    [I_SELECT] = {run_select, 3},
    [I_TO_FLOAT] = {run_to_float, 1},
    [I_TO_INT] = {run_to_int, 1},
    [I_TO_BOOL] = {run_to_bool, 1},
    [I_ITO_BOOL] = {run_int_to_bool, 1},
    [I_IADD] = {run_int_add, 2},
    [I_ISUB] = {run_int_sub, 2},
    [I_IMUL] = {run_int_mul, 2},
    [I_IDIV] = {run_int_div, 2},
    [I_IMAXIMUM] = {run_int_maximum, 2},
    [I_IMINIMUM] = {run_int_minimum, 2},
    [I_IFLOORDIV] = {run_int_floor_div, 2},
    [I_IMOD] = {run_int_mod, 2},
    [I_IPOW] = {run_int_pow, 2},
    [I_IEQUAL] = {run_int_equal, 2},
    [I_INOT_EQUAL] = {run_int_not_equal, 2},
    [I_IGREATER] = {run_int_greater, 2},
    [I_IGREATER_EQUAL] = {run_int_greater_equal, 2},
    [I_ILESS] = {run_int_less, 2},
    [I_ILESS_EQUAL] = {run_int_less_equal, 2},
    [I_IABS] = {run_int_abs, 1},
    [I_INEG] = {run_int_neg, 1},
    [I_ISIGN] = {run_int_sign, 1},
    [I_ISTEP] = {run_int_step, 1},
    [I_IRELU] = {run_int_relu, 1},
    [I_AND] = {run_and, 2},
    [I_OR] = {run_or, 2},
    [I_NOT] = {run_not, 1},
    [I_COPY] = {run_copy, 1},
};
#endif
