/** Non-secret pairs that KMS binds to what it encrypts: Decrypt needs the same ones. */
export type EncryptionContext = Readonly<Record<string, string>>

/**
 * Why KMS gave nothing. `denied` will stay so until somebody changes something; `throttled` and `away` pass.
 */
export interface KmsFailure {
  readonly type: 'denied' | 'throttled' | 'away'
  /** For the log and the operator: KMS's name of the error and what it says. Holds no key. */
  readonly reason: string
}

/** `kmsKeyId` is the ARN of the key that was used, where the server tells it. */
export type KmsAnswer = { readonly type: 'bytes'; readonly bytes: Buffer; readonly kmsKeyId: string } | KmsFailure

/** The operations of AWS KMS that keyrings need. One call is one request: who calls decides about another try. */
export interface Kms {
  /** Gives the CiphertextBlob. */
  readonly encrypt: (kmsKeyId: string, plaintext: Buffer, context: EncryptionContext) => Promise<KmsAnswer>
  /** Gives the plaintext, if it is of this key and this context. */
  readonly decrypt: (kmsKeyId: string, ciphertext: Buffer, context: EncryptionContext) => Promise<KmsAnswer>
  /** Gives HMAC-SHA256 of at most 4096 bytes under a key that never leaves KMS. */
  readonly generateMac: (kmsKeyId: string, message: Buffer) => Promise<KmsAnswer>
}

export type KmsOperation = 'Encrypt' | 'Decrypt' | 'GenerateMac'
