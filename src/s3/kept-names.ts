import { flatText } from './flat-text.js'

const MAX_KEPT = 1000
/** Characters: a thousand names should not be megabytes. */
const MAX_LENGTH = 100

/**
 * What is found of a header's name, kept: messages have the same few names again and again. Others, many or long, are judged each time.
 *
 * @param judge depends on the name alone; ASCII. What it throws is not kept
 */
export function keptNames<Found extends boolean | string>(judge: (name: string) => Found): (name: string) => Found {
  const kept = new Map<string, Found>()
  return (name) => {
    const known = kept.get(name)
    if (known !== undefined) return known
    const found = judge(name)
    if (kept.size < MAX_KEPT && name.length <= MAX_LENGTH) kept.set(flatText(name), found)
    return found
  }
}
