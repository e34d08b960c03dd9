import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'

const schema = JSON.parse(
  readFileSync(new URL('../../config/audit-line.schema.json', import.meta.url), 'utf8'),
) as object

const validate = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(schema)

/** What is wrong with one line of an audit log; empty where it is as config/audit-line.schema.json says. */
export function auditFaults(line: string): readonly string[] {
  if (!line.endsWith('\n') || line.indexOf('\n') !== line.length - 1) return ['not exactly one line']
  if (validate(JSON.parse(line))) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`)
}
