import t from 'tap'
import { printable } from '../../src/s3/printable.js'

t.test('what a terminal would obey is shown, and nothing else changes', async (t) => {
  for (const [text, shown] of [
    ['plain, ünïcödé 漢字 🗝 "\\"\nnext', 'plain, ünïcödé 漢字 🗝 "\\"\nnext'],
    ['\x1b[2Ja\rb\x07\t\x7f', '\\u{1b}[2Ja\\u{d}b\\u{7}\t\\u{7f}'],
    ['\u009b31m', '\\u{9b}31m'],
    ['a\u202etxt.exe\u2028', 'a\\u{202e}txt.exe\\u{2028}'],
    ['\ud800', '\\u{d800}'],
  ] as const) {
    t.equal(printable(text), shown)
  }
})
