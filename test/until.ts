const pollMs = 5;

/** Waits for what no event tells of. @throws when it takes longer than `limitMs`. */
export async function until(condition: () => boolean, limitMs: number, what: string): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`wait: expected ${what} within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
