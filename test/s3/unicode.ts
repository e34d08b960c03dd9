import fc from 'fast-check'

const range = (min: number, max: number) => fc.integer({ min, max })
const codePoint = fc.oneof(
  range(0x20, 0x7e),
  range(0, 0x7f),
  range(0x80, 0x7ff),
  range(0x800, 0xd7ff),
  range(0xe000, 0xffff),
  range(0x10000, 0x10ffff),
)

/** Any Unicode text, all of it equally likely to be odd. (fast-check's own `binary` unit takes seconds to build.) */
export function unicode(size: { readonly minLength?: number; readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.array(codePoint, size).map((points) => String.fromCodePoint(...points))
}
