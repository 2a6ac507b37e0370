/* SPDX-License-Identifier: MIT */
/* Structure of a plan: header, phases, jobs, operations. Their arguments are validate.c's. */
#include "memory.h"
#include "program.h"

typedef struct {
  const int64_t *value;
  int64_t at, end;
  Fault *fault;
} Reader;

enum { LIMIT = 1 << 30 }; /* of items, and of tasks of a phase */

static int64_t number(Reader *r, const char *what, int64_t low, int64_t high) {
  if (r->fault->code[0]) return low;
  if (r->at >= r->end) {
    fail(r->fault, "BAD_PLAN", "create program: expected %s at number %d, got the plan's end; compile the program again", what, r->at);
    return low;
  }
  int64_t value = r->value[r->at++];
  if (value >= low && value <= high) return value;
  fail(r->fault, "BAD_PLAN", "create program: expected %s from %d to %d at number %d, got %d; compile the program again",
       what, low, high, r->at - 1, value);
  return low;
}

/* Jobs and operations are counted in a first pass, in which the plan has no arrays, and filled in in a second one. */
static void read_operation(Plan *p, Reader *r, int64_t items) {
  int64_t code = number(r, "an operation's code", 1, OPS - 1), count = number(r, "number of arguments", 1, r->end);
  if (r->fault->code[0]) return;
  const int64_t *args = r->value + r->at;
  number(r, "items of the job", items, items);
  if (count - 1 > r->end - r->at) {
    fail(r->fault, "BAD_PLAN", "create program: expected %d arguments at number %d, got %d; compile the program again",
         count, r->at - 1, r->end - r->at + 1);
    return;
  }
  r->at += count - 1;
  if (p->operation) p->operation[p->operations] = (Operation){code, count, args};
  p->operations++;
}

static int64_t read_job(Plan *p, Reader *r) {
  int64_t items = number(r, "a job's items", 1, LIMIT), chunk = number(r, "items of a task", 1, LIMIT);
  int64_t operations = number(r, "a job's operations", 1, r->end), tasks = (items + chunk - 1) / chunk;
  if (p->job) p->job[p->jobs] = (Job){items, chunk, tasks, operations, p->operation + p->operations};
  p->jobs++;
  for (int64_t i = 0; i < operations && !r->fault->code[0]; i++) read_operation(p, r, items);
  return tasks;
}

static void read_phase(Plan *p, Reader *r) {
  int64_t jobs = number(r, "a phase's jobs", 1, r->end), tasks = 0;
  Job *first = p->job ? p->job + p->jobs : 0;
  for (int64_t i = 0; i < jobs && !r->fault->code[0]; i++) tasks += read_job(p, r);
  if (tasks > LIMIT) {
    fail(r->fault, "BAD_PLAN", "create program: expected at most %d tasks in phase %d, got %d; use a smaller batch", (int64_t)LIMIT, p->phases, tasks);
  }
  if (p->phase) p->phase[p->phases] = (Phase){jobs, tasks, first};
  p->phases++;
}

static bool read_plan(Plan *p, Fault *fault) {
  Reader r = {p->value, 0, p->values, fault};
  p->phases = p->jobs = p->operations = 0;
  number(&r, "the plan's mark", PLAN_MAGIC, PLAN_MAGIC);
  number(&r, "version of the arithmetic", ARITHMETIC, ARITHMETIC);
  number(&r, "number of spaces", SPACES, SPACES);
  for (int i = 0; i < SPACES; i++) p->bytes[i] = number(&r, "bytes of a space", 0, (1LL << 40) - 1);
  int64_t phases = number(&r, "number of phases", 1, p->values);
  for (int64_t i = 0; i < phases && !fault->code[0]; i++) read_phase(p, &r);
  if (r.at != r.end) {
    fail(fault, "BAD_PLAN", "create program: expected the plan's end at number %d, got %d more; compile the program again", r.at, r.end - r.at);
  }
  return !fault->code[0];
}

static bool read_numbers(Plan *p, const double *numbers, Fault *fault) {
  for (int64_t i = 0; i < p->values; i++) {
    double x = numbers[i];
    bool whole = x > -9007199254740992.0 && x < 9007199254740992.0 && (double)(int64_t)x == x;
    if (!whole) return fail(fault, "BAD_PLAN", "create program: expected an integer below 2^53 at number %d, got another value; compile the program again", i);
    p->value[i] = (int64_t)x;
  }
  return true;
}

bool plan_decode(Plan *p, const double *numbers, int64_t count, Fault *fault) {
  *p = (Plan){.values = count};
  p->value = memory_get(count * (int64_t)sizeof *p->value);
  if (!p->value) return fail(fault, "NO_MEMORY", "create program: expected memory for a plan of %d numbers, got none; use a smaller model", count);
  if (!read_numbers(p, numbers, fault) || !read_plan(p, fault)) return false;
  Phase *phase = memory_get(p->phases * (int64_t)sizeof *phase);
  Job *job = memory_get(p->jobs * (int64_t)sizeof *job);
  Operation *operation = memory_get(p->operations * (int64_t)sizeof *operation);
  p->phase = phase, p->job = job, p->operation = operation;
  if (!phase || !job || !operation) return fail(fault, "NO_MEMORY", "create program: expected memory for %d operations, got none; use a smaller model", p->operations);
  return read_plan(p, fault);
}

void plan_free(Plan *p) {
  memory_return(p->value, p->values * (int64_t)sizeof *p->value);
  memory_return(p->phase, p->phases * (int64_t)sizeof *p->phase);
  memory_return(p->job, p->jobs * (int64_t)sizeof *p->job);
  memory_return(p->operation, p->operations * (int64_t)sizeof *p->operation);
  *p = (Plan){0};
}
