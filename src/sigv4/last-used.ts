/**
 * A few things, the one that was used last first: where one of them is wanted again and again, looking through them costs less than a name
 * to find it by.
 */
export class LastUsed<T> {
  readonly #most: number
  readonly #all: T[] = []

  /** @param most as many are kept; the one that was not used for longest goes */
  constructor(most: number) {
    this.#most = most
  }

  /** The one that is wanted; undefined where there is none. */
  find(isWanted: (one: T) => boolean): T | undefined {
    const all = this.#all
    for (let at = 0; at < all.length; at += 1) {
      const one = all[at] as T
      if (!isWanted(one)) continue
      for (let to = at; to > 0; to -= 1) all[to] = all[to - 1] as T
      all[0] = one
      return one
    }
    return undefined
  }

  add(one: T): void {
    if (this.#all.length === this.#most) this.#all.pop()
    this.#all.unshift(one)
  }
}
