// A process of its own around what stands in for S3.
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { standInServer } from './stand-in-server.js'

const [certFile = '', keyFile = ''] = process.argv.slice(2)

const server = standInServer({ cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') })
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
