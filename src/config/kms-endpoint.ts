/** Where AWS has KMS. @see https://docs.aws.amazon.com/general/latest/gr/kms.html */
export const kmsEndpoint = (region: string): string =>
  `https://kms.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
