/**
 * Runs `work` for every item with at most `width` at a time, in their order. The first failure stops the taking of
 * items; it is thrown when everything that runs has ended.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const hasFailed = (): boolean => failure !== undefined
  try {
    for await (const item of items) {
      const run = work(item)
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => running.delete(run))
      running.add(run)
      if (running.size >= width) await Promise.race(running)
      if (hasFailed()) break
    }
  } finally {
    await Promise.all(running)
  }
  if (failure !== undefined) throw failure.error
}

/** Lets at most `width` of the functions that it is given run at a time; the others wait for their turn. */
export function limiter(width: number): <T>(run: () => Promise<T>) => Promise<T> {
  let free = width
  const waiting: (() => void)[] = []
  return async (run) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
