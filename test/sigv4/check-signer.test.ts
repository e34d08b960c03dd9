import t from 'tap'
import { checkSigner } from '../../src/sigv4/check-signer.js'
import { signByReference } from '../../src/sigv4/reference-signer.js'
import { signRequest } from '../../src/sigv4/sign.js'

t.test('our signer is the reference, as far as the check sees', (t) => {
  t.doesNotThrow(() => checkSigner())
  t.end()
})

t.test('a signer that errs is noticed, whatever it gets wrong', (t) => {
  const wrong: readonly (typeof signRequest)[] = [
    (request) => signRequest({ ...request, method: 'POST' }),
    (request) => signRequest({ ...request, region: 'eu-central-1' }),
    (request) => signRequest({ ...request, path: request.path.replaceAll('//', '/') }),
    (request) => signRequest({ ...request, query: new Map([...request.query].slice(1)) }),
    (request) => signRequest({ ...request, now: new Date(request.now.getTime() + 1000) }),
    (request) => signRequest({ ...request, credentials: { ...request.credentials, sessionToken: 'none' } }),
    (request) => {
      const headers = Object.entries(request.headers).filter(([name]) => name !== 'range')
      return signRequest({ ...request, headers: Object.fromEntries(headers) })
    },
    (request) => {
      const signed = signRequest(request)
      return { ...signed, path: `${signed.path}/` }
    },
  ]
  for (const sign of wrong) t.throws(() => checkSigner(sign), /is not the one that aws4 makes/)
  for (const lines of ['', 'authorization: another\r\n', '\r\nauthorization: none\r\n'])
    t.throws(() => checkSigner(signRequest, signByReference, () => lines), /is not the one that aws4 makes/)
  t.throws(() => checkSigner(signRequest, (request) => signByReference({ ...request, region: 'eu-west-1' })), /GET/)
  t.end()
})
