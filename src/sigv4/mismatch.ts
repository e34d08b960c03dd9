/** What was signed, for SignatureDoesNotMatch: customer keys and tokens of the client left out. A byte string (latin1). */
export function withoutSecrets(signed: string): string {
  return signed
    .replace(/^(x-amz-(?:copy-source-)?server-side-encryption-customer-key|x-amz-security-token):.*$/gm, '$1:[secret]')
    .replace(
      /((?:X-Amz-Security-Token|x-amz-(?:copy-source-)?server-side-encryption-customer-key)=)[^&\n]*/gi,
      '$1[secret]',
    )
}

/** The bytes of a byte string (latin1) as S3 shows them: `47 45 54`. */
export function hexBytes(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString('hex')
    .replace(/..(?!$)/g, '$& ')
}
