/* SPDX-License-Identifier: MIT */
/* The kernels of one instruction set: compiled once for each, with -DISA=avx512, avx2, neon or wasm. */
#include "conv.h"
#include "depthwise.h"
#include "elementwise.h"
#include "filter-gradient.h"
#include "moments.h"
#include "move.h"
#include "pack.h"
#include "plan.h"
#include "pool.h"
#include "product.h"
#include "reduce.h"

static Kernel *const run[OPS] = {
    [OP_FILL] = op_fill,
    [OP_MOVE] = op_move,
    [OP_GATHER] = op_gather,
    [OP_ELEMENTWISE] = op_elementwise,
    [OP_SUM_ITEMS] = op_sum_items,
    [OP_MOMENTS] = op_moments,
    [OP_SPREAD] = op_spread,
    [OP_CONV] = op_conv,
    [OP_CONV_FILTER] = op_conv_filter,
    [OP_DEPTHWISE] = op_depthwise,
    [OP_DEPTHWISE_FILTER] = op_depthwise_filter,
    [OP_PACK] = op_pack,
    [OP_UNPACK] = op_unpack,
    [OP_PRODUCT] = op_product,
    [OP_MAX_POOL] = op_max_pool,
    [OP_MAX_POOL_GRAD] = op_max_pool_grad,
    [OP_AVG_POOL] = op_avg_pool,
    [OP_AVG_POOL_GRAD] = op_avg_pool_grad,
    [OP_REDUCE] = op_reduce,
    [OP_ARG] = op_arg,
    [OP_REDUCE_ITEMS] = op_reduce_items,
};

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define TEXT2(a) #a
#define TEXT(a) TEXT2(a)
const Isa JOIN(isa_, ISA) = {TEXT(ISA), run};
