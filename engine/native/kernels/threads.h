/* SPDX-License-Identifier: MIT */
/* Threads of a program. A run waits for tasks that were begun, never for threads: one that the system delays finds no
 * task and holds up nothing. */
#ifndef LOCKSTEP_THREADS_H
#define LOCKSTEP_THREADS_H
#include "fault.h"

enum { MAX_THREADS = 256 };

typedef struct Pool Pool;
typedef void Task(void *owner, int64_t index, int thread);

/* A pool of the caller's thread alone; 0 if there is no memory. */
Pool *pool_create(void);
void pool_destroy(Pool *pool);

/* Sets the threads of the next runs, 1 to MAX_THREADS. Threads that are started stay, asleep, until pool_destroy.
 * After a failure the pool has the threads that could be started. */
bool pool_resize(Pool *pool, int threads, Fault *fault);

/* Calls task(owner, i, thread) once for every i < tasks, 1 <= tasks < 2^31, in any order; the caller takes part as
 * thread 0. */
void pool_run(Pool *pool, Task *task, void *owner, int64_t tasks);

#endif
