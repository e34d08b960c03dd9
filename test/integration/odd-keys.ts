/** Object keys that broke somebody's proxy or gateway. */
export const ODD_KEYS: readonly string[] = [
  'a//b',
  'x/../y',
  './z',
  '..',
  'percent%2Fencoded',
  'percent%252Ftwice',
  'plus+and space',
  '@=*~!$&\'(),;:"<>[]{}|\\^`',
  'ünïcödé/日本語/😀',
  'trailing/',
  '/leading',
  '?query#fragment',
  'k'.repeat(1024),
]
