import type { KeyObject } from 'node:crypto'
import { checkValue } from './check-value.js'
import { readText, type Members, type Report } from './json-fields.js'
import { keyFromBase64 } from './key-bytes.js'

const CHECK = {
  parse: (text: string) => (/^[0-9a-f]{16}$/.test(text) ? text : undefined),
  otherwise: 'is not 16 hex digits',
}

export const readCheck = (members: Members, path: string, report: Report): string | undefined =>
  readText(members, 'check', path, report, CHECK)

/** The member `key`, held to the check value beside it. */
export function readKey(members: Members, path: string, report: Report): KeyObject | undefined {
  const check = readCheck(members, path, report)
  const result = readText(members, 'key', path, report, { parse: keyFromBase64, otherwise: '' })
  if (result === undefined) return undefined
  if (result.type === 'refused') {
    report(`${path}.key`, result.message)
    return undefined
  }
  if (check !== undefined && check !== checkValue(result.key)) {
    report(`${path}.check`, 'does not belong to the key beside it: one of the two was changed or damaged')
  }
  return result.key
}
