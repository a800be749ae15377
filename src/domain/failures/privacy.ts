import type { FailureKind } from './failure.js';

/** Failures of encryption and of forgetting. */
export const PRIVACY_FAILURES = {
  BadEncryptionKey: {
    retryable: false,
    fault: 'input',
    reason:
      'A key of the environment cannot be used: wrong length, wrong writing, or settings that exclude each other.',
    remedy: 'Set the variable that the message names; `openssl rand -base64 32` makes a key.',
  },
  UnknownEncryptionKey: {
    retryable: true,
    fault: 'environment',
    reason: 'Something was encrypted with a key that this process does not have.',
    remedy:
      'Give the process the key of that id: COHORTFLOW_ENCRYPTION_KEY, or COHORTFLOW_ENCRYPTION_KEYS_OLD once retired.',
  },
  PayloadNotEncrypted: {
    retryable: false,
    fault: 'input',
    reason: 'Something arrived unencrypted where COHORTFLOW_REQUIRE_ENCRYPTION allows only encrypted payloads.',
    remedy: 'Start it with a client that has the key, or with `temporal --codec-endpoint`.',
  },
  PayloadUnreadable: {
    retryable: false,
    fault: 'data',
    reason: 'An encrypted payload does not open with the key of its id: it was altered, or another key has that id.',
    remedy: 'Check that the key of that id is the one it was encrypted with.',
  },
  KeyServiceUnavailable: {
    retryable: true,
    fault: 'environment',
    reason: 'The key management service did not make or open a data key.',
    remedy: 'Check credentials, region, and the permissions kms:GenerateDataKey and kms:Decrypt on the key.',
  },
  CaseNotFound: {
    retryable: false,
    fault: 'input',
    reason: 'The case that is to be forgotten has left nothing in the output folder.',
    remedy: 'Check the id, written as in the sheet, and the folder.',
  },
} as const satisfies Record<string, FailureKind>;
