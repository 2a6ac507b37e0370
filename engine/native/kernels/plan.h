/* SPDX-License-Identifier: MIT */
/* The kernel plan: what TypeScript encodes (engine/native/plan/), C validates (validate.c) and the kernels run.
 *
 * Arguments of an operation are integers. args[0] is always `items`; a kernel computes items from <= i < to, and
 * item i reads and writes what the item strides say. Strides and counts are in elements of 4 bytes (bytes for u8).
 * An address is space * 2^40 + byte offset; -1: absent. */
#ifndef LOCKSTEP_PLAN_H
#define LOCKSTEP_PLAN_H
#include <stddef.h>
#include <stdint.h>

enum { ARITHMETIC = 1, PLAN_MAGIC = 0x4c53504c };

enum Space { ARENA, SCRATCH, CONSTANTS, PARAMS, STATE, IMAGES, LABELS, MASKS, OUT_A, OUT_B, OUT_C, SPACES };

enum { WORK_BYTES = 256 * 1024 }; /* workspace of a thread, for tiles and small temporaries; 64-byte aligned */

typedef struct {
  char *base[SPACES];
  char *work;
} Context;

typedef void Kernel(const int64_t *a, const Context *c, int64_t from, int64_t to);

static inline char *at(const Context *c, int64_t address) { return c->base[address >> 40] + (address & ((1LL << 40) - 1)); }

/* Operations. The comment gives the arguments after items, in order. */
enum Op {
  OP_FILL = 1,          /* dst, dstItem, count, value (address of one word) */
  OP_MOVE = 2,          /* src, srcItem, dst, dstItem, rank 0..6, rank x { n, srcStride, dstStride }; src strides may be 0 or negative */
  OP_GATHER = 3,        /* x, xItem, axisLength, inner, indices, m, out, outItem: out[item][j][inner] = x[item][indices[j]][inner] */
  OP_ELEMENTWISE = 4,   /* planes, count, operands, instructions, sinks, registers,
                           operands x { kind, address, itemStride, planeStride }, instructions x { code, dst, a, b, c },
                           sinks x { kind, source, address, itemStride, planeStride } */
  OP_SUM_ITEMS = 5,     /* blocks (of 16 outputs per item), src, entries, entryStride, outputs, group, out */
  OP_MOMENTS = 6,       /* x, xItem, planes, pixels, sums, sumsItem, squares, squaresItem: per plane 16 lanes */
  OP_SPREAD = 7,        /* items = 1: sums, squares, entries, entryStride, pixels, outputs, out */
  OP_CONV = 8,          /* CONV geometry (20 args, enum ConvArg), filter, bias (-1 or plain [OC]), y, yItem */
  OP_CONV_FILTER = 9,   /* geometry, dy, dyItem, parts, partSize: item i adds to parts + (i / 4) * partSize; zeroes it first if i % 4 == 0 */
  OP_DEPTHWISE = 10,    /* as CONV, C = OC; filter [CB][KH * KW][16] */
  OP_DEPTHWISE_FILTER = 11, /* as CONV_FILTER; part [CB][KH * KW][16] */
  OP_PACK = 12,         /* items = batch: src, srcItem, mode, taps, ci, co, dst, dstItem; src [taps][ci][co] */
  OP_UNPACK = 13,       /* items = batch: src (packed, modes 0, 1, 3), srcItem, mode, taps, ci, co, dst, dstItem; dst [taps][ci][co] */
  OP_PRODUCT = 14,      /* items = batch * ceil(M / rows) * ceil(NB / blocks), columns fastest:
                           batch, M, K, N, x, xBatch, xm, xk, w, wBatch, bias (-1 or [N]), y, yBatch, ym, rows, blocks;
                           x[m][k] at m * xm + k * xk; w packed [NB][16 * ceil(K / 16)][16]; y[m][n] at m * ym + n */
  OP_MAX_POOL = 15,     /* POOL geometry (12 args, enum PoolArg), y, yItem */
  OP_MAX_POOL_GRAD = 16,/* geometry (x: the input), dy, dyItem, y, yItem, dx, dxItem */
  OP_AVG_POOL = 17,     /* geometry, y, yItem */
  OP_AVG_POOL_GRAD = 18,/* geometry (x absent: -1, 0), dy, dyItem, dx, dxItem */
  OP_REDUCE = 19,       /* kind, x, xItem, outer, n, inner, lanes (4 or 16 chains), out, outItem: [outer][n][inner] -> [outer][inner] */
  OP_ARG = 20,          /* kind (REDUCE_MAX, MIN, IMAX, IMIN), x, xItem, outer, n, inner, out (i32), outItem */
  OP_REDUCE_ITEMS = 21, /* items = 1: kind (not REDUCE_SUM), src, entries, entryStride, outputs, out: over axis 0 */
  OPS = 22
};

enum ReduceKind { REDUCE_SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ISUM, REDUCE_IMAX, REDUCE_IMIN, REDUCE_IPROD };

/* Output pixel o reads the input coordinate t = o * stride - pad + k * dilation; with up > 1 (input gradient of a
 * strided convolution) only if t % up == 0, then at t / up. Taps outside the image are left out.
 * x: blocked [CB][H][W][16], or narrow [H][W][C] with C <= 4; y: blocked [OB][OH][OW][16].
 * Filter: forward blocked [OB][CB][KH * KW][16][16], narrow [OB][KH * KW][C][16] (PACK's modes). */
enum ConvArg {
  CV_X = 1, CV_XITEM, CV_NARROW, CV_C, CV_H, CV_W, CV_UPH, CV_UPW, CV_KH, CV_KW, CV_PADTOP, CV_PADLEFT,
  CV_STRIDEH, CV_STRIDEW, CV_DILH, CV_DILW, CV_OC, CV_OH, CV_OW, CV_ROWS /* rows of a filter gradient's chain: max(1, 128 / OW) */,
  CV_REST, /* first argument after the geometry */
  CONV_FILTERS = CV_REST, CONV_BIAS, CONV_Y, CONV_YITEM, CONV_ARGS,
  CF_DY = CV_REST, CF_DYITEM, CF_PARTS, CF_PARTSIZE, CF_ARGS
};

enum PoolArg {
  PL_X = 1, PL_XITEM, PL_BLOCKS, PL_H, PL_W, PL_KH, PL_KW, PL_PADTOP, PL_PADLEFT, PL_STRIDEH, PL_STRIDEW, PL_OH, PL_OW, PL_REST
};

/* Filters and matrices. Blocks of 16 rows are stored whole, rows and columns beyond the end are zero. */
enum PackMode {
  PACK_FORWARD = 0, /* [OB][CB][taps][16 ci][16 co] */
  PACK_NARROW = 1,  /* [OB][taps][ci][16 co], ci <= 4 */
  PACK_TURNED = 2,  /* [CB][OB][taps reversed][16 co][16 ci]: input gradient; a transposed matrix */
  PACK_DEPTHWISE = 3, /* src [taps][c]: [CB][taps][16] (co = 1 ... c given as ci) */
  PACK_DEPTHWISE_TURNED = 4 /* [CB][taps reversed][16] */
};

/* ELEMENTWISE */
enum OperandKind { OPERAND_STREAM, OPERAND_VECTOR, OPERAND_SCALAR, OPERAND_BYTES };
enum SinkKind { SINK_STORE, SINK_SUM4, SINK_SUM16, SINK_MAX16, SINK_MIN16, SINK_ISUM16, SINK_STORE_ONE /* first element only */ };
enum { TILE_VECTORS = 64, MAX_OPERANDS = 32, MAX_REGISTERS = 24, MAX_INSTRUCTIONS = 96, MAX_SINKS = 16 };

/* f32 unless the name begins with I (i32). Comparisons give i32 0 or 1. Booleans are i32 0 or 1. */
enum Instruction {
  I_ADD = 1, I_SUB, I_MUL, I_DIV, I_MAXIMUM, I_MINIMUM, I_FLOORDIV, I_MOD, I_POW,
  I_EQUAL, I_NOT_EQUAL, I_GREATER, I_GREATER_EQUAL, I_LESS, I_LESS_EQUAL,
  I_ABS, I_CEIL, I_FLOOR, I_ROUND, I_NEG, I_RECIPROCAL, I_SQRT, I_RSQRT, I_SIGN, I_SIDE, I_STEP, I_RELU,
  I_EXP, I_LOG, I_TANH, I_SIGMOID, I_ERF, I_SOFTPLUS, I_ELU, I_SIN, I_COS,
  I_LEAKY_RELU /* a: x, b: alpha */, I_SELECT /* a: condition, b, c; any 4-byte type */,
  I_TO_FLOAT /* i32 -> f32 */, I_TO_INT /* f32 -> i32 */, I_TO_BOOL /* f32 != 0 */, I_ITO_BOOL,
  I_IADD, I_ISUB, I_IMUL, I_IDIV /* truncating; / 0 gives 0 */, I_IMAXIMUM, I_IMINIMUM, I_IFLOORDIV /* as f32 floor(a / b), then to i32 */, I_IMOD /* sign of b; % 0 gives 0 */,
  I_IPOW, I_IEQUAL, I_INOT_EQUAL, I_IGREATER, I_IGREATER_EQUAL, I_ILESS, I_ILESS_EQUAL,
  I_IABS, I_INEG, I_ISIGN, I_ISTEP, I_IRELU, I_AND, I_OR, I_NOT,
  I_COPY /* any 4-byte type */,
  INSTRUCTIONS
};

typedef struct { const char *name; Kernel *const *run; /* [OPS] */ } Isa;
extern const Isa isa_avx512, isa_avx2, isa_neon, isa_wasm;
#endif
