/* SPDX-License-Identifier: MIT */
/* The one validator: no plan that it accepts makes a kernel read or write outside the plan's spaces, whatever the
 * inputs hold. */
#include "check.h"

typedef struct {
  const char *name;
  bool (*check)(Check *c);
} Rule;

static const Rule rules[OPS] = {
    [OP_FILL] = {"FILL", check_fill},
    [OP_MOVE] = {"MOVE", check_move},
    [OP_GATHER] = {"GATHER", check_gather},
    [OP_ELEMENTWISE] = {"ELEMENTWISE", check_elementwise},
    [OP_SUM_ITEMS] = {"SUM_ITEMS", check_sum_items},
    [OP_MOMENTS] = {"MOMENTS", check_moments},
    [OP_SPREAD] = {"SPREAD", check_spread},
    [OP_CONV] = {"CONV", check_conv},
    [OP_CONV_FILTER] = {"CONV_FILTER", check_conv_filter},
    [OP_DEPTHWISE] = {"DEPTHWISE", check_depthwise},
    [OP_DEPTHWISE_FILTER] = {"DEPTHWISE_FILTER", check_depthwise_filter},
    [OP_PACK] = {"PACK", check_pack},
    [OP_UNPACK] = {"UNPACK", check_unpack},
    [OP_PRODUCT] = {"PRODUCT", check_product},
    [OP_MAX_POOL] = {"MAX_POOL", check_max_pool},
    [OP_MAX_POOL_GRAD] = {"MAX_POOL_GRAD", check_max_pool_grad},
    [OP_AVG_POOL] = {"AVG_POOL", check_avg_pool},
    [OP_AVG_POOL_GRAD] = {"AVG_POOL_GRAD", check_avg_pool_grad},
    [OP_REDUCE] = {"REDUCE", check_reduce},
    [OP_ARG] = {"ARG", check_arg},
    [OP_REDUCE_ITEMS] = {"REDUCE_ITEMS", check_reduce_items},
};

static bool validate_operation(const Plan *plan, int64_t phase, const Job *job, const Operation *op, Fault *fault) {
  const Rule *rule = &rules[op->code];
  Check c = {plan, job, op->args, op->count, phase, op - plan->operation, rule->name, fault};
  return rule->check(&c);
}

bool plan_validate(const Plan *plan, Fault *fault) {
  for (int64_t i = 0; i < plan->phases; i++) {
    const Phase *phase = &plan->phase[i];
    for (const Job *job = phase->first; job < phase->first + phase->jobs; job++)
      for (const Operation *op = job->first; op < job->first + job->operations; op++)
        if (!validate_operation(plan, i, job, op, fault)) return false;
  }
  return true;
}
