/**
 * Settles as `work` does, unless that takes longer than `limitMs`; `work` itself continues.
 * @throws the error that `expired` makes when the time is up.
 */
export async function within<Value>(work: Promise<Value>, limitMs: number, expired: () => Error): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(expired()), limitMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `work`, at most `limitMs`. @returns false when the time is up. @throws the error of `work`. */
export async function completesWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const expired = new Error('expired');
  return within(work, limitMs, () => expired).then(
    () => true,
    (error: unknown) => {
      if (error === expired) return false;
      throw error;
    },
  );
}
