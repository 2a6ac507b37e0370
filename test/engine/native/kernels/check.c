/* SPDX-License-Identifier: MIT */
/* Compares the kernels of one instruction set with plain scalar code, bit for bit, on random shapes, and
 * the functions with hashes of their results. Usage: check [rounds]. */
#include "scalar-elementwise.h"
#include "scalar-pool.h"
#include "scalar-reduce.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define KERNELS JOIN(isa_, ISA)

static Arena arena;
static int64_t args[MAX_ARGS];

typedef void Scalar(const int64_t *a, const Context *c);

/* Runs both on all items (the kernel in two parts) and compares. */
static void check(const char *name, int round, int op, Scalar *scalar, int count) {
  fill(&arena);
  Context kernel = context_of(&arena, 0), plain = context_of(&arena, 1);
  int64_t middle = between(0, args[0]);
  KERNELS.run[op](args, &kernel, middle, args[0]);
  KERNELS.run[op](args, &kernel, 0, middle);
  scalar(args, &plain);
  compare(&arena, name, round, args, count);
  clear(&arena);
}

static void check_elementwise(int round) {
  int count = random_elementwise(&arena, args);
  check("elementwise", round, OP_ELEMENTWISE, scalar_elementwise, count);
}

static void check_reduce(int round) {
  int64_t kind = below(8), outer = between(1, 3), n = between(1, 600), inner = random_word() % 3 ? between(1, 40) : 1;
  int64_t items = between(1, 3), lanes = random_word() % 2 ? 4 : 16;
  Contents contents = kind >= REDUCE_ISUM ? INTS : FLOATS;
  int64_t x = reserve(&arena, items * outer * n * inner, contents), out = reserve(&arena, items * outer * inner, contents);
  int64_t a[] = {items, kind, x, outer * n * inner, outer, n, inner, lanes, out, outer * inner};
  memcpy(args, a, sizeof a);
  check("reduce", round, OP_REDUCE, scalar_op_reduce, 10);
}

static void check_arg(int round) {
  static const int kinds[] = {REDUCE_MAX, REDUCE_MIN, REDUCE_IMAX, REDUCE_IMIN};
  int64_t kind = kinds[below(4)], outer = between(1, 3), n = between(1, 60), inner = random_word() % 2 ? between(1, 40) : 1;
  int64_t items = between(1, 3), x = reserve(&arena, items * outer * n * inner, kind >= REDUCE_ISUM ? INTS : FLOATS);
  int64_t a[] = {items, kind, x, outer * n * inner, outer, n, inner, reserve(&arena, items * outer * inner, INTS), outer * inner};
  memcpy(args, a, sizeof a);
  check("arg", round, OP_ARG, scalar_op_arg, 9);
}

static void check_sum_items(int round) {
  int64_t outputs = between(1, 300), blocks = between(1, 6), entries = between(1, 100), stride = outputs + below(5);
  int64_t x = reserve(&arena, (entries - 1) * stride + outputs, FLOATS), group = random_word() % 2 ? 8 : 32;
  int64_t items = (outputs + blocks * 16 - 1) / (blocks * 16);
  int64_t a[] = {items, blocks, x, entries, stride, outputs, group, reserve(&arena, outputs, FLOATS)};
  memcpy(args, a, sizeof a);
  check("sum_items", round, OP_SUM_ITEMS, scalar_op_sum_items, 8);
}

static void check_reduce_items(int round) {
  int64_t kind = between(1, 7), outputs = between(1, 60), entries = between(1, 80), stride = outputs + below(5);
  Contents contents = kind >= REDUCE_ISUM ? INTS : FLOATS;
  int64_t x = reserve(&arena, (entries - 1) * stride + outputs, contents);
  int64_t a[] = {1, kind, x, entries, stride, outputs, reserve(&arena, outputs, contents)};
  memcpy(args, a, sizeof a);
  check("reduce_items", round, OP_REDUCE_ITEMS, scalar_op_reduce_items, 7);
}

static void check_moments(int round) {
  int64_t items = between(1, 3), planes = between(1, 3), pixels = between(1, 600), size = planes * pixels * 16;
  int64_t x = reserve(&arena, items * size, FLOATS), sums = reserve(&arena, items * planes * 16, FLOATS);
  int64_t a[] = {items, x, size, planes, pixels, sums, planes * 16, reserve(&arena, items * planes * 16, FLOATS), planes * 16};
  memcpy(args, a, sizeof a);
  check("moments", round, OP_MOMENTS, scalar_op_moments, 9);
}

static void check_spread(int round) {
  int64_t outputs = between(1, 60), entries = between(1, 100), stride = outputs + below(9);
  int64_t sums = reserve(&arena, (entries - 1) * stride + outputs, FLOATS);
  int64_t squares = reserve(&arena, (entries - 1) * stride + outputs, FLOATS);
  int64_t a[] = {1, sums, squares, entries, stride, between(1, 1024), outputs, reserve(&arena, outputs, FLOATS)};
  memcpy(args, a, sizeof a);
  check("spread", round, OP_SPREAD, scalar_op_spread, 8);
}

/* Random geometry in args, often 2 x 2 without overlap; every window meets the image. */
static void random_pool(int64_t items, int64_t blocks) {
  int64_t height = between(2, 9), width = between(2, 9), halving = random_word() % 2;
  int64_t kh = halving ? 2 : between(1, 4), kw = halving ? 2 : between(1, 4);
  int64_t top = halving ? 0 : below(kh), left = halving ? 0 : below(kw);
  int64_t sh = halving ? 2 : between(1, 3), sw = halving ? 2 : between(1, 3);
  int64_t oh = halving ? height / 2 : (height + top - 1) / sh + 1, ow = halving ? width / 2 : (width + left - 1) / sw + 1;
  int64_t size = blocks * height * width * 16;
  int64_t a[] = {items, reserve(&arena, items * size, FLOATS), size, blocks, height, width, kh, kw, top, left, sh, sw, oh, ow};
  memcpy(args, a, sizeof a);
}
static void scalar_max(const int64_t *a, const Context *c) { scalar_pool(a, c, 0); }
static void scalar_average(const int64_t *a, const Context *c) { scalar_pool(a, c, 1); }
/* y is made here, in both copies, by scalar code. */
static void scalar_max_grad(const int64_t *a, const Context *c) { scalar_pool_grad(a, c, 0); }
static void scalar_average_grad(const int64_t *a, const Context *c) { scalar_pool_grad(a, c, 1); }

static void check_pool(int round) {
  int64_t items = between(1, 2), blocks = between(1, 3);
  random_pool(items, blocks);
  int64_t out = blocks * args[PL_OH] * args[PL_OW] * 16;
  args[PL_REST] = reserve(&arena, items * out, FLOATS), args[PL_REST + 1] = out;
  if (random_word() % 2) check("max_pool", round, OP_MAX_POOL, scalar_max, PL_REST + 2);
  else check("avg_pool", round, OP_AVG_POOL, scalar_average, PL_REST + 2);
}

/* Runs the pooling itself first, in both copies, so that y has maxima. */
static void kernel_pool_and_grad(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  int64_t forward[PL_REST + 2];
  memcpy(forward, a, sizeof forward);
  memcpy(forward + PL_REST, a + PL_REST + 2, 2 * sizeof *a);
  KERNELS.run[OP_MAX_POOL](forward, c, from, to);
  KERNELS.run[OP_MAX_POOL_GRAD](a, c, from, to);
}
static void scalar_pool_and_grad(const int64_t *a, const Context *c) {
  int64_t forward[PL_REST + 2];
  memcpy(forward, a, sizeof forward);
  memcpy(forward + PL_REST, a + PL_REST + 2, 2 * sizeof *a);
  scalar_max(forward, c);
  scalar_max_grad(a, c);
}
static void check_max_pool_grad(int round) {
  int64_t items = between(1, 2), blocks = between(1, 2);
  random_pool(items, blocks);
  int64_t out = blocks * args[PL_OH] * args[PL_OW] * 16, in = args[PL_XITEM];
  for (int i = 0; i < 3; i++) {
    args[PL_REST + 2 * i] = reserve(&arena, items * (i < 2 ? out : in), FLOATS);
    args[PL_REST + 2 * i + 1] = i < 2 ? out : in;
  }
  fill(&arena);
  Context kernel = context_of(&arena, 0), plain = context_of(&arena, 1);
  kernel_pool_and_grad(args, &kernel, 0, items);
  scalar_pool_and_grad(args, &plain);
  compare(&arena, "max_pool_grad", round, args, PL_REST + 6);
  clear(&arena);
}
static void check_avg_pool_grad(int round) {
  int64_t items = between(1, 2), blocks = between(1, 2);
  random_pool(items, blocks);
  int64_t out = blocks * args[PL_OH] * args[PL_OW] * 16;
  args[PL_REST] = reserve(&arena, items * out, FLOATS), args[PL_REST + 1] = out;
  args[PL_REST + 2] = reserve(&arena, items * args[PL_XITEM], FLOATS), args[PL_REST + 3] = args[PL_XITEM];
  check("avg_pool_grad", round, OP_AVG_POOL_GRAD, scalar_average_grad, PL_REST + 4);
}

static void scalar_fill(const int64_t *a, const Context *c) {
  for (int64_t i = 0; i < a[0] * a[3]; i++) memcpy(at(c, a[1]) + (i / a[3] * a[2] + i % a[3]) * 4, at(c, a[4]), 4);
}
static void check_fill(int round) {
  int64_t items = between(1, 3), count = between(1, 200), item = count + below(5);
  int64_t a[] = {items, reserve(&arena, (items - 1) * item + count, FLOATS), item, count, reserve(&arena, 1, FLOATS)};
  memcpy(args, a, sizeof a);
  check("fill", round, OP_FILL, scalar_fill, 5);
}

static void scalar_move(const int64_t *a, const Context *c) {
  int64_t total = 1, rank = a[5];
  for (int64_t d = 0; d < rank; d++) total *= a[6 + 3 * d];
  for (int64_t i = 0; i < a[0] * total; i++) {
    int64_t rest = i % total, from = i / total * a[2], to = i / total * a[4];
    for (int64_t d = rank - 1; d >= 0; d--) {
      int64_t k = rest % a[6 + 3 * d];
      rest /= a[6 + 3 * d], from += k * a[7 + 3 * d], to += k * a[8 + 3 * d];
    }
    memcpy(at(c, a[3]) + to * 4, at(c, a[1]) + from * 4, 4);
  }
}
/* Gives the axes strides of a dense tensor in random order, some reversed or repeated in the source. */
static int64_t random_strides(int64_t *axes, int rank, int offset, int64_t *start) {
  int order[6];
  int64_t size = 1;
  *start = 0;
  for (int i = 0; i < rank; i++) order[i] = i;
  for (int i = rank - 1; i > 0; i--) {
    int j = (int)below(i + 1), swap = order[i];
    order[i] = order[j], order[j] = swap;
  }
  for (int i = 0; i < rank; i++) {
    int64_t *axis = axes + 3 * order[i], kind = offset == 1 ? below(8) : 7;
    axis[offset] = kind == 0 ? 0 : size;
    if (kind == 1) *start += (axis[0] - 1) * size, axis[offset] = -size;
    if (kind != 0) size *= axis[0];
  }
  return size;
}
static void check_move(int round) {
  int rank = (int)below(5);
  int64_t items = between(1, 2), *axes = args + 6, start, none;
  for (int d = 0; d < rank; d++) axes[3 * d] = random_word() % 4 ? between(1, 9) : rank > 3 ? 17 : between(14, 40);
  int64_t from = random_strides(axes, rank, 1, &start), to = random_strides(axes, rank, 2, &none);
  args[0] = items, args[2] = from, args[4] = to, args[5] = rank;
  args[1] = reserve(&arena, items * from, FLOATS) + start * 4, args[3] = reserve(&arena, items * to, FLOATS);
  check("move", round, OP_MOVE, scalar_move, 6 + 3 * rank);
}

static void scalar_gather(const int64_t *a, const Context *c) {
  for (int64_t i = 0; i < a[0] * a[6] * a[4]; i++) {
    int64_t item = i / (a[6] * a[4]), j = i / a[4] % a[6], inner = i % a[4], index = ((const int32_t *)at(c, a[5]))[j];
    uint32_t y = 0x7fc00000;
    if (index >= 0 && index < a[3]) memcpy(&y, at(c, a[1]) + (item * a[2] + index * a[4] + inner) * 4, 4);
    memcpy(at(c, a[7]) + (item * a[8] + j * a[4] + inner) * 4, &y, 4);
  }
}
static void check_gather(int round) {
  int64_t items = between(1, 3), length = between(1, 10), inner = between(1, 40), m = between(1, 20);
  int64_t x = reserve(&arena, items * length * inner, FLOATS), indices = reserve(&arena, m, INDICES);
  int64_t a[] = {items, x, length * inner, length, inner, indices, m, reserve(&arena, items * m * inner, FLOATS), m * inner};
  memcpy(args, a, sizeof a);
  check("gather", round, OP_GATHER, scalar_gather, 9);
}

enum { INPUTS = 65536 };

/* Hash of a function's results: of every 65537th bit pattern (and of a scrambled exponent); NaNs count as one. */
static uint32_t hash_function(int code) {
  static uint32_t memory[3 * INPUTS];
  Context c = {.base = {[ARENA] = (char *)memory}, .work = arena.work};
  for (uint32_t i = 0; i < INPUTS; i++) {
    memory[i] = i * 65537u;
    float y = (float)(int32_t)(i % 129) * 0.25f - 16.0f;
    memcpy(&memory[INPUTS + i], &y, 4);
  }
  int64_t a[] = {1, 1, INPUTS, 2, 1, 1, 1, OPERAND_STREAM, 0, 0, 0, OPERAND_STREAM, INPUTS * 4, 0, 0, code, 0, 0, 1, -1,
                 SINK_STORE, 2, 2 * INPUTS * 4, 0, 0};
  KERNELS.run[OP_ELEMENTWISE](a, &c, 0, 1);
  uint32_t hash = 2166136261u;
  for (uint32_t i = 2 * INPUTS; i < 3 * INPUTS; i++) hash = (hash ^ (is_nan(memory[i]) ? 0x7fc00000 : memory[i])) * 16777619u;
  return hash;
}

/* The hashes are also in functions.test.ts, for the same functions in TypeScript. */
static void check_functions(void) {
  static const struct {
    const char *name;
    int code;
    uint32_t hash;
  } functions[] = {{"exp", I_EXP, 0x8a289eb1}, {"log", I_LOG, 0x969b56b6},           {"tanh", I_TANH, 0x7c93ad7e}, {"sigmoid", I_SIGMOID, 0x98187d84},
                   {"erf", I_ERF, 0xdfaffb5d}, {"softplus", I_SOFTPLUS, 0x4c5718ce}, {"elu", I_ELU, 0x73ec7f3f},   {"sin", I_SIN, 0x21688f27},
                   {"cos", I_COS, 0x1c052d29}, {"pow", I_POW, 0x0decd6c1}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    uint32_t hash = hash_function(functions[i].code);
    if (hash == functions[i].hash) continue;
    fprintf(stderr, "%s: expected results with hash %08x, got %08x\n", functions[i].name, functions[i].hash, hash);
    exit(1);
  }
}

int main(int count, char **values) {
  static void (*const checks[])(int) = {check_elementwise, check_reduce, check_arg, check_sum_items, check_reduce_items,
                                        check_moments, check_spread, check_pool, check_max_pool_grad, check_avg_pool_grad,
                                        check_fill, check_move, check_gather};
  int rounds = count > 1 ? atoi(values[1]) : 200;
  arena = new_arena();
  check_functions();
  for (int round = 0; round < rounds; round++)
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) checks[i](round);
  printf("%s: functions and %d rounds, all equal\n", KERNELS.name, rounds);
}
