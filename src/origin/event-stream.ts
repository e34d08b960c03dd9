import { crc32 } from 'node:zlib'

/**
 * One message of AWS's event stream: lengths and their CRC, headers of strings, the payload, and the CRC of all of it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
 */
export function eventMessage(headers: Readonly<Record<string, string>>, payload: Buffer = Buffer.alloc(0)): Buffer {
  const written = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)))
  const prelude = Buffer.alloc(8)
  prelude.writeUInt32BE(16 + written.length + payload.length, 0)
  prelude.writeUInt32BE(written.length, 4)
  const message = Buffer.concat([prelude, sum(prelude), written, payload])
  return Buffer.concat([message, sum(message)])
}

/** A header whose value is a string: type 7. */
function header(name: string, value: string): Buffer {
  const text = Buffer.from(value, 'utf8')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(text.length)
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1'), Buffer.from([7]), length, text])
}

function sum(bytes: Buffer): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(crc32(bytes))
  return out
}
